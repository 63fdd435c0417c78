// booked-lanes.ts: what is on its way from shard to shard, as the books have it.
import { chainAfter, emptyChain, type LaneEnd, type LanePlace, type MessageId, type ShardId } from '@interstate/core'

/** One lane. */
export interface BookedLane {
  readonly from: ShardId
  readonly to: ShardId
  /** Of what was sent last. */
  readonly sent: LanePlace
  /** Of what was delivered last. */
  readonly mark: LanePlace
  /** Up to this number the sender has forgotten it. */
  readonly trimmed: number
  /** What was sent and not trimmed, by number. */
  readonly messages: ReadonlyMap<number, MessageId>
}

interface Lane extends BookedLane {
  sent: LanePlace
  mark: LanePlace
  trimmed: number
  messages: Map<number, MessageId>
}

/** See the file head. */
export class BookedLanes {
  readonly #all = new Map<string, Lane>()

  /** A lane as it is; one that carried nothing where it was never used. */
  get(from: ShardId, to: ShardId): BookedLane {
    return this.#all.get(name(from, to)) ?? untouched(from, to)
  }

  all(): Iterable<BookedLane> {
    return this.#all.values()
  }

  send(id: MessageId, from: ShardId, to: ShardId): void {
    const lane = this.#open(from, to)
    lane.sent = placeAfter(lane.sent, id)
    lane.messages.set(lane.sent.number, id)
  }

  deliver(from: ShardId, to: ShardId, { number, chain }: LanePlace): void {
    this.#open(from, to).mark = { number, chain }
  }

  trim(from: ShardId, to: ShardId, number: number): void {
    const lane = this.#open(from, to)
    lane.trimmed = Math.max(lane.trimmed, Math.min(number, lane.sent.number))
    for (const each of lane.messages.keys()) if (each <= lane.trimmed) lane.messages.delete(each)
  }

  /** The sender goes on after a place; what it had not forgotten it sends behind it. */
  rebaseHead({ from, to, number, chain }: LaneEnd): void {
    const lane = this.#open(from, to)
    if (number <= lane.sent.number) return
    const waiting = [...lane.messages.values()]
    lane.messages = new Map()
    lane.sent = { number, chain }
    lane.trimmed = number
    for (const id of waiting) this.send(id, from, to)
  }

  /** The receiver goes on after a place. */
  rebaseMark({ from, to, number, chain }: LaneEnd): void {
    const lane = this.#open(from, to)
    if (number > lane.mark.number) lane.mark = { number, chain }
  }

  #open(from: ShardId, to: ShardId): Lane {
    const lane = this.#all.get(name(from, to)) ?? untouched(from, to)
    this.#all.set(name(from, to), lane)
    return lane
  }
}

/** The place of the next message behind a place. */
export function placeAfter({ number, chain }: LanePlace, id: MessageId): LanePlace {
  return { number: number + 1, chain: chainAfter(chain, id) }
}

function untouched(from: ShardId, to: ShardId): Lane {
  const nowhere = { number: 0, chain: emptyChain }
  return { from, to, sent: nowhere, mark: nowhere, trimmed: 0, messages: new Map() }
}

function name(from: ShardId, to: ShardId): string {
  return `${from}>${to}`
}
