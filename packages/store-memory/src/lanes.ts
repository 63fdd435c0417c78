// lanes.ts: messages on their way from shard to shard: the sender's heads, the receiver's marks, what is between them.
//   L1  Numbers have no gaps; the chain is over all ids so far, so two histories can't pass for one (G15).
//   L2  A mark never forgets: what it covers is a duplicate, however late it comes (G7).
//   L3  Only what follows the mark is accepted, so that order holds without a lock (G6).
import {
  type Chain,
  type Consignment,
  chainAfter,
  type Delivery,
  emptyChain,
  type InboxItem,
  type LaneEnd,
  type LaneHead,
  type LaneMessage,
  type LanePlace,
  type Lanes,
  type ShardId,
  type StoredMessage,
  type Tail,
} from '@interstate/core'
import type { Inbox } from './inbox.ts'
import { type Journal, Table } from './journal.ts'

/** See the file head. The protected methods are steps: a test breaks one and sees whether the contract suite notices. */
export class MemoryLanes implements Lanes {
  readonly #heads: Table<string, LaneHead>
  readonly #marks: Table<string, LaneEnd>
  readonly #messages: Table<string, LaneMessage>
  readonly #inbox: Inbox

  constructor(journal: Journal, inbox: Inbox) {
    this.#heads = new Table(journal)
    this.#marks = new Table(journal)
    this.#messages = new Table(journal)
    this.#inbox = inbox
  }

  /** Puts a message at the end of a lane. */
  send(message: StoredMessage, from: ShardId): LanePlace {
    const lane = name(from, message.shard)
    const head = this.#heads.get(lane) ?? { from, to: message.shard, number: 0, chain: emptyChain, trimmed: 0 }
    const place = this.next(head, message)
    const { id, to, shard, body } = message
    this.#messages.set(`${lane}:${place.number}`, { id, to, shard, body, ...place })
    this.#heads.set(lane, { ...head, ...place })
    return place
  }

  async departures(shards: readonly ShardId[], limit: number): Promise<readonly Consignment[]> {
    const found: Consignment[] = []
    let left = limit
    for (const { from, to, number, trimmed } of this.#headsOf(shards)) {
      const messages = this.#between(from, to, trimmed, Math.min(number, trimmed + left))
      if (messages.length > 0) found.push({ from, to, messages })
      left -= messages.length
    }
    return found
  }

  async deliver(consignments: readonly Consignment[]): Promise<readonly Delivery[]> {
    return consignments.map((consignment) => this.deliverOne(consignment))
  }

  async trim(ends: readonly Omit<LaneEnd, 'chain'>[]): Promise<void> {
    for (const { from, to, number } of ends) {
      const head = this.#heads.get(name(from, to))
      if (head === undefined) continue
      const upTo = this.upTo(head, number)
      for (let each = head.trimmed + 1; each <= upTo; each += 1) this.#messages.delete(`${name(from, to)}:${each}`)
      this.#heads.set(name(from, to), { ...head, trimmed: Math.max(head.trimmed, upTo) })
    }
  }

  async tails(shards: readonly ShardId[]): Promise<readonly Tail[]> {
    return shards.map((shard) => {
      let departing = 0
      for (const { number, trimmed } of this.#headsOf([shard])) departing += number - trimmed
      return { shard, position: this.#inbox.last(shard), departing }
    })
  }

  async heads(from: readonly ShardId[]): Promise<readonly LaneHead[]> {
    return this.#headsOf(from)
  }

  async marks(to: readonly ShardId[]): Promise<readonly LaneEnd[]> {
    const wanted = new Set(to)
    return this.#marks
      .entries()
      .map(([, mark]) => mark)
      .filter((mark) => wanted.has(mark.to))
  }

  async rebase({ heads, marks }: Parameters<Lanes['rebase']>[0]): Promise<void> {
    for (const end of heads) {
      const lane = name(end.from, end.to)
      const head = this.#heads.get(lane)
      if (head !== undefined && !this.isAhead(end, head)) continue
      // What stood in the lane stood under numbers that the receiver knows as others: it goes behind them.
      const waiting = head === undefined ? [] : this.#between(end.from, end.to, head.trimmed, head.number)
      for (const { number } of waiting) this.#messages.delete(`${lane}:${number}`)
      this.#heads.set(lane, { ...end, trimmed: end.number })
      for (const message of waiting) this.send(message, end.from)
    }
    for (const end of marks) {
      const mark = this.#marks.get(name(end.from, end.to))
      if (mark === undefined || this.isAhead(end, mark)) this.#marks.set(name(end.from, end.to), end)
    }
  }

  /** The place after the last one. */
  protected next({ number, chain }: LanePlace, { id }: StoredMessage): LanePlace {
    return { number: number + 1, chain: chainAfter(chain, id) }
  }

  /** How far a lane may be trimmed. */
  protected upTo(head: LaneHead, number: number): number {
    return Math.min(number, head.number)
  }

  protected isAhead(end: LanePlace, before: LanePlace): boolean {
    return end.number > before.number
  }

  /** The steps of one delivery: two checks, then the writing. */
  protected deliverOne(consignment: Consignment): Delivery {
    const { from, to, messages } = consignment
    const mark = this.#marks.get(name(from, to)) ?? { from, to, number: 0, chain: emptyChain }
    const refusal = this.gap(consignment, mark) ?? this.broken(consignment, mark)
    if (refusal !== undefined) return refusal
    const fresh = this.fresh(messages, mark)
    const accepted = fresh.map((message): InboxItem => this.#inbox.add(message))
    const last = fresh.at(-1) ?? mark
    this.#marks.set(name(from, to), { from, to, number: last.number, chain: last.chain })
    return { outcome: 'delivered', mark: last.number, accepted }
  }

  protected gap({ messages }: Consignment, { number }: LaneEnd): Delivery | undefined {
    const [first] = messages
    return first !== undefined && first.number > number + 1 ? { outcome: 'gap', mark: number } : undefined
  }

  protected broken({ messages }: Consignment, { number, chain }: LaneEnd): Delivery | undefined {
    let before: Chain = chain
    for (const message of messages) {
      if (message.number < number) continue
      const fits = message.number === number ? chain : chainAfter(before, message.id)
      if (message.chain !== fits) return { outcome: 'broken', mark: number }
      before = message.chain
    }
    return undefined
  }

  /** What the mark does not cover. */
  protected fresh(messages: readonly LaneMessage[], { number }: LaneEnd): readonly LaneMessage[] {
    return messages.filter((message) => message.number > number)
  }

  #headsOf(from: readonly ShardId[]): readonly LaneHead[] {
    const wanted = new Set(from)
    return this.#heads
      .entries()
      .map(([, head]) => head)
      .filter((head) => wanted.has(head.from))
  }

  #between(from: ShardId, to: ShardId, after: number, upTo: number): readonly LaneMessage[] {
    const found: LaneMessage[] = []
    for (let number = after + 1; number <= upTo; number += 1) {
      const message = this.#messages.get(`${name(from, to)}:${number}`)
      if (message !== undefined) found.push(message)
    }
    return found
  }
}

function name(from: ShardId, to: ShardId): string {
  return `${from}>${to}`
}
