// ports/store.ts: what a database must do to host entities. Text in, text out: a driver holds no policy.
import type { EntityId, HostId, MessageId } from '../address.ts'
import type { IdempotencyKey } from '../idempotency.ts'
import type { LogicalPartition, ShardId } from '../routing.ts'
import type { Cluster, Halt } from './cluster.ts'
import type { Lanes, Placed } from './lanes.ts'

/** What one atomic operation of a store can cover: the whole store, one shard, one entity. */
export type Scope = 'store' | 'shard' | 'entity'

/** The right to run a shard. A newer epoch fences an older one: what it commits, and what it accepts (G5). */
export interface Lease {
  readonly shard: ShardId
  readonly epoch: number
  readonly owner: HostId
}

/** What a store can hold. A step that would exceed it is refused before it writes. */
export interface StoreLimits {
  readonly maxSnapshotBytes: number
  readonly maxMessageBytes: number
  /** Messages that one turn may send. */
  readonly maxOutbox: number
}

/** A message at rest: opaque text and what a store needs to route and order it. */
export interface StoredMessage {
  readonly id: MessageId
  readonly to: EntityId
  readonly shard: ShardId
  /** The encoded envelope. */
  readonly body: string
}

/** A message that enters from outside, and the right by which it does. */
export interface AcceptedMessage extends StoredMessage {
  /**
   * The shard by which it enters, `shard` when left out. By another it goes on along a lane: so an event for several
   * followers enters all at once. Scope `shard` only.
   */
  readonly entry?: ShardId | undefined
  /**
   * The lease of the shard by which it enters, as its host knows it: its own, or that of the host which runs it. It is
   * fenced with it (G5). `undefined` for a message that is not fenced, for whoever runs the shard.
   */
  readonly lease: Lease | undefined
}

/** A message in an inbox. Positions of one entity's inbox grow in the order of handling (G6). */
export interface InboxItem extends StoredMessage {
  readonly position: number
}

/** A client's idempotency key and what it stands for (G10). */
export interface Registration {
  readonly key: IdempotencyKey
  /** The shard by which the call enters: its key is known there and nowhere else, but where the scope is the store. */
  readonly shard: ShardId
  /** From the key: milliseconds since 1970. */
  readonly at: number
  readonly message: MessageId
  /** Further messages of the same call: an event has one for each follower. Not kept. */
  readonly others?: readonly MessageId[]
  /** Hash of address and payload: the same key with another payload is refused. */
  readonly fingerprint: string
}

/** Where to look for an idempotency key. */
export type KeyPlace = Pick<Registration, 'key' | 'shard'>

/** What is known of an idempotency key. */
export type KeyState =
  | { readonly state: 'new' }
  | {
      readonly state: 'known'
      readonly message: MessageId
      readonly fingerprint: string
      readonly reply: string | undefined
    }
  | { readonly state: 'purged' }

/** A message given up and kept for a person. */
export interface DeadLetter extends StoredMessage {
  /** Why, as JSON: error code, text, attempts, time. */
  readonly reason: string
}

/** Everything that a turn, or several of one entity, changes. A store writes all of it or none of it (G3). */
export interface Commit {
  readonly lease: Lease
  readonly entity: EntityId
  /** 0 for an entity that isn't stored. Any other than the stored version is a conflict (G4). */
  readonly expectedVersion: number
  /** Random per attempt: the same attempt again answers `already applied`. */
  readonly tag: string
  /** The new snapshot, `undefined` to leave an entity without one. */
  readonly snapshot: string | undefined
  /** The head message's attempts and the parking mark, as JSON; `undefined` for none. */
  readonly trouble: string | undefined
  /** When the entity wants a turn without a message: its first timer, in milliseconds since 1970. */
  readonly wakeAt: number | undefined
  /** Whether it must be looked at when a host takes over: effects run, or it is in trouble. */
  readonly unsettled: boolean
  /** Items of the entity's own inbox that this commit handles. One that isn't there makes the commit a `duplicate` (G1). */
  readonly consumed: readonly MessageId[]
  /** Messages that leave with this commit. */
  readonly outbox: readonly StoredMessage[]
  readonly deadLetters: readonly DeadLetter[]
  /** Replies to clients by idempotency key. The first reply to a key stands. */
  readonly replies: readonly { readonly key: IdempotencyKey; readonly reply: string }[]
}

/**
 * How a commit ended: a value, not an exception. The tag is looked at before the fence: an attempt that was written
 * answers `already applied` even where its shard has passed on since.
 */
export type CommitResult =
  | {
      readonly outcome: 'committed'
      readonly version: number
      /** Where its outbox stands, message by message. Scope `shard` only. */
      readonly placed?: readonly Placed[]
    }
  | { readonly outcome: 'already applied'; readonly version: number }
  /** Somebody else committed first. */
  | { readonly outcome: 'conflict'; readonly version: number }
  /** A consumed message is no longer in the inbox: it had its effect. */
  | { readonly outcome: 'duplicate'; readonly message: MessageId }
  /** The shard has a newer epoch. */
  | { readonly outcome: 'fenced'; readonly epoch: number }
  /** The shard has less than it acknowledged before: its store lost history (G15). Nothing was written. */
  | { readonly outcome: 'lost'; readonly finding: string }
  /** Written in one group with a commit that failed. Nothing is known against it. */
  | { readonly outcome: 'rolled back' }

/** What is written at once. */
export interface Group {
  readonly owner: HostId
  /**
   * Random per attempt. A store remembers the latest of each owner, refusals included: that group again changes nothing.
   * An owner starts no further group before it knows how the last one ended.
   */
  readonly tag: string
  /**
   * Which part of the group this is, 0 when left out. Scope `shard` only: a group may be handed over in parts that are
   * written side by side, none of which touches an entity of another; one of them holds all of `accepted` and
   * `registrations`. Each is remembered as the others are, and is written again by itself.
   */
  readonly part?: number
  /**
   * Messages that enter from outside and wait. One whose id waits already is kept once. One whose lease is not of the
   * shard's present epoch is refused: the owner would never look for it (G16).
   */
  readonly accepted: readonly AcceptedMessage[]
  /** Keys of messages that enter from outside, whether they wait or are handled in this very group. */
  readonly registrations: readonly Registration[]
  readonly commits: readonly Commit[]
  /**
   * `each`: commits stand alone; one that fails touches no other (G13).
   * `together`: all or none, store scope only. What one commit sent and another consumed inside the group was never
   * written and is in neither `outbox` nor `consumed`.
   */
  readonly mode: 'each' | 'together'
}

/**
 * One result for each commit of a group, in its order. Of a group written `together` that failed, the first commit at
 * fault has its own outcome and the others are `rolled back`.
 */
export interface GroupResult {
  /**
   * Keys that were taken, or purged, between the look and the write. In mode `together` they roll everything back; in
   * mode `each` the messages of their registrations are not accepted.
   */
  readonly taken: readonly IdempotencyKey[]
  /**
   * Accepted messages that were refused because their shard has a newer epoch, in the order of the group. In mode
   * `together` they roll everything back. In mode `each` they and their registrations are left out; a registration
   * stands or falls with all of its messages. They are looked at before the keys.
   */
  readonly fenced: readonly MessageId[]
  /**
   * Shards that have less than they acknowledged before (G15): nothing was written to them. What they did not accept is
   * in `fenced`, their commits are `lost`.
   */
  readonly lost?: readonly Halt[]
  /** Where the accepted messages stand, in the order of the group; `undefined` for one that was refused. Scope `shard` only. */
  readonly placed?: readonly (Placed | undefined)[]
  readonly results: readonly CommitResult[]
}

/** An entity as stored. */
export interface StoredEntity {
  readonly entity: EntityId
  readonly version: number
  readonly tag: string
  readonly snapshot: string | undefined
  readonly trouble: string | undefined
  readonly wakeAt: number | undefined
}

/** A named test that a store must pass before it is used (G18). */
export interface Probe {
  readonly name: string
  readonly passed: boolean
  /** What was found, and how to mend it. */
  readonly finding: string
}

/** What {@link StoreDriver.acquire} gives. */
export interface Acquired {
  readonly leases: readonly Lease[]
  /**
   * Owners of these shards in a row that ended without {@link StoreDriver.release}: a message may be killing hosts. The
   * largest count among the shards.
   */
  readonly crashes: number
}

/**
 * What a database must do to host entities. All methods reject with `STORE_FAILED`, `STORE_FULL` or `STORE_FENCED` when
 * the database does; a call that rejected with one of the first two has changed nothing.
 */
export interface StoreDriver {
  readonly name: string
  readonly scope: Scope
  /** P: fixed when the store is created. */
  readonly shards: number
  readonly limits: StoreLimits
  /** Carries messages between shards. Scope `shard` only: elsewhere a message that was sent waits already. */
  readonly lanes?: Lanes | undefined
  /** What hosts that share the store know of each other. Without it one host runs all shards. */
  readonly cluster?: Cluster | undefined

  /** Opens the store and tests what it promises. */
  probe(): Promise<readonly Probe[]>
  /**
   * Takes shards under newer epochs.
   *
   * @param handover - Shards that a living host hands over: that it has not released them yet is no crash.
   */
  acquire(owner: HostId, shards: readonly ShardId[], handover?: readonly ShardId[]): Promise<Acquired>
  /** Says that the owner has outlived what may have killed the ones before it: `crashes` starts at 0 again. */
  survived(owner: HostId): Promise<void>
  /** Gives shards back in good order. */
  release(leases: readonly Lease[]): Promise<void>
  /** Writes a group. Nothing of it may leave before this resolves (G8). */
  write(group: Group): Promise<GroupResult>

  /** Entities in the order asked; `undefined` where nothing is stored. */
  load(partitions: readonly LogicalPartition[]): Promise<readonly (StoredEntity | undefined)[]>
  /** Waiting messages of the shards, oldest first, after a position. At scope `shard` positions are those of one shard. */
  inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]>
  /** Waiting messages of one entity, oldest first, after a position. */
  inboxOf(partition: LogicalPartition, after: number, limit: number): Promise<readonly InboxItem[]>
  /** Entities whose `wakeAt` is not after `until`, soonest first. */
  due(
    shards: readonly ShardId[],
    until: number,
    limit: number,
  ): Promise<readonly { readonly entity: EntityId; readonly wakeAt: number }[]>
  /** When the next entity wants to wake after `after`. */
  nextDue(shards: readonly ShardId[], after: number): Promise<number | undefined>
  /** Unsettled entities by name, after a name. */
  unsettled(shards: readonly ShardId[], after: EntityId | undefined, limit: number): Promise<readonly EntityId[]>

  /** What is known of these keys, in the order asked. */
  keys(keys: readonly KeyPlace[]): Promise<readonly KeyState[]>
  /** Moves the purge mark, never back, and forgets keys before it. Gives the number forgotten. */
  purge(before: number): Promise<number>

  /** Dead letters by id, after an id. */
  deadLetters(after: MessageId | undefined, limit: number): Promise<readonly DeadLetter[]>
  deadLetter(id: MessageId): Promise<DeadLetter | undefined>
  /** Moves a dead letter to the end of its entity's inbox, in one commit. `undefined` when there is none. */
  requeue(id: MessageId): Promise<InboxItem | undefined>

  close(): Promise<void>
}
