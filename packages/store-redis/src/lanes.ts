// lanes.ts: carries messages from shard to shard. What holds them in order and once is in the scripts.
import type {
  Consignment,
  Delivery,
  EntityId,
  InboxItem,
  LaneEnd,
  LaneHead,
  LaneMessage,
  Lanes,
  MessageId,
  ShardId,
  Tail,
} from '@interstate/core'
import { type Answer, lostFinding } from './lost.ts'
import { plain, type Reader, scripted } from './reader.ts'
import { departures } from './scripts/departures.ts'
import { wholeHash } from './scripts/whole-hash.ts'
import type { Ground, Order, Orders, Writer } from './writer.ts'

/** See the file head. */
export class RedisLanes implements Lanes {
  readonly #open: () => Promise<LanePorts>

  /** @param open - Opens the store, on first use. */
  constructor(open: () => Promise<LanePorts>) {
    this.#open = open
  }

  async departures(shards: readonly ShardId[], limit: number): Promise<readonly Consignment[]> {
    const { ground, writer } = await this.#open()
    const found = await this.#departures(shards, limit)
    if (found.length === 0 || ground.durability !== 'replicated') return found
    // What no replica has yet may be unwritten by a failover, and must not leave its shard before (G8).
    await writer.confirm(found.map(({ from }) => from))
    return inBoth(found, await this.#departures(shards, limit))
  }

  async #departures(shards: readonly ShardId[], limit: number): Promise<readonly Consignment[]> {
    const { reader } = await this.#open()
    const busy = (await this.tails(shards)).filter(({ departing }) => departing > 0).map(({ shard }) => shard)
    const found: Consignment[] = []
    let left = limit
    for (const group of chunks(busy, shardsAtOnce)) {
      if (left <= 0) break
      const share = Math.ceil(left / group.length)
      const pages = await reader.each<readonly (readonly string[])[]>(group, ({ lanes, out }) =>
        scripted(departures, [lanes, out], share),
      )
      for (const [index, page] of pages.entries()) {
        for (const told of page) {
          const consignment = consignmentOf(group[index] as ShardId, told)
          found.push(consignment)
          left -= consignment.messages.length
        }
      }
    }
    return found
  }

  async deliver(consignments: readonly Consignment[]): Promise<readonly Delivery[]> {
    const { ground, writer } = await this.#open()
    const byShard = [...Map.groupBy(consignments.entries(), ([, { to }]) => to)]
    const work = byShard.map(([shard, some]): Orders => {
      const args: (string | number)[] = [some.length]
      for (const [, { from, messages }] of some) {
        args.push(from, messages.length)
        for (const { number, chain, id, to, body } of messages) args.push(number, chain, id, to, body)
      }
      const keys: Order['keys'] = ({ record, ids, inbox, marks }) => [record, ids, inbox, marks]
      return { shard, orders: [{ script: ground.scripts.deliver, keys, args }] }
    })
    const answers = await writer.send(work)
    const results: Delivery[] = []
    for (const [line, [shard, some]] of byShard.entries()) {
      const answer = answers[line]?.[0] as Answer
      for (const [index, [at, consignment]] of some.entries()) {
        results[at] = deliveryOf(shard, consignment, answer, index)
      }
    }
    return results
  }

  async trim(ends: readonly Omit<LaneEnd, 'chain'>[]): Promise<void> {
    const { ground, writer } = await this.#open()
    const byShard = [...Map.groupBy(ends, ({ from }) => from)]
    const keys: Order['keys'] = ({ record, lanes, out }) => [record, lanes, out]
    const work = byShard.map(([shard, some]): Orders => {
      const args = some.flatMap(({ to, number }) => [to, number])
      return { shard, orders: [{ script: ground.scripts.trim, keys, args, watermark: 'ignore' }] }
    })
    await writer.send(work)
  }

  async tails(shards: readonly ShardId[]): Promise<readonly Tail[]> {
    const { reader } = await this.#open()
    const rows = await reader.each<readonly (string | null)[]>(shards, ({ record }) =>
      plain('HMGET', record, 'position', 'departing'),
    )
    return shards.map((shard, index) => {
      const [position, departing] = rows[index] ?? []
      return { shard, position: Number(position ?? 0), departing: Number(departing ?? 0) }
    })
  }

  async heads(from: readonly ShardId[]): Promise<readonly LaneHead[]> {
    const { reader } = await this.#open()
    const pages = await reader.each<readonly string[]>(from, ({ lanes }) => scripted(wholeHash, [lanes]))
    return pages.flatMap((page, index) => {
      return pairs(page).map(([to, text]): LaneHead => {
        const [number, chain = '', trimmed] = text.split(' ')
        const head = { from: from[index] as ShardId, to: Number(to), number: Number(number), chain }
        return { ...head, trimmed: Number(trimmed) }
      })
    })
  }

  async marks(to: readonly ShardId[]): Promise<readonly LaneEnd[]> {
    const { reader } = await this.#open()
    const pages = await reader.each<readonly string[]>(to, ({ marks }) => scripted(wholeHash, [marks]))
    return pages.flatMap((page, index) => {
      return pairs(page).map(([from, text]): LaneEnd => {
        const [number, chain = ''] = text.split(' ')
        return { from: Number(from), to: to[index] as ShardId, number: Number(number), chain }
      })
    })
  }

  /**
   * See `Lanes.rebase`. A shard whose record was lost gets one again, under an epoch above all that it ever had; this
   * driver forgets how far the shards had come. Other hosts must be started anew, or they go on to see the loss.
   */
  async rebase({ heads, marks }: Parameters<Lanes['rebase']>[0]): Promise<void> {
    const { ground, writer } = await this.#open()
    const shards = new Set([...heads.map(({ from }) => from), ...marks.map(({ to }) => to)])
    for (const shard of shards) ground.watermarks.forget(shard)
    const keys: Order['keys'] = ({ record, lanes, out, marks }) => [record, lanes, out, marks]
    const work = [...shards].map((shard): Orders => {
      const [mine, theirs] = [heads.filter(({ from }) => from === shard), marks.filter(({ to }) => to === shard)]
      const args = [
        mine.length,
        ...mine.flatMap(({ to, number, chain }) => [to, number, chain]),
        theirs.length,
        ...theirs.flatMap(({ from, number, chain }) => [from, number, chain]),
      ]
      return { shard, orders: [{ script: ground.scripts.rebase, keys, args }] }
    })
    await writer.send(work)
  }
}

/** What lanes need of an open store. */
export interface LanePorts {
  readonly ground: Ground
  readonly reader: Reader
  readonly writer: Writer
}

/** Departures of so many shards are read at once. */
const shardsAtOnce = 32

type DeliveryAnswer = readonly [outcome: string, mark: number, known: number, ...positions: string[]]

function deliveryOf(shard: ShardId, { messages }: Consignment, answer: Answer, index: number): Delivery {
  const finding = lostFinding(shard, answer)
  if (finding !== undefined) return { outcome: 'lost', finding }
  const [outcome, mark, known, ...positions] = answer[2 + index] as DeliveryAnswer
  if (outcome === 'gap' || outcome === 'broken') return { outcome, mark }
  const accepted = messages.slice(known).map(({ id, to, shard, body }, index): InboxItem => {
    return { id, to, shard, body, position: Number(positions[index]) }
  })
  return { outcome: 'delivered', mark, accepted }
}

function consignmentOf(from: ShardId, [to, ...rest]: readonly string[]): Consignment {
  const messages: LaneMessage[] = []
  for (let at = 0; at < rest.length; at += 5) {
    const [number, chain, id, entity, body] = rest.slice(at, at + 5) as [string, string, MessageId, EntityId, string]
    messages.push({ id, to: entity, shard: Number(to), body, number: Number(number), chain })
  }
  return { from, to: Number(to), messages }
}

/** What was read twice, and what lies between is known to be durable. */
function inBoth(found: readonly Consignment[], again: readonly Consignment[]): readonly Consignment[] {
  const place = (from: ShardId, { shard, number, chain }: LaneMessage): string => `${from}>${shard} ${number} ${chain}`
  const there = new Set(again.flatMap(({ from, messages }) => messages.map((message) => place(from, message))))
  return found.flatMap(({ from, to, messages }) => {
    const left = messages.filter((message) => there.has(place(from, message)))
    return left.length === 0 ? [] : [{ from, to, messages: left }]
  })
}

function pairs(page: readonly string[]): readonly (readonly [string, string])[] {
  return Array.from({ length: page.length / 2 }, (_, index) => [page[2 * index] ?? '', page[2 * index + 1] ?? ''])
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}
