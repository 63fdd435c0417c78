// memory-store.ts: the shortest complete store driver. Read it before you write another.
//   M1  Nothing awaits between the first check of a write and its last change, so no other write sees half of it.
//   M2  A commit is checked as a whole before any of it is written: one that fails leaves nothing behind (G3, G13).
//   M3  A message that was sent and one that waits are the same row: there is nothing to deliver (G2).
//   M4  Only what waits can be consumed, so nothing is kept of what was handled, and still nothing is handled twice (G1, G7, G17).
import {
  type Acquired,
  type Commit,
  type CommitResult,
  type DeadLetter,
  type EntityId,
  type Group,
  type GroupResult,
  type HostId,
  type InboxItem,
  InterstateError,
  type KeyPlace,
  type KeyState,
  type Lease,
  type LogicalPartition,
  type MessageId,
  type Placed,
  type Probe,
  type Registration,
  type ShardId,
  type StoreDriver,
  type StoredEntity,
  type StoredMessage,
  type StoreLimits,
} from '@interstate/core'
import { MemoryCluster } from './cluster.ts'
import { type Due, Entities } from './entities.ts'
import { Inbox } from './inbox.ts'
import { Journal, Table } from './journal.ts'
import { Keys } from './keys.ts'
import { MemoryLanes } from './lanes.ts'
import { Ownership } from './ownership.ts'

/** What {@link memoryStore} takes. */
export interface MemoryStoreOptions {
  /** P: how many shards the entities are spread over. 64 by default. */
  readonly shards?: number
  /**
   * What one atomic operation covers. `store` by default. With `shard` messages between shards go along lanes, as they
   * do on a cluster of servers, and several hosts may share the shards.
   */
  readonly scope?: 'store' | 'shard'
}

/** A group and how its parts ended. */
interface Attempt {
  readonly tag: string
  readonly results: ReadonlyMap<number, GroupResult>
}

/** See the file head. The protected methods are its steps: a test breaks one and sees whether the contract suite notices. */
export class MemoryStore implements StoreDriver {
  readonly name = 'memory'
  readonly scope: 'store' | 'shard'
  readonly shards: number
  readonly limits: StoreLimits = { maxSnapshotBytes: 16 << 20, maxMessageBytes: 4 << 20, maxOutbox: 10_000 }

  protected readonly journal: Journal = new Journal()
  protected readonly entities: Entities = new Entities(this.journal)
  protected readonly waiting: Inbox
  protected readonly known: Keys
  protected readonly ownership: Ownership = new Ownership(this.journal)
  readonly #dead = new Table<MessageId, DeadLetter>(this.journal)
  readonly #latest = new Table<HostId, Attempt>(this.journal)

  readonly lanes?: MemoryLanes
  readonly cluster?: MemoryCluster

  constructor({ shards = 64, scope = 'store' }: MemoryStoreOptions = {}) {
    this.shards = shards
    this.scope = scope
    this.waiting = new Inbox(this.journal, scope)
    this.known = new Keys(this.journal, scope)
    if (scope === 'store') return
    this.lanes = this.makeLanes()
    this.cluster = this.makeCluster()
  }

  async probe(): Promise<readonly Probe[]> {
    return [{ name: 'memory', passed: true, finding: 'Everything is in this process and ends with it.' }]
  }

  async acquire(owner: HostId, shards: readonly ShardId[], handover: readonly ShardId[] = []): Promise<Acquired> {
    return this.ownership.acquire(owner, shards, handover)
  }

  async survived(owner: HostId): Promise<void> {
    this.ownership.survived(owner)
  }

  async release(leases: readonly Lease[]): Promise<void> {
    this.ownership.release(leases)
  }

  async write(group: Group): Promise<GroupResult> {
    const { owner, tag, part = 0 } = group
    const latest = this.#latest.get(owner)
    const before = latest?.tag === tag ? latest.results : new Map<number, GroupResult>()
    const known = before.get(part)
    if (known !== undefined) return again(known)
    if (group.mode === 'together' && this.scope !== 'store') {
      throw new InterstateError('STORE_FAILED', 'A group of several shards is not one write here.', {
        mode: group.mode,
      })
    }
    this.journal.keep()
    const result = group.mode === 'together' ? this.#together(group) : this.#each(group)
    this.#latest.set(owner, { tag, results: new Map(before).set(part, result) })
    return result
  }

  async load(partitions: readonly LogicalPartition[]): Promise<readonly (StoredEntity | undefined)[]> {
    return partitions.map(({ entity }) => this.entities.get(entity))
  }

  async inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.waiting.ofShards(shards, after, limit)
  }

  async inboxOf({ entity }: LogicalPartition, after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.waiting.ofEntity(entity, after, limit)
  }

  async due(shards: readonly ShardId[], until: number, limit: number): Promise<readonly Due[]> {
    return this.entities.due(shards, until, limit)
  }

  async nextDue(shards: readonly ShardId[], after: number): Promise<number | undefined> {
    return this.entities.nextDue(shards, after)
  }

  async unsettled(
    shards: readonly ShardId[],
    after: EntityId | undefined,
    limit: number,
  ): Promise<readonly EntityId[]> {
    return this.entities.unsettled(shards, after, limit)
  }

  async keys(keys: readonly KeyPlace[]): Promise<readonly KeyState[]> {
    return keys.map((place) => this.known.state(place))
  }

  async purge(before: number): Promise<number> {
    return this.known.purge(before)
  }

  async deadLetters(after: MessageId | undefined, limit: number): Promise<readonly DeadLetter[]> {
    return this.#dead
      .entries()
      .map(([, letter]) => letter)
      .filter(({ id }) => after === undefined || id > after)
      .sort((one, other) => (one.id < other.id ? -1 : 1))
      .slice(0, limit)
  }

  async deadLetter(id: MessageId): Promise<DeadLetter | undefined> {
    return this.#dead.get(id)
  }

  async requeue(id: MessageId): Promise<InboxItem | undefined> {
    const letter = this.#dead.get(id)
    if (letter === undefined) return undefined
    this.#dead.delete(id)
    return this.waiting.add(letter)
  }

  async close(): Promise<void> {}

  /** The steps of one commit: three checks, then the writing. */
  protected commit(commit: Commit): CommitResult {
    return (
      this.applied(commit) ??
      this.fenced(commit) ??
      this.conflict(commit) ??
      this.duplicate(commit) ??
      this.apply(commit)
    )
  }

  /** The same attempt again. It comes before the fence: what was written stays written, whoever owns the shard now. */
  protected applied({ entity, tag }: Commit): CommitResult | undefined {
    const stored = this.entities.get(entity)
    return stored?.tag === tag ? { outcome: 'already applied', version: stored.version } : undefined
  }

  protected fenced({ lease }: Commit): CommitResult | undefined {
    const epoch = this.ownership.epoch(lease.shard)
    if (epoch < lease.epoch) return { outcome: 'lost', finding: `shard ${lease.shard} is at epoch ${epoch}` }
    return epoch === lease.epoch ? undefined : { outcome: 'fenced', epoch }
  }

  protected conflict({ entity, expectedVersion }: Commit): CommitResult | undefined {
    const version = this.entities.get(entity)?.version ?? 0
    return version === expectedVersion ? undefined : { outcome: 'conflict', version }
  }

  protected duplicate({ entity, consumed }: Commit): CommitResult | undefined {
    const message = consumed.find((id, index) => !this.waiting.has(id, entity) || consumed.indexOf(id) < index)
    return message === undefined ? undefined : { outcome: 'duplicate', message }
  }

  protected apply(commit: Commit): CommitResult {
    const version = this.entities.replace(commit)
    for (const id of commit.consumed) this.waiting.remove(id)
    const placed = commit.outbox.map((message) => this.place(message, commit.lease.shard))
    for (const letter of commit.deadLetters) this.#dead.set(letter.id, letter)
    for (const { key, reply } of commit.replies) this.known.reply({ key, shard: commit.lease.shard }, reply)
    return this.scope === 'store' ? { outcome: 'committed', version } : { outcome: 'committed', version, placed }
  }

  /** Puts a message where it belongs: into the inbox, or into the lane to the shard whose inbox that is. */
  protected place(message: StoredMessage, from: ShardId): Placed {
    const { lanes } = this
    if (lanes !== undefined && message.shard !== from) return lanes.send(message, from)
    return { position: this.waiting.add(message).position }
  }

  protected makeLanes(): MemoryLanes {
    return new MemoryLanes(this.journal, this.waiting)
  }

  protected makeCluster(): MemoryCluster {
    return new MemoryCluster(this.ownership)
  }

  /** Undoes a group of mode `together`. */
  protected takeBack(): void {
    this.journal.takeBack()
  }

  /** Accepted messages whose lease has passed on, and what shares a registration with one: an event goes to all or none. */
  protected late({ accepted, registrations }: Group): ReadonlySet<MessageId> {
    const late = new Set<MessageId>()
    for (const { id, lease } of accepted) {
      if (lease !== undefined && this.ownership.epoch(lease.shard) !== lease.epoch) late.add(id)
    }
    for (const { message, others = [] } of registrations) {
      const call = [message, ...others]
      if (call.some((id) => late.has(id))) for (const id of call) late.add(id)
    }
    return late
  }

  #each(group: Group): GroupResult {
    const late = this.late(group)
    const taken = this.#register(group.registrations.filter(({ message }) => !late.has(message)))
    const refused = new Set(taken.flatMap(({ message, others = [] }) => [message, ...others]))
    const placed = group.accepted.map((message) => {
      if (late.has(message.id) || refused.has(message.id)) return undefined
      return this.place(message, message.entry ?? message.shard)
    })
    return {
      ...(this.scope === 'store' ? {} : { placed }),
      taken: taken.map(({ key }) => key),
      fenced: idsOf(group).filter((id) => late.has(id)),
      results: group.commits.map((commit) => this.commit(commit)),
    }
  }

  #together(group: Group): GroupResult {
    const late = this.late(group)
    const fenced = idsOf(group).filter((id) => late.has(id))
    if (fenced.length > 0) return { taken: [], fenced, results: group.commits.map(() => ({ outcome: 'rolled back' })) }
    const taken = this.#register(group.registrations).map(({ key }) => key)
    for (const message of group.accepted) this.waiting.add(message)
    const results: CommitResult[] = []
    let whole = taken.length === 0
    for (const commit of group.commits) {
      // After a failure the rest is left alone: it may have built on what failed.
      const result: CommitResult = whole ? this.commit(commit) : { outcome: 'rolled back' }
      whole &&= result.outcome === 'committed' || result.outcome === 'already applied'
      results.push(result)
    }
    if (whole) return { taken, fenced, results }
    this.takeBack()
    return { taken, fenced, results: results.map(rolledBack) }
  }

  /** Gives those that could not be registered. */
  #register(registrations: readonly Registration[]): readonly Registration[] {
    return registrations.filter((registration) => !this.known.register(registration))
  }
}

function idsOf({ accepted }: Group): readonly MessageId[] {
  return accepted.map(({ id }) => id)
}

/** What is said of a commit whose group failed: it is innocent, or it is why. */
function rolledBack(result: CommitResult): CommitResult {
  return result.outcome === 'committed' || result.outcome === 'already applied' ? { outcome: 'rolled back' } : result
}

/** What is said of a group that was written before. */
function again({ results, ...refused }: GroupResult): GroupResult {
  return {
    ...refused,
    results: results.map((result) =>
      result.outcome === 'committed' ? { outcome: 'already applied', version: result.version } : result,
    ),
  }
}
