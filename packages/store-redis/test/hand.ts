// hand.ts: what the tests of this store write, in few words.
import {
  type Commit,
  type EntityId,
  entityId,
  type Group,
  type HostId,
  InterstateError,
  type Lease,
  type MessageId,
  type StoreDriver,
  type StoredMessage,
  shardOf,
} from '@interstate/core'

export const owner = 'host-a' as HostId
let drawn = 0

export function tag(): string {
  drawn += 1
  return `tag-${drawn}`
}

export function order(name: string | number): EntityId {
  return entityId('order', `${name}`)
}

/** An entity of a shard. */
export function entityIn(store: StoreDriver, shard: number): EntityId {
  return entitiesIn(store, shard, 1)[0] as EntityId
}

/** So many entities of a shard. */
export function entitiesIn(store: StoreDriver, shard: number, count: number): readonly EntityId[] {
  const found: EntityId[] = []
  for (let name = 0; found.length < count; name += 1) {
    if (shardOf(order(name), store.shards) === shard) found.push(order(name))
  }
  return found
}

/** Takes all shards. */
export async function leasesOf(store: StoreDriver, by = owner): Promise<readonly Lease[]> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard)
  return (await store.acquire(by, shards)).leases
}

export function commit(leases: readonly Lease[], entity: EntityId, parts: Partial<Commit> = {}): Commit {
  const lease = leases[shardOf(entity, leases.length)]
  if (lease === undefined) throw new Error('no lease')
  return {
    lease,
    entity,
    expectedVersion: 0,
    tag: tag(),
    snapshot: '{}',
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

export function message(store: StoreDriver, name: string | number, to: EntityId, body = '{}'): StoredMessage {
  return { id: `message-${name}` as MessageId, to, shard: shardOf(to, store.shards), body }
}

/** A group; its messages come from somebody who owns nothing. */
export function group({
  accepted = [],
  ...parts
}: Partial<Omit<Group, 'accepted'>> & { readonly accepted?: readonly StoredMessage[] }): Group {
  const messages = accepted.map((each) => ({ ...each, lease: undefined }))
  return { owner, tag: tag(), accepted: messages, registrations: [], commits: [], mode: 'each', ...parts }
}

/** The error that something was refused with. */
export async function failure(attempt: Promise<unknown>): Promise<InterstateError> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof InterstateError) return error
    throw error
  }
  throw new Error('not refused')
}

/** The code that something was refused with. */
export async function refusal(attempt: Promise<unknown>): Promise<string> {
  return (await failure(attempt)).code
}
