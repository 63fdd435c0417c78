// faulty-store.ts: a store with troubles on order. It keeps the promise of the port: a call that rejects has changed
// nothing, what was answered stands, and a process that has ended is not heard any more.
import {
  type Acquired,
  type Cluster,
  type Commit,
  type DeadLetter,
  type EntityId,
  type Group,
  type GroupResult,
  type HostId,
  type InboxItem,
  InterstateError,
  type KeyPlace,
  type KeyState,
  type Lanes,
  type Lease,
  type LogicalPartition,
  type MessageId,
  type Probe,
  type Scope,
  type ShardId,
  type StoreDriver,
  type StoredEntity,
  type StoreLimits,
} from '@interstate/core'

import type { WriteTrouble } from './trouble.ts'

/** Calls that can be made to fail. */
export type StoreCall =
  | Exclude<keyof StoreDriver, 'name' | 'scope' | 'shards' | 'limits' | 'lanes' | 'cluster' | 'close'>
  | keyof Lanes
  | keyof Cluster

/** What happens to a call before the store sees it: it throws, takes its time, or lets the call through at once. */
export type Fault = (call: StoreCall) => Promise<void> | undefined

/**
 * A store as one process sees it: any driver, with troubles on order. Give every host its own, over the one store that
 * outlives them; what ends is then the process and not the store.
 *
 * @example
 * ```ts
 * const store = new FaultyStore(memoryStore())
 * const host = await createHost({ entities, store, env })
 * store.nextWrite('killed after')
 * void host.send(Payment.at('42'), { type: 'Charge', cents: 1200 })   // is written; nobody ever hears so
 * await env.advance(0)
 * const next = await createHost({ entities, store: new FaultyStore(store.inner), env })
 * ```
 */
export class FaultyStore implements StoreDriver {
  readonly inner: StoreDriver
  readonly limits: StoreLimits
  /** Groups that were written. */
  readonly groups: Group[] = []
  /** How many calls of each kind reached the store. */
  readonly calls: Map<StoreCall, number> = new Map()
  /** Decides over each call. */
  fault: Fault = () => undefined
  /** What befalls a write; `undefined` for nothing. Is asked once for each, after {@link fault}. */
  troubleOf: (group: Group) => WriteTrouble | undefined = () => undefined
  /** Is run right before a group is written: somebody else is faster. */
  beforeWrite: (group: Group, inner: StoreDriver) => Promise<void> | undefined = () => undefined
  /** Is run when a group is written and its answer is on the way. */
  afterWrite: (group: Group, result: GroupResult) => Promise<void> | undefined = () => undefined
  /** Writes of the ended process that have not reached the store, see {@link land}. */
  readonly underWay: Group[] = []
  readonly lanes?: Lanes
  readonly cluster?: Cluster
  #killed = false
  #conflicts = 0

  /** @param limits - Tighter than those of the store, to see what a host does at them. */
  constructor(inner: StoreDriver, limits: Partial<StoreLimits> = {}) {
    this.inner = inner
    this.limits = { ...inner.limits, ...limits }
    if (inner.lanes !== undefined) this.lanes = this.#through(inner.lanes)
    if (inner.cluster !== undefined) this.cluster = this.#through(inner.cluster)
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
    this.troubleOf = () => undefined
    this.beforeWrite = () => undefined
    this.afterWrite = () => undefined
  }

  /** Makes the next calls of a kind fail. Gives a function that tells how many are left. */
  fail(
    call: StoreCall,
    times: number,
    code: 'STORE_FAILED' | 'STORE_FULL' | 'STORE_FENCED' = 'STORE_FAILED',
  ): () => number {
    const before = this.fault
    let left = times
    this.fault = (each) => {
      if (each !== call || left === 0) return before(each)
      left -= 1
      throw new InterstateError(code, `${call} fails on order.`)
    }
    return () => left
  }

  /**
   * Holds the next write back until the function it gives is called.
   *
   * @param isWanted - Which write; others pass. Default: any.
   */
  holdWrite(isWanted: (group: Group) => boolean = () => true): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.beforeWrite
    this.beforeWrite = async (group, inner) => {
      if (!isWanted(group)) return before(group, inner)
      this.beforeWrite = before
      await promise
      await before(group, inner)
    }
    return resolve
  }

  /** Has a trouble befall the next write. */
  nextWrite(trouble: WriteTrouble): void {
    const before = this.troubleOf
    this.troubleOf = () => {
      this.troubleOf = before
      return trouble
    }
  }

  /** Lets writes reach the store whose process ended while they were on their way. Gives what nobody hears. */
  async land(): Promise<readonly GroupResult[]> {
    const results: GroupResult[] = []
    for (const group of this.underWay.splice(0)) {
      results.push(await this.inner.write(group))
      this.groups.push(group)
    }
    return results
  }

  probe(): Promise<readonly Probe[]> {
    return this.#call('probe', () => this.inner.probe())
  }

  acquire(...asked: Parameters<StoreDriver['acquire']>): Promise<Acquired> {
    return this.#call('acquire', () => this.inner.acquire(...asked))
  }

  survived(owner: HostId): Promise<void> {
    return this.#call('survived', () => this.inner.survived(owner))
  }

  release(leases: readonly Lease[]): Promise<void> {
    return this.#call('release', () => this.inner.release(leases))
  }

  write(group: Group): Promise<GroupResult> {
    return this.#call('write', async () => {
      const trouble = this.troubleOf(group)
      await this.#befall(group, trouble)
      await this.beforeWrite(group, this.inner)
      if (this.#killed) return never()
      const first = await this.inner.write(group)
      this.groups.push(group)
      const result = trouble === 'answer lost' ? await this.inner.write(group) : first
      if (trouble === 'unknown after') throw unknown()
      if (trouble === 'killed after') this.kill()
      await this.afterWrite(group, result)
      return result
    })
  }

  load(partitions: readonly LogicalPartition[]): Promise<readonly (StoredEntity | undefined)[]> {
    return this.#call('load', () => this.inner.load(partitions))
  }

  inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#call('inbox', () => this.inner.inbox(shards, after, limit))
  }

  inboxOf(partition: LogicalPartition, after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#call('inboxOf', () => this.inner.inboxOf(partition, after, limit))
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

  keys(keys: readonly KeyPlace[]): Promise<readonly KeyState[]> {
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

  /** What befalls a write before the store hears of it. */
  async #befall(group: Group, trouble: WriteTrouble | undefined): Promise<void> {
    switch (trouble) {
      case 'fails':
        throw new InterstateError('STORE_FAILED', 'The write fails on order.')
      case 'full':
        throw new InterstateError('STORE_FULL', 'The write finds no room, on order.')
      case 'fenced':
        throw new InterstateError('STORE_FENCED', 'The write is fenced on order.')
      case 'unknown before':
        throw unknown()
      case 'lands late':
        this.underWay.push(group)
        this.kill()
        return
      case 'killed before':
        this.kill()
        return
      case 'conflict':
        await this.#overtake(group)
        return
      case 'killed after':
      case 'answer lost':
      case 'unknown after':
      case undefined:
        return
      default:
        trouble satisfies never
    }
  }

  /** Somebody else commits first, to one entity of the group: what is stored of it stays, its version does not. */
  async #overtake({ tag, commits }: Group): Promise<void> {
    this.#conflicts += 1
    // The last one in its turn too: then a whole group has to be taken back.
    const commit = this.#conflicts % 2 === 1 ? commits.at(-1) : commits[0]
    if (commit === undefined) return
    const { entity, lease } = commit
    const [row] = await this.inner.load([{ entity, shard: lease.shard }])
    const { snapshot, trouble, wakeAt, version: expectedVersion = 0 } = row ?? {}
    const asItWas = { lease, entity, expectedVersion, snapshot, trouble, wakeAt, unsettled: true }
    const nothing = { consumed: [], outbox: [], deadLetters: [], replies: [] }
    const faster: Commit = { ...asItWas, ...nothing, tag: `${tag} overtaken` }
    const owner = `faster than ${commit.lease.owner}` as HostId
    const group = { owner, tag: faster.tag, accepted: [], registrations: [], mode: 'each' as const }
    await this.inner.write({ ...group, commits: [faster] })
  }

  /** A part of the store, with the same troubles. */
  #through<P extends Lanes | Cluster>(part: P): P {
    return new Proxy(part, {
      get: (target, call) => {
        const method = target[call as keyof P] as (...asked: unknown[]) => Promise<unknown>
        return (...asked: unknown[]) => this.#call(call as StoreCall, () => method.apply(target, asked))
      },
    })
  }

  async #call<T>(call: StoreCall, through: () => Promise<T>): Promise<T> {
    if (this.#killed) return never()
    await this.fault(call)
    if (this.#killed) return never()
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1)
    const answer = await through()
    return this.#killed ? never() : answer
  }
}

function unknown(): InterstateError {
  return new InterstateError('STORE_UNCERTAIN', 'The end of the write is not known, on order.')
}

function never<T>(): Promise<T> {
  return new Promise(() => {})
}
