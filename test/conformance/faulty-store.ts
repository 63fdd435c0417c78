// faulty-store.ts: a store with troubles on order. It keeps the promise of the port: a call that rejects has changed nothing.
import {
  type Acquired,
  type DeadLetter,
  type EntityId,
  type Group,
  type GroupResult,
  type HostId,
  type IdempotencyKey,
  type InboxItem,
  InterstateError,
  type KeyState,
  type Lease,
  type MessageId,
  type Probe,
  type Scope,
  type ShardId,
  type StoreDriver,
  type StoredEntity,
  type StoreLimits,
} from '@interstate/core'

/** Calls that can be made to fail. */
export type Call = Exclude<keyof StoreDriver, 'name' | 'scope' | 'shards' | 'limits' | 'close'>

/** What happens to a call before the store sees it; `undefined` lets it through. */
export type Fault = (call: Call) => Promise<void> | undefined

/** See the file head. */
export class FaultyStore implements StoreDriver {
  readonly inner: StoreDriver
  readonly limits: StoreLimits
  /** Groups that were written. */
  readonly groups: Group[] = []
  /** Calls that reached the store. */
  readonly calls = new Map<Call, number>()
  /** Decides over each call. */
  fault: Fault = () => undefined
  /** Is run right before a group is written: somebody else is faster. */
  beforeWrite: (group: Group, inner: StoreDriver) => Promise<void> | undefined = () => undefined
  /** Is run when a group is written and its answer is on the way. */
  afterWrite: (group: Group, result: GroupResult) => Promise<void> | undefined = () => undefined
  #killed = false

  constructor(inner: StoreDriver, limits: Partial<StoreLimits> = {}) {
    this.inner = inner
    this.limits = { ...inner.limits, ...limits }
  }

  get name(): string {
    return this.inner.name
  }

  get scope(): Scope {
    return this.inner.scope
  }

  get shards(): number {
    return this.inner.shards
  }

  /** Ends the process as far as the store can tell: whatever its host asks from now on is never heard, nor answered. */
  kill(): void {
    this.#killed = true
  }

  get killed(): boolean {
    return this.#killed
  }

  /** No more troubles from here on. */
  heal(): void {
    this.fault = () => undefined
    this.beforeWrite = () => undefined
    this.afterWrite = () => undefined
  }

  /** Makes the next calls of a kind fail. Gives a function that tells how many are left. */
  fail(call: Call, times: number, code: 'STORE_FAILED' | 'STORE_FULL' | 'STORE_FENCED' = 'STORE_FAILED'): () => number {
    const before = this.fault
    let left = times
    this.fault = (each) => {
      if (each !== call || left === 0) return before(each)
      left -= 1
      throw new InterstateError(code, `${call} fails on order.`)
    }
    return () => left
  }

  /** Holds the next write back until the function it gives is called. */
  holdWrite(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.beforeWrite
    this.beforeWrite = async (group, inner) => {
      this.beforeWrite = before
      await promise
      await before(group, inner)
    }
    return resolve
  }

  probe(): Promise<readonly Probe[]> {
    return this.#call('probe', () => this.inner.probe())
  }

  acquire(owner: HostId, shards: readonly ShardId[]): Promise<Acquired> {
    return this.#call('acquire', () => this.inner.acquire(owner, shards))
  }

  survived(owner: HostId): Promise<void> {
    return this.#call('survived', () => this.inner.survived(owner))
  }

  release(leases: readonly Lease[]): Promise<void> {
    return this.#call('release', () => this.inner.release(leases))
  }

  write(group: Group): Promise<GroupResult> {
    return this.#call('write', async () => {
      await this.beforeWrite(group, this.inner)
      if (this.#killed) return never()
      const result = await this.inner.write(group)
      this.groups.push(group)
      await this.afterWrite(group, result)
      return result
    })
  }

  load(entities: readonly EntityId[]): Promise<readonly (StoredEntity | undefined)[]> {
    return this.#call('load', () => this.inner.load(entities))
  }

  inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#call('inbox', () => this.inner.inbox(shards, after, limit))
  }

  inboxOf(entity: EntityId, after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#call('inboxOf', () => this.inner.inboxOf(entity, after, limit))
  }

  due(shards: readonly ShardId[], until: number, limit: number): ReturnType<StoreDriver['due']> {
    return this.#call('due', () => this.inner.due(shards, until, limit))
  }

  nextDue(shards: readonly ShardId[], after: number): Promise<number | undefined> {
    return this.#call('nextDue', () => this.inner.nextDue(shards, after))
  }

  unsettled(shards: readonly ShardId[], after: EntityId | undefined, limit: number): Promise<readonly EntityId[]> {
    return this.#call('unsettled', () => this.inner.unsettled(shards, after, limit))
  }

  keys(keys: readonly IdempotencyKey[]): Promise<readonly KeyState[]> {
    return this.#call('keys', () => this.inner.keys(keys))
  }

  purge(before: number): Promise<number> {
    return this.#call('purge', () => this.inner.purge(before))
  }

  deadLetters(after: MessageId | undefined, limit: number): Promise<readonly DeadLetter[]> {
    return this.#call('deadLetters', () => this.inner.deadLetters(after, limit))
  }

  deadLetter(id: MessageId): Promise<DeadLetter | undefined> {
    return this.#call('deadLetter', () => this.inner.deadLetter(id))
  }

  requeue(id: MessageId): Promise<InboxItem | undefined> {
    return this.#call('requeue', () => this.inner.requeue(id))
  }

  async close(): Promise<void> {
    if (!this.#killed) await this.inner.close()
  }

  async #call<T>(call: Call, through: () => Promise<T>): Promise<T> {
    if (this.#killed) return never()
    await this.fault(call)
    if (this.#killed) return never()
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1)
    const answer = await through()
    return this.#killed ? never() : answer
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}
