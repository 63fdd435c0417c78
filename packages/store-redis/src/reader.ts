// reader.ts: what is stored, read shard by shard and put together.
import {
  type DeadLetter,
  type EntityId,
  type IdempotencyKey,
  type InboxItem,
  type KeyPlace,
  type KeyState,
  type LogicalPartition,
  type MessageId,
  type ShardId,
  type StoredEntity,
  timeOfKey,
} from '@interstate/core'
import type { Command, Line } from './courier.ts'
import { decodeRow } from './entity-row.ts'
import type { ShardNames } from './names.ts'
import { deadLetters } from './scripts/dead-letters.ts'
import { due } from './scripts/due.ts'
import { inboxOf } from './scripts/inbox-of.ts'
import { knownKeys } from './scripts/known-keys.ts'
import type { Script } from './scripts/script.ts'
import type { Ground } from './writer.ts'

/** An entity that wants a turn without a message. */
export interface Due {
  readonly entity: EntityId
  readonly wakeAt: number
}

/** Entries of a stream: `position-0` and (i, id, e, entity, b, body). */
type Entries = readonly (readonly [string, readonly string[]])[]

/** See the file head. */
export class Reader {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  async load(partitions: readonly LogicalPartition[]): Promise<readonly (StoredEntity | undefined)[]> {
    const byShard = Map.groupBy(partitions.entries(), ([, { shard }]) => shard)
    const found: (StoredEntity | undefined)[] = partitions.map(() => undefined)
    const shards = [...byShard]
    const rows = await this.commands<string | null>(
      shards.map(([shard]) => shard),
      ({ entity }, index) => (shards[index]?.[1] ?? []).map(([, asked]) => plain('GET', entity + asked.entity)),
    )
    for (const [line, [, asked]] of shards.entries()) {
      for (const [index, [at, { entity }]] of asked.entries()) {
        const row = rows[line]?.[index] ?? null
        if (row !== null) found[at] = decodeRow(entity, row)
      }
    }
    return found
  }

  async inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]> {
    const pages = await this.each<Entries>(shards, ({ inbox }) =>
      plain('XRANGE', inbox, `${after + 1}-0`, '+', 'COUNT', limit),
    )
    const items = pages.flatMap((page, index) => page.map((entry) => itemOf(shards[index] as ShardId, entry)))
    if (shards.length > 1) items.sort((one, other) => one.position - other.position)
    return items.slice(0, limit)
  }

  async inboxOf({ entity, shard }: LogicalPartition, after: number, limit: number): Promise<readonly InboxItem[]> {
    const items: InboxItem[] = []
    let from = String(after)
    while (items.length < limit) {
      const [answer] = await this.each<readonly [string, readonly string[]]>([shard], ({ inbox }) =>
        scripted(inboxOf, [inbox], entity, from, limit - items.length),
      )
      const [next, found] = answer ?? ['end', []]
      for (let at = 0; at < found.length; at += 3) {
        const [position, id, body] = found.slice(at, at + 3) as [string, MessageId, string]
        items.push({ id, to: entity, shard, body, position: Number(position) })
      }
      if (next === 'end') break
      from = next
    }
    return items
  }

  async due(shards: readonly ShardId[], until: number, limit: number): Promise<readonly Due[]> {
    const pages = await this.each<readonly string[]>(shards, ({ wake }) =>
      scripted(due, [wake], '-inf', score(until), limit),
    )
    return pages
      .flatMap(duesOf)
      .sort((one, other) => one.wakeAt - other.wakeAt)
      .slice(0, limit)
  }

  async nextDue(shards: readonly ShardId[], after: number): Promise<number | undefined> {
    const pages = await this.each<readonly string[]>(shards, ({ wake }) =>
      scripted(due, [wake], `(${score(after)}`, '+inf', 1),
    )
    const next = Math.min(...pages.flatMap(duesOf).map(({ wakeAt }) => wakeAt))
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  async unsettled(
    shards: readonly ShardId[],
    after: EntityId | undefined,
    limit: number,
  ): Promise<readonly EntityId[]> {
    const pages = await this.each<readonly EntityId[]>(shards, ({ unsettled }) => page(unsettled, after, limit))
    return pages.flat().sort().slice(0, limit)
  }

  async keys(keys: readonly KeyPlace[]): Promise<readonly KeyState[]> {
    const byShard = [...Map.groupBy(keys.entries(), ([, { shard }]) => shard)]
    const answers = await this.each<readonly [string, ...(readonly string[])[]]>(
      byShard.map(([shard]) => shard),
      ({ record, keys }, index) => {
        return scripted(knownKeys, [record, keys], ...(byShard[index]?.[1] ?? []).map(([, { key }]) => key))
      },
    )
    const states: KeyState[] = []
    for (const [line, [, asked]] of byShard.entries()) {
      const [purged = '0', ...rows] = answers[line] ?? []
      for (const [index, [at, { key }]] of asked.entries())
        states[at] = keyState(key, Number(purged), rows[index] ?? [])
    }
    return states
  }

  async deadLetters(after: MessageId | undefined, limit: number): Promise<readonly DeadLetter[]> {
    const pages = await this.each<readonly MessageId[]>(this.all, ({ deadIds }) => page(deadIds, after, limit))
    const ids = pages
      .flatMap((some, shard) => some.map((id) => ({ id, shard })))
      .sort((one, other) => (one.id < other.id ? -1 : 1))
      .slice(0, limit)
    const found = await this.#letters(ids)
    return ids.flatMap(({ id }) => found.get(id) ?? [])
  }

  async deadLetter(id: MessageId): Promise<DeadLetter | undefined> {
    return (await this.#letters(this.all.map((shard) => ({ id, shard })))).get(id)
  }

  get all(): readonly ShardId[] {
    return this.#ground.names.shards.map(({ shard }) => shard)
  }

  /** One command to each of these shards. */
  async each<T>(
    shards: readonly ShardId[],
    command: (names: ShardNames, index: number) => Command,
  ): Promise<readonly T[]> {
    const answers = await this.commands<T>(shards, (names, index) => [command(names, index)])
    return answers.map(([answer]) => answer as T)
  }

  /** Commands to each of these shards. */
  async commands<T>(
    shards: readonly ShardId[],
    commands: (names: ShardNames, index: number) => readonly Command[],
  ): Promise<readonly (readonly T[])[]> {
    if (shards.length === 0) return []
    const { names, courier } = this.#ground
    const lines = shards.map((shard, index): Line => {
      const at = names.shard(shard)
      return { slot: at.slot, commands: commands(at, index) }
    })
    return (await courier.send(lines, { writes: false })).answers as readonly (readonly T[])[]
  }

  async #letters(
    places: readonly { readonly id: MessageId; readonly shard: ShardId }[],
  ): Promise<ReadonlyMap<MessageId, DeadLetter>> {
    const byShard = [...Map.groupBy(places, ({ shard }) => shard)]
    const pages = await this.each<readonly (readonly string[])[]>(
      byShard.map(([shard]) => shard),
      ({ dead }, index) => scripted(deadLetters, [dead], ...(byShard[index]?.[1] ?? []).map(({ id }) => id)),
    )
    const found = new Map<MessageId, DeadLetter>()
    for (const [line, [shard, asked]] of byShard.entries()) {
      for (const [index, { id }] of asked.entries()) {
        const [to, body, reason] = pages[line]?.[index] ?? []
        if (to === undefined || body === undefined || reason === undefined) continue
        found.set(id, { id, to: to as EntityId, shard, body, reason })
      }
    }
    return found
  }
}

export function plain(run: string, key: string, ...args: readonly (string | number)[]): Command {
  return { run, keys: [key], args }
}

export function scripted(run: Script, keys: readonly string[], ...args: readonly (string | number)[]): Command {
  return { run, keys, args }
}

/** Members of a sorted set in which all scores are equal, by name, after a name. */
function page(key: string, after: string | undefined, limit: number): Command {
  return plain('ZRANGEBYLEX', key, after === undefined ? '-' : `(${after}`, '+', 'LIMIT', 0, limit)
}

function itemOf(shard: ShardId, [name, [, id, , to, , body]]: Entries[number]): InboxItem {
  const position = Number(name.slice(0, name.indexOf('-')))
  return { id: id as MessageId, to: to as EntityId, shard, body: body ?? '', position }
}

function duesOf(page: readonly string[]): readonly Due[] {
  const found: Due[] = []
  for (let at = 0; at < page.length; at += 2) found.push({ entity: page[at] as EntityId, wakeAt: Number(page[at + 1]) })
  return found
}

/** A time as Redis reads it. */
function score(at: number): string {
  return Number.isFinite(at) ? String(at) : at > 0 ? '+inf' : '-inf'
}

function keyState(key: IdempotencyKey, purged: number, row: readonly string[]): KeyState {
  if (timeOfKey(key) < purged) return { state: 'purged' }
  const [message, fingerprint, reply] = row
  if (message === undefined || fingerprint === undefined) return { state: 'new' }
  return { state: 'known', message: message as MessageId, fingerprint, reply }
}
