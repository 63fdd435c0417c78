// hand.ts: writes to a store as a host would, in as few words as a test can bear.
import {
  type AcceptedMessage,
  type Commit,
  type CommitResult,
  type EntityId,
  entityId,
  type Group,
  type GroupResult,
  type HostId,
  type IdempotencyKey,
  type InboxItem,
  idempotencyKey,
  type KeyPlace,
  type Lease,
  type MessageId,
  partitionOf,
  type Registration,
  type ShardId,
  type StoreDriver,
  type StoredMessage,
  shardOf,
} from '@interstate/core'

const all = 100_000

let drawn = 0

/** Different on every call, the same in every run. */
export function tag(): string {
  drawn += 1
  return `tag-${drawn}`
}

export function order(name: string | number): EntityId {
  return entityId('order', `${name}`)
}

export function messageId(name: string | number): MessageId {
  return `message-${name}` as MessageId
}

export function key(name: string, at = 1_000): IdempotencyKey {
  return idempotencyKey(name, { at })
}

/** Where to look for keys that entered by one shard. */
export function placesOf(keys: readonly IdempotencyKey[], shard: ShardId = 0): readonly KeyPlace[] {
  return keys.map((each) => ({ key: each, shard }))
}

/** An entity of a shard. */
export function entityIn({ shards }: Pick<StoreDriver, 'shards'>, shard: ShardId, name = 'in'): EntityId {
  for (let index = 0; ; index += 1) {
    const found = order(`${name}-${shard}-${index}`)
    if (shardOf(found, shards) === shard) return found
  }
}

/** Waiting messages of shards. At scope `shard` positions are of one shard: they come shard by shard. */
export async function inboxOver(store: StoreDriver, shards: readonly ShardId[]): Promise<readonly InboxItem[]> {
  if (store.scope === 'store') return store.inbox(shards, 0, all)
  return (await Promise.all(shards.map((shard) => store.inbox([shard], 0, all)))).flat()
}

/** The parts of a commit that a test cares about. */
export type Parts = Partial<Omit<Commit, 'entity' | 'lease'>>

/** A group as tests write it: what is accepted comes under the lease of the hand, unless it says another. */
export type GroupParts = Partial<Omit<Group, 'accepted'>> & {
  readonly accepted?: readonly (StoredMessage | AcceptedMessage)[]
}

/** See the file head. It holds the leases of one owner. */
export class Hand {
  readonly store: StoreDriver
  readonly owner: HostId
  readonly #leases: ReadonlyMap<number, Lease>

  /** Takes all shards. */
  static async over(store: StoreDriver, owner = 'host-a'): Promise<Hand> {
    const shards = Array.from({ length: store.shards }, (_, shard) => shard)
    const { leases } = await store.acquire(owner as HostId, shards)
    return new Hand(store, owner as HostId, leases)
  }

  constructor(store: StoreDriver, owner: HostId, leases: readonly Lease[]) {
    this.store = store
    this.owner = owner
    this.#leases = new Map(leases.map((lease) => [lease.shard, lease]))
  }

  get leases(): readonly Lease[] {
    return [...this.#leases.values()]
  }

  get shards(): readonly number[] {
    return [...this.#leases.keys()]
  }

  /** The same owner with the same leases at a store that was opened again. */
  at(store: StoreDriver): Hand {
    return new Hand(store, this.owner, this.leases)
  }

  shard(entity: EntityId): number {
    return shardOf(entity, this.store.shards)
  }

  /** The widest mode that the store knows. */
  get widest(): Group['mode'] {
    return this.store.scope === 'store' ? 'together' : 'each'
  }

  lease(entity: EntityId): Lease {
    return this.leaseOf(this.shard(entity))
  }

  leaseOf(shard: ShardId): Lease {
    return this.#leases.get(shard) ?? { shard, epoch: 0, owner: this.owner }
  }

  message(name: string | number, to: EntityId, body = `{"name":"${name}"}`): StoredMessage {
    return { id: messageId(name), to, shard: this.shard(to), body }
  }

  /** @param shard - By which the call enters. */
  registration(
    key: IdempotencyKey,
    message: MessageId,
    others: readonly MessageId[] = [],
    shard: ShardId = 0,
  ): Registration {
    return { key, shard, at: Number(key.split('~')[0]), message, others, fingerprint: `print of ${message}` }
  }

  /** A commit of a new entity with a snapshot, unless told otherwise. */
  commit(entity: EntityId, parts: Parts = {}): Commit {
    return {
      lease: this.lease(entity),
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

  group({ accepted = [], ...parts }: GroupParts): Group {
    return {
      owner: this.owner,
      tag: tag(),
      accepted: accepted.map((message) => ({ lease: this.leaseOf(entryOf(message)), ...message })),
      registrations: [],
      commits: [],
      mode: 'each',
      ...parts,
    }
  }

  write(parts: GroupParts): Promise<GroupResult> {
    return this.store.write(this.group(parts))
  }

  /** Writes commits that stand alone. */
  async each(...commits: readonly Commit[]): Promise<readonly CommitResult[]> {
    return (await this.write({ commits, mode: 'each' })).results
  }

  /** Writes commits, all or none. */
  async together(...commits: readonly Commit[]): Promise<readonly CommitResult[]> {
    return (await this.write({ commits, mode: 'together' })).results
  }

  /** Writes one commit. */
  async one(entity: EntityId, parts: Parts = {}): Promise<CommitResult> {
    const [result] = await this.each(this.commit(entity, parts))
    return result as CommitResult
  }

  /** Lets messages of these names in. */
  async accept(to: EntityId, ...names: readonly (string | number)[]): Promise<readonly MessageId[]> {
    await this.write({ accepted: names.map((name) => this.message(name, to)) })
    return names.map(messageId)
  }

  /** The names of what waits for an entity, in order. */
  async waiting(entity: EntityId): Promise<readonly MessageId[]> {
    return (await this.store.inboxOf(partitionOf(entity, this.store.shards), 0, 10_000)).map(({ id }) => id)
  }
}

function entryOf(message: StoredMessage | AcceptedMessage): ShardId {
  return ('entry' in message ? message.entry : undefined) ?? message.shard
}
