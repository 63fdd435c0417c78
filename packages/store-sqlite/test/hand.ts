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

const owner = 'host-a' as HostId
let drawn = 0

function tag(): string {
  drawn += 1
  return `tag-${drawn}`
}

export function order(name: string | number): EntityId {
  return entityId('order', `${name}`)
}

/** Takes all shards. */
export async function leasesOf(store: StoreDriver): Promise<readonly Lease[]> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard)
  return (await store.acquire(owner, shards)).leases
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

export function message(name: string | number, to: EntityId, body = '{}'): StoredMessage {
  return { id: `message-${name}` as MessageId, to, shard: shardOf(to, 64), body }
}

/** A group; its messages come from somebody who owns nothing. */
export function group({
  accepted = [],
  ...parts
}: Partial<Omit<Group, 'accepted'>> & { readonly accepted?: readonly StoredMessage[] }): Group {
  const messages = accepted.map((each) => ({ ...each, lease: undefined }))
  return { owner, tag: tag(), accepted: messages, registrations: [], commits: [], mode: 'each', ...parts }
}

/** The code that something was refused with. */
export async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
    return 'not refused'
  } catch (error) {
    return error instanceof InterstateError ? error.code : String(error)
  }
}
