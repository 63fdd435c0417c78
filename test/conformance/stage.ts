// stage.ts: a store that outlives its hosts, a clock that stands still, and one host at a time on both.
import {
  type Definition,
  type EntityId,
  encodeEnvelope,
  entityId,
  type HostId,
  type InboxItem,
  type MessageId,
  type PlainObject,
  partitionsOf,
  type StoredEntity,
  type StoredMessage,
  type StoreLimits,
  shardOf,
} from '@interstate/core'
import { createHost, type Host, type Policies, type Signal } from '@interstate/runtime'
import { VirtualEnv } from '@interstate/testing'
import { FaultyStore, type StoreCall } from '@interstate/testing/stores'
import { alone, type OpenStore, type StoreUnderTest, strikeOff } from './stores.ts'

/** What {@link Stage.open} takes. */
export interface StageOptions {
  readonly entities: readonly Definition[]
  readonly policies?: Policies
  readonly limits?: Partial<StoreLimits>
  readonly seed?: number
}

/** See the file head. */
export class Stage implements AsyncDisposable {
  readonly env: VirtualEnv
  /** Signals of all hosts, in order. */
  readonly signals: Signal[] = []
  /** What the present host sees of the store. */
  store: FaultyStore
  readonly #options: StageOptions
  readonly #opened: OpenStore
  #host: Host | undefined
  #prepare: (store: FaultyStore) => void = () => {}

  private constructor(options: StageOptions, opened: OpenStore) {
    this.env = new VirtualEnv({ seed: options.seed ?? 1 })
    this.#options = options
    this.#opened = opened
    this.store = new FaultyStore(opened.store, options.limits)
  }

  /** A fresh store with a host on it. */
  static async open(under: StoreUnderTest, options: StageOptions): Promise<Stage> {
    const stage = new Stage(options, under.open())
    await stage.#start({})
    return stage
  }

  get host(): Host {
    if (this.#host === undefined) throw new Error('The stage is empty.')
    return this.#host
  }

  /** The host ends in good order; `meanwhileMs` later the next one starts. */
  async restart(changes: Partial<StageOptions> & { readonly meanwhileMs?: number } = {}): Promise<void> {
    await this.host.stop()
    await this.#next(changes)
  }

  /** The process is killed; `meanwhileMs` later the next one starts. What was not written is lost. */
  async crash(changes: Partial<StageOptions> & { readonly meanwhileMs?: number } = {}): Promise<void> {
    this.store.kill()
    await this.store.inner.close()
    await this.#next(changes)
  }

  /** The next host begins; the one before has ended by itself. */
  async begin(changes: Partial<StageOptions> = {}): Promise<void> {
    await this.store.inner.close()
    await this.#next(changes)
  }

  /** The next host finds a store that fails with its first call of this kind. */
  failNext(call: StoreCall): void {
    this.#prepare = (store) => void store.fail(call, 1)
  }

  /** The next host finds a store that takes its time over calls of this kind. */
  slowNext(call: StoreCall): void {
    this.#prepare = (store) => {
      store.fault = async (each) => {
        for (let turns = 0; each === call && turns < 50; turns += 1) await new Promise((go) => setImmediate(go))
      }
    }
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    await this.env.advance(0)
  }

  /** Lets time pass until nothing is left to do, retries included. */
  async calm(): Promise<void> {
    let calm = false
    const drained = this.host.drain().then(() => {
      calm = true
    })
    drained.catch(() => {})
    for (let minutes = 0; !calm && minutes < 200; minutes += 1) await this.env.advance(minutes === 0 ? 0 : 60_000)
    if (!calm) throw new Error('The host does not come to rest.')
    await drained
  }

  /** Puts a row into an inbox as it is, behind the host's back. */
  async leaveRow(to: string, body: string): Promise<void> {
    await this.settle()
    const id = this.env.id() as MessageId
    await this.#accept([{ id, to: to as EntityId, shard: shardOf(to as EntityId, this.store.shards), body }])
  }

  /** Puts commands of a client into inboxes behind the host's back: accepted, and not handled when it ends. */
  async leaveBehind(
    ...messages: readonly { readonly to: EntityId; readonly type: string; readonly data: PlainObject }[]
  ) {
    // A host that has just started would still find them.
    await this.settle()
    const accepted = messages.map(({ to, type, data }) => {
      const id = this.env.id() as MessageId
      const chain = { correlationId: id, causationId: id }
      const rest = { ...chain, created: this.env.now(), contractVersion: 1 }
      const body = encodeEnvelope({ id, kind: 'command', to, from: 'client', type, data, ...rest })
      return { id, to, shard: shardOf(to, this.store.shards), body }
    })
    await this.#accept(accepted)
  }

  /** Everything that waits in inboxes, in order. */
  inbox(): Promise<readonly InboxItem[]> {
    const shards = Array.from({ length: this.store.shards }, (_, shard) => shard)
    return this.store.inner.inbox(shards, 0, 1_000_000)
  }

  async stored(type: string, key: string): Promise<StoredEntity | undefined> {
    const [row] = await this.store.inner.load(partitionsOf([entityId(type, key)], this.store.inner.shards))
    return row
  }

  /** Signals of one kind. */
  told<K extends Signal['signal']>(kind: K): readonly Extract<Signal, { signal: K }>[] {
    return this.signals.filter((each): each is Extract<Signal, { signal: K }> => each.signal === kind)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.store.killed) {
      this.store.heal()
      await this.#host?.stop().catch(() => {})
    }
    await this.#opened.dispose()
  }

  async #accept(messages: readonly StoredMessage[]): Promise<void> {
    const accepted = messages.map((message) => ({ ...message, lease: undefined }))
    const group = { owner: 'outside' as HostId, tag: this.env.id(), registrations: [], commits: [] }
    await this.store.inner.write({ ...group, accepted, mode: 'each' })
  }

  async #next({ meanwhileMs = 0, ...changes }: Partial<StageOptions> & { readonly meanwhileMs?: number }) {
    this.#host = undefined
    await this.env.advance(meanwhileMs)
    const store = this.#opened.reopen()
    await strikeOff(store)
    this.store = new FaultyStore(store, changes.limits ?? this.#options.limits)
    this.#prepare(this.store)
    this.#prepare = () => {}
    await this.#start(changes)
  }

  async #start({ entities = this.#options.entities, policies }: Partial<StageOptions>): Promise<void> {
    this.#host = await createHost({
      entities,
      store: this.store,
      env: this.env,
      policies: { ...this.#options.policies, ...policies },
      cluster: alone,
      onSignal: (signal) => void this.signals.push(signal),
    })
  }
}
