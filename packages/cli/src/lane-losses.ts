// lane-losses.ts: compares the two ends of lanes, and says what history is missing between them (G15).
//   X1  Looking does not take a healthy lane for a broken one: of the sender, what it has forgotten is read before the
//       receiver's mark, what it has sent after it. Both only grow.
//   X2  Ends are set so that nothing fits by chance: behind all that either end knows.
import {
  type Consignment,
  chainAfter,
  emptyChain,
  type LaneEnd,
  type LaneHead,
  type Lanes,
  type ShardId,
} from '@interstate/core'

/** What is wrong with one lane. */
export interface LaneLoss {
  readonly from: ShardId
  readonly to: ShardId
  /**
   * - `lost`: the receiver has less than the sender has forgotten. Messages `first` to `last` are lost.
   * - `ahead`: the receiver has more than the sender remembers to have sent. Messages `first` to `last` are known to the
   *   receiver alone.
   * - `diverged`: both have other messages under the same numbers, up to `last`; since when is not known.
   */
  readonly kind: 'lost' | 'ahead' | 'diverged'
  readonly first: number
  readonly last: number
  /** Messages that stand in the lane and are handed over under new numbers; the receiver may have some of them. */
  readonly waiting: number
}

/** A loss, and the ends that let the lane go on. */
export interface Mending {
  readonly loss: LaneLoss
  readonly head: LaneEnd | undefined
  readonly mark: LaneEnd | undefined
}

/** Departures looked at to compare chains. */
const departuresRead = 10_000

/** What is wrong with the lanes to and from a shard. */
export async function lossesOf(lanes: Lanes, shard: ShardId, all: readonly ShardId[]): Promise<readonly Mending[]> {
  // X1: in this order.
  const before = touching(await lanes.heads(all), shard)
  const marks = touching(await lanes.marks(all), shard)
  const after = touching(await lanes.heads(all), shard)
  const senders = [
    ...new Set([...after.values()].filter(({ number, trimmed }) => number > trimmed).map(({ from }) => from)),
  ]
  const departures = senders.length === 0 ? [] : await lanes.departures(senders, departuresRead)
  const waiting = new Map(departures.map((consignment) => [nameOf(consignment), consignment]))
  const names = [...new Set([...before.keys(), ...marks.keys(), ...after.keys()])]
  return names.flatMap((name) => {
    const some = after.get(name) ?? marks.get(name)
    if (some === undefined) return []
    const { from, to } = some
    const empty = { from, to, number: 0, chain: emptyChain, trimmed: 0 }
    const head = { ...(after.get(name) ?? empty), trimmed: before.get(name)?.trimmed ?? 0 }
    return compare(head, marks.get(name) ?? empty, waiting.get(name)) ?? []
  })
}

/** What is wrong with one lane; `undefined` for nothing. @param waiting - What stands in it, as far as it was read. */
export function compare(head: LaneHead, mark: LaneEnd, waiting: Consignment | undefined): Mending | undefined {
  const { from, to, number, chain, trimmed } = head
  const inLane = Math.max(0, number - trimmed)
  if (mark.number > number) {
    const loss: LaneLoss = { from, to, kind: 'ahead', first: number + 1, last: mark.number, waiting: inLane }
    return { loss, head: { from, to, number: mark.number, chain: mark.chain }, mark: undefined }
  }
  if (mark.number < trimmed) {
    const loss: LaneLoss = { from, to, kind: 'lost', first: mark.number + 1, last: trimmed, waiting: inLane }
    if (inLane === 0) return { loss, head: undefined, mark: { from, to, number, chain } }
    return { loss, ...beyond(head) }
  }
  if (fits(head, mark, waiting)) return undefined
  return { loss: { from, to, kind: 'diverged', first: 1, last: mark.number, waiting: inLane }, ...beyond(head) }
}

/** Both ends behind all that either knows (X2). What stands in the lane goes behind that, under new numbers. */
function beyond({ from, to, number, chain }: LaneHead): Pick<Mending, 'head' | 'mark'> {
  const end = { from, to, number: number + 1, chain }
  return { head: end, mark: end }
}

/** Whether the sender's history is the receiver's, as far as it can be seen. */
function fits(head: LaneHead, mark: LaneEnd, waiting: Consignment | undefined): boolean {
  if (mark.number === head.number) return mark.chain === head.chain
  const same = waiting?.messages.find(({ number }) => number === mark.number)
  if (same !== undefined) return same.chain === mark.chain
  const next = waiting?.messages.find(({ number }) => number === mark.number + 1)
  return next === undefined || next.chain === chainAfter(mark.chain, next.id)
}

function touching<E extends LaneEnd>(ends: readonly E[], shard: ShardId): ReadonlyMap<string, E> {
  return new Map(ends.filter(({ from, to }) => from === shard || to === shard).map((end) => [nameOf(end), end]))
}

function nameOf({ from, to }: Pick<LaneEnd, 'from' | 'to'>): string {
  return `${from}>${to}`
}
