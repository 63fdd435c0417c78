// logs.ts: histories written by hand, an event a line.
import {
  type AcceptedMessage,
  type Commit,
  type CommitResult,
  chainAfter,
  type EntityId,
  emptyChain,
  entityId,
  type Group,
  type HostId,
  idempotencyKey,
  type LaneMessage,
  type Lease,
  type MessageId,
  type StoredMessage,
} from '@interstate/core'
import type { Happened, HistoryEvent } from '../src/stores.ts'

export const [a, b, c] = [entityId('order', 'a'), entityId('order', 'b'), entityId('order', 'c')]
export const host = 'host-1' as HostId
export const aKey = idempotencyKey('of a client', { at: 5_000 })
export const id = (name: string): MessageId => name as MessageId
const shard = 7
/** Where c is, if lanes lead there. */
export const elsewhere = 9

/** Events that happen one after the other, a second each. */
export function happened(...events: readonly HistoryEvent[]): readonly Happened[] {
  return events.map((event, index) => ({ ...event, at: (index + 1) * 1_000 }))
}

export function message(name: string, to: EntityId, body = `"${name}"`): StoredMessage {
  return { id: id(name), to, shard, body }
}

/** A message that comes in, under the epoch of a host that was given one. */
export function incoming(name: string, to: EntityId, epoch?: number): AcceptedMessage {
  return { ...message(name, to), lease: epoch === undefined ? undefined : { shard, epoch, owner: host } }
}

export function acquired(epoch: number, owner: HostId = host): HistoryEvent {
  const leases: Lease[] = [{ shard, epoch, owner }]
  return { event: 'acquired', owner, acquired: { leases, crashes: 0 } }
}

/** A commit of a version that follows the one before. */
export function commit(entity: EntityId, expectedVersion: number, parts: Partial<Commit> = {}): Commit {
  return {
    lease: { shard, epoch: 1, owner: host },
    entity,
    expectedVersion,
    tag: `${entity} after ${expectedVersion} ${Object.keys(parts)}`,
    snapshot: undefined,
    trouble: undefined,
    wakeAt: undefined,
    unsettled: false,
    consumed: [],
    outbox: [],
    deadLetters: [],
    replies: [],
    ...parts,
  }
}

/** A group whose commits all stand, unless told otherwise. */
export function written(parts: Partial<Group>, results?: readonly CommitResult[], taken: Taken = []): HistoryEvent {
  const commits = parts.commits ?? []
  const tag = JSON.stringify(parts)
  const group: Group = { owner: host, tag, accepted: [], registrations: [], commits, mode: 'each', ...parts }
  const stands = commits.map(
    ({ expectedVersion }): CommitResult => ({ outcome: 'committed', version: expectedVersion + 1 }),
  )
  return { event: 'written', group, result: { taken, fenced: [], results: results ?? stands } }
}
type Taken = Extract<HistoryEvent, { event: 'written' }>['result']['taken']

export function accepted(...messages: readonly StoredMessage[]): HistoryEvent {
  return written({ accepted: messages.map((each) => ({ lease: undefined, ...each })) })
}

export function committed(...commits: readonly Commit[]): HistoryEvent {
  return written({ commits })
}

/** What waits, read. */
export function inbox(...names: readonly (readonly [string, EntityId])[]): HistoryEvent {
  const items = names.map(([name, to], index) => ({ ...message(name, to), position: index + 1 }))
  return { event: 'inbox', of: [shard], after: 0, limit: 100, items }
}

/** A host tells of a turn. */
export function turn(
  entity: EntityId,
  name: string,
  parts: { readonly causationId?: string; readonly outcome?: string; readonly kind?: string } = {},
): HistoryEvent {
  const signal = {
    signal: 'turn',
    entity,
    message: name,
    kind: 'command',
    type: 'Do',
    outcome: 'handled',
    before: undefined,
    after: undefined,
    timers: { armed: [], fired: [], cancelled: [] },
    correlationId: name,
    causationId: name,
    ...parts,
  }
  return { event: 'told', host: 'host', signal: signal as never }
}

/** A snapshot as stored, as far as a judge reads it. */
export function snapshot(
  sequence: number,
  parts: {
    readonly timers?: Readonly<Record<string, { generation: number; due: number; send?: { readonly id: string } }>>
    readonly running?: Readonly<Record<string, { readonly key: string }>>
  } = {},
): string {
  return `i1:00000000:${JSON.stringify({ sequence, ...parts })}`
}

/** A host has shards of a store in which lanes lead from shard to shard. */
export function acquiredByShards(epoch = 1, owner: HostId = host): HistoryEvent {
  const leases: Lease[] = [shard, elsewhere].map((each) => ({ shard: each, epoch, owner }))
  return { event: 'acquired', owner, acquired: { leases, crashes: 0 }, scope: 'shard' }
}

/** Messages to c, as they stand in the lane that leads there. */
export function lane(...names: readonly string[]): readonly LaneMessage[] {
  let chain = emptyChain
  return names.map((name, index) => {
    chain = chainAfter(chain, id(name))
    return { ...message(name, c), shard: elsewhere, number: index + 1, chain }
  })
}

/** What was handed over to the shard of c is new there, unless told otherwise. */
export function delivered(
  messages: readonly LaneMessage[],
  parts: { readonly mark?: number; readonly accepted?: readonly LaneMessage[] } = {},
): HistoryEvent {
  const { mark = messages.at(-1)?.number ?? 0, accepted: fresh = messages } = parts
  const rows = fresh.map(({ number, chain: _, ...stored }) => ({ ...stored, position: number }))
  return {
    event: 'delivered',
    consignments: [{ from: shard, to: elsewhere, messages }],
    deliveries: [{ outcome: 'delivered', mark, accepted: rows }],
  }
}

export function trimmed(number: number): HistoryEvent {
  return { event: 'trimmed', ends: [{ from: shard, to: elsewhere, number }] }
}

/** The lane to the shard of c, read. */
export function departures(...messages: readonly LaneMessage[]): HistoryEvent {
  const found = messages.length === 0 ? [] : [{ from: shard, to: elsewhere, messages }]
  return { event: 'departures', shards: [shard], limit: 100, found }
}

/** The inbox of the shard of c, read. */
export function inboxElsewhere(...messages: readonly LaneMessage[]): HistoryEvent {
  const items = messages.map(({ number, chain: _, ...stored }) => ({ ...stored, position: number }))
  return { event: 'inbox', of: [elsewhere], after: 0, limit: 100, items }
}
