// courier.ts: carries messages along lanes: hands over what shards of this host sent, then lets them forget it.
// Owns: what is on its way, what was handed over lately, when history turns out to be lost.
// Not here: who accepts what (the store), what is done with messages that arrive here (engine.ts).
//   C1  Nothing is trimmed before its receiver durably has it (G2).
//   C2  A lane is carried in order; what is missing in between is read from the store first (G6).
//   C3  What was handed over lately is kept for a while: a receiver that lost it gets it again (G15).
import type {
  Consignment,
  Delivery,
  Envelope,
  Halt,
  InboxItem,
  LaneEnd,
  LaneHead,
  LaneMessage,
  Lanes,
  ShardId,
} from '@interstate/core'
import { Queue } from './queue.ts'

/** Messages that are handed over at once. */
const atOnce = 8_192
/** Messages that wait in memory; beyond it they are left in the store. */
const mostWaiting = 65_536
/** Messages that are kept after they were handed over. */
const mostKept = 16_384

/** A message on its way, and what it says if its sender is in memory. */
export interface Parcel extends LaneMessage {
  readonly envelope?: Envelope | undefined
}

/** A message that has come. */
export interface Arrived extends InboxItem {
  readonly envelope?: Envelope | undefined
}

/** A lane with something on its way. */
interface Lane {
  readonly from: ShardId
  readonly to: ShardId
  /** Not handed over, in order. */
  waiting: Parcel[]
  /** Handed over lately, in order. */
  kept: Parcel[]
  /** The receiver has everything up to this number; 0 where that is not known. */
  delivered: number
}

/** What a round of the courier came to. */
export interface Carried {
  /** What waits in inboxes now. */
  readonly accepted: readonly Arrived[]
  readonly losses: readonly Halt[]
  /** Why not all of it could be done; it is done again. */
  readonly failure: unknown
}

/** See the file head. */
export class Courier {
  readonly #lanes: Lanes
  readonly #all = new Map<string, Lane>()
  /** Lanes with something to hand over. */
  readonly #active = new Set<Lane>()
  readonly #toTrim = new Set<Lane>()
  /** Shards of which the store may have more than is known here. */
  readonly #unread = new Set<ShardId>()
  /** Shards that stand still: nothing is handed over to them. */
  #halted: ReadonlySet<ShardId> = new Set()
  /** The lane of each message that is kept, oldest first. */
  readonly #kept = new Queue<Lane>()
  #waiting = 0

  constructor(lanes: Lanes) {
    this.#lanes = lanes
  }

  /** Whether anything is to be done. */
  get busy(): boolean {
    if (this.#unread.size > 0 || this.#toTrim.size > 0) return true
    for (const { to } of this.#active) if (!this.#halted.has(to)) return true
    return false
  }

  /** A message that a shard of this host sent. */
  send(from: ShardId, message: Parcel): void {
    if (this.#waiting >= mostWaiting) {
      this.#unread.add(from)
      return
    }
    const lane = this.#lane(from, message.shard)
    // It may have been read from the store before its sender heard that it is there.
    if (message.number <= (lane.waiting.at(-1)?.number ?? lane.delivered)) return
    lane.waiting.push(message)
    this.#waiting += 1
    this.#active.add(lane)
  }

  /** The store may have messages of these shards that are not known here. */
  look(shards: Iterable<ShardId>): void {
    for (const shard of shards) this.#unread.add(shard)
  }

  /** Whether nothing of a shard is on its way, as far as is known here. */
  isIdle(from: ShardId): boolean {
    if (this.#unread.has(from)) return false
    for (const lane of this.#active) if (lane.from === from) return false
    for (const lane of this.#toTrim) if (lane.from === from) return false
    return true
  }

  /** These shards are another host's now. */
  drop(shards: ReadonlySet<ShardId>): void {
    for (const [name, lane] of this.#all) {
      if (!shards.has(lane.from)) continue
      this.#waiting -= lane.waiting.length
      lane.waiting = []
      this.#all.delete(name)
      this.#active.delete(lane)
      this.#toTrim.delete(lane)
    }
    for (const shard of shards) this.#unread.delete(shard)
  }

  /** Says which shards stand still. */
  halt(shards: ReadonlySet<ShardId>): void {
    this.#halted = shards
  }

  /** Hands over what waits, and trims what was handed over before. A call that rejects is made again. */
  async carry(): Promise<Carried> {
    await this.#read()
    const lanes = this.#next()
    const consignments = lanes.map(({ from, to, waiting }) => ({ from, to, messages: [...waiting] }))
    const trims = [...this.#toTrim]
    this.#toTrim.clear()
    const [delivered, trimmed] = await Promise.allSettled([
      consignments.length === 0 ? [] : this.#lanes.deliver(consignments),
      trims.length === 0
        ? undefined
        : this.#lanes.trim(trims.map(({ from, to, delivered: number }) => ({ from, to, number }))),
    ])
    if (trimmed.status === 'rejected') for (const lane of trims) this.#toTrim.add(lane)
    if (delivered.status === 'rejected') throw delivered.reason
    const accepted: Arrived[] = []
    const losses: Halt[] = []
    // What has arrived is there, whatever fails besides: it must not be lost from memory with it.
    let failure: unknown = trimmed.status === 'rejected' ? trimmed.reason : undefined
    for (const [index, delivery] of delivered.value.entries()) {
      const lane = lanes[index] as Lane
      if (delivery.outcome === 'delivered') {
        const { messages } = consignments[index] as (typeof consignments)[number]
        const known = messages.length - delivery.accepted.length
        for (const [at, item] of delivery.accepted.entries()) {
          const sent = messages[known + at]
          accepted.push({ ...item, envelope: sent?.id === item.id ? sent.envelope : undefined })
        }
      }
      try {
        const loss = await this.#settle(lane, consignments[index] as Consignment, delivery)
        if (loss !== undefined) losses.push(loss)
      } catch (error) {
        failure ??= error
        this.#unread.add(lane.from)
      }
    }
    return { accepted, losses, failure }
  }

  /** Compares all lanes from these shards, end by end: history that was lost while nobody looked (G15). */
  async compare(from: readonly ShardId[], shards: number): Promise<readonly Halt[]> {
    const wanted = new Set(from)
    const heads = new Map((await this.#lanes.heads(from)).map((head) => [name(head.from, head.to), head]))
    const losses: Halt[] = []
    for (let first = 0; first < shards; first += receiversAtOnce) {
      const to = range(first, Math.min(shards, first + receiversAtOnce))
      for (const mark of await this.#lanes.marks(to)) {
        if (!wanted.has(mark.from)) continue
        const loss = lossOf(mark, heads.get(name(mark.from, mark.to))) && (await this.#examine(mark, mark.number))
        if (loss !== undefined) losses.push(loss)
        heads.delete(name(mark.from, mark.to))
      }
      const unmarked = new Set(to)
      for (const head of heads.values()) {
        if (!unmarked.has(head.to)) continue
        const loss = lossOf({ ...head, number: 0 }, head) && (await this.#examine(head, 0))
        if (loss !== undefined) losses.push(loss)
      }
    }
    return losses
  }

  /** Looks whether receivers still have what they were handed; what one lost lately it gets again (C3). */
  async check(to: readonly ShardId[]): Promise<readonly Halt[]> {
    const wanted = new Set(to)
    const marks = new Map((await this.#lanes.marks(to)).map((mark) => [name(mark.from, mark.to), mark.number]))
    const losses: Halt[] = []
    for (const lane of this.#all.values()) {
      const mark = marks.get(name(lane.from, lane.to)) ?? 0
      if (!wanted.has(lane.to) || mark >= lane.delivered || this.#halted.has(lane.to)) continue
      const loss = await this.#refill(lane, mark)
      if (loss !== undefined) losses.push(loss)
    }
    return losses
  }

  async #read(): Promise<void> {
    if (this.#unread.size === 0 || this.#waiting > atOnce) return
    const shards = [...this.#unread]
    this.#unread.clear()
    let found: readonly Consignment[]
    try {
      found = await this.#lanes.departures(shards, atOnce)
    } catch (error) {
      this.look(shards)
      throw error
    }
    let count = 0
    for (const { from, to, messages } of found) {
      count += messages.length
      this.#merge(this.#lane(from, to), messages)
    }
    if (count >= atOnce) this.look(shards)
  }

  #merge(lane: Lane, messages: readonly Parcel[]): void {
    const byNumber = new Map<number, Parcel>()
    for (const message of [...lane.waiting, ...messages]) byNumber.set(message.number, message)
    const before = lane.waiting.length
    lane.waiting = [...byNumber.values()]
      .filter(({ number }) => number > lane.delivered)
      .sort((one, other) => one.number - other.number)
    this.#waiting += lane.waiting.length - before
    if (lane.waiting.length > 0) this.#active.add(lane)
    // It was handed over, and whoever did so did not come to trim it.
    else if (messages.length > 0) this.#toTrim.add(lane)
  }

  #next(): readonly Lane[] {
    const chosen: Lane[] = []
    let count = 0
    for (const lane of this.#active) {
      if (this.#halted.has(lane.to)) continue
      chosen.push(lane)
      count += lane.waiting.length
      if (count >= atOnce) break
    }
    return chosen
  }

  async #settle(lane: Lane, { messages }: Consignment, delivery: Delivery): Promise<Halt | undefined> {
    if (this.#all.get(name(lane.from, lane.to)) !== lane) return undefined
    switch (delivery.outcome) {
      case 'delivered': {
        const { mark } = delivery
        const last = lane.waiting.at(-1)?.number ?? 0
        this.#forget(lane, mark)
        for (const message of messages) this.#keep(lane, message)
        if (mark > last && mark > lane.delivered) {
          const loss = await this.#examine(lane, mark)
          if (loss !== undefined) return loss
        }
        lane.delivered = Math.max(lane.delivered, mark)
        this.#toTrim.add(lane)
        return undefined
      }
      case 'gap':
        return this.#refill(lane, delivery.mark)
      case 'broken': {
        const finding = `shard ${lane.to} has another message under number ${delivery.mark} from shard ${lane.from}`
        return { shard: lane.from, finding }
      }
      case 'lost':
        return { shard: lane.to, finding: delivery.finding }
      default:
        return delivery satisfies never
    }
  }

  /** Hands over again what a receiver misses behind `mark`: from memory, or from the store. */
  async #refill(lane: Lane, mark: number): Promise<Halt | undefined> {
    const missing = lane.kept.filter(({ number }) => number > mark)
    const next = lane.waiting[0]?.number ?? lane.delivered + 1
    lane.delivered = Math.min(lane.delivered, mark)
    if (missing.length > 0 && missing[0]?.number === mark + 1 && missing.at(-1)?.number === next - 1) {
      this.#merge(lane, missing)
      return undefined
    }
    this.#unread.add(lane.from)
    return this.#examine(lane, mark)
  }

  /**
   * Looks whether history was lost, after a receiver was seen at a number. Others may carry meanwhile, this host may have
   * stood still: an end is held against what the other one has come to since, never against what it was before.
   */
  async #examine({ from, to }: Pick<LaneEnd, 'from' | 'to'>, number: number): Promise<Halt | undefined> {
    const head = (await this.#lanes.heads([from])).find((each) => each.to === to)
    const { number: sent, trimmed } = head ?? { number: 0, trimmed: 0 }
    if (number > sent || number >= trimmed) return lossOf({ from, to, number }, head)
    const mark = (await this.#lanes.marks([to])).find((each) => each.from === from)?.number ?? 0
    return mark < trimmed ? lossOf({ from, to, number: mark }, head) : undefined
  }

  /** Takes what a receiver has from what waits. */
  #forget(lane: Lane, mark: number): void {
    const before = lane.waiting.length
    lane.waiting = lane.waiting.filter(({ number }) => number > mark)
    this.#waiting -= before - lane.waiting.length
    if (lane.waiting.length === 0) this.#active.delete(lane)
  }

  #keep(lane: Lane, message: Parcel): void {
    if (message.number <= (lane.kept.at(-1)?.number ?? 0)) return
    lane.kept.push(message)
    this.#kept.push(lane)
    if (this.#kept.length > mostKept) this.#kept.shift()?.kept.shift()
  }

  #lane(from: ShardId, to: ShardId): Lane {
    const found = this.#all.get(name(from, to))
    if (found !== undefined) return found
    const lane: Lane = { from, to, waiting: [], kept: [], delivered: 0 }
    this.#all.set(name(from, to), lane)
    return lane
  }
}

/** Receivers whose marks are compared at once. */
const receiversAtOnce = 32

/** What the two ends of a lane say about lost history. */
function lossOf({ from, to, number }: Omit<LaneEnd, 'chain'>, head: LaneHead | undefined): Halt | undefined {
  const sent = head?.number ?? 0
  const trimmed = head?.trimmed ?? 0
  if (number > sent) {
    return { shard: from, finding: `shard ${to} has ${number} messages from shard ${from}, which knows of ${sent}` }
  }
  if (number < trimmed) {
    return { shard: to, finding: `shard ${to} was handed ${trimmed} messages by shard ${from} and has ${number}` }
  }
  return undefined
}

function name(from: ShardId, to: ShardId): string {
  return `${from}>${to}`
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
