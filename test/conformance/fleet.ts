// fleet.ts: several hosts at the same time on one store, each as a process of its own sees it, and a clock that stands still.
import {
  type Definition,
  type EntityId,
  entityId,
  type HostId,
  type ShardId,
  type StoreDriver,
  shardOf,
} from '@interstate/core'
import { type ClusterOptions, createHost, type Host, type Policies, type Signal } from '@interstate/runtime'
import { VirtualEnv } from '@interstate/testing'
import {
  calling,
  checkHistory,
  type Fault,
  FaultyStore,
  History,
  listening,
  recording,
  takeStock,
} from '@interstate/testing/stores'
import type { OpenStore, StoreUnderTest } from './stores.ts'

/** A host whose record stands still for so long is dead to the others. */
export const detectMs = 1_000
/** So long a lost word may cost at most. */
export const lookMs = 400

/** What {@link Fleet.join} takes. */
export interface Joining {
  readonly entities?: readonly Definition[]
  readonly cluster?: ClusterOptions
  readonly policies?: Policies
}

/** One host of a fleet. */
export interface Member {
  readonly name: string
  readonly id: HostId
  readonly host: Host
  readonly store: FaultyStore
  readonly signals: readonly Signal[]
}

/** See the file head. */
export class Fleet implements AsyncDisposable {
  readonly env: VirtualEnv
  readonly members: Member[] = []
  readonly #entities: readonly Definition[]
  readonly #opened: OpenStore
  readonly #history: History
  readonly #recorded: StoreDriver
  readonly #wakes = new Map<Member, () => void>()
  #joined = 0

  constructor(under: StoreUnderTest, entities: readonly Definition[], seed = 1) {
    this.env = new VirtualEnv({ seed })
    this.#history = new History(this.env)
    this.#entities = entities
    this.#opened = under.open()
    // No host closes what the others go on with.
    this.#recorded = { ...recording(this.#opened.store, this.#history), close: async () => {} }
  }

  get shards(): readonly ShardId[] {
    return Array.from({ length: this.#recorded.shards }, (_, shard) => shard)
  }

  /** A host joins. `fault` decides over its calls from the beginning. */
  async join({ entities = this.#entities, cluster, policies }: Joining = {}, fault?: Fault): Promise<Member> {
    this.#joined += 1
    const name = `host ${this.#joined}`
    const store = new FaultyStore(this.#recorded)
    if (fault !== undefined) store.fault = fault
    const signals: Signal[] = []
    const tell = listening(this.#history, name)
    const host = await createHost({
      entities,
      store,
      env: this.env,
      cluster: { detectMs, lookMs, ...cluster },
      policies: { stopOnTerminate: false, hangMs: false, ...policies },
      onSignal: (signal) => {
        signals.push(signal)
        tell(signal)
      },
    })
    const member = { name, id: host.id, host: calling(host, this.#history), store, signals }
    this.members.push(member)
    await this.settle()
    return member
  }

  /** Several hosts join. */
  async start(count: number): Promise<readonly Member[]> {
    const joined: Member[] = []
    for (let left = count; left > 0; left -= 1) joined.push(await this.join())
    return joined
  }

  /** A host leaves in good order, unless it is killed or its store fails over that. */
  async leave(member: Member): Promise<void> {
    this.#forget(member)
    this.wake(member)
    let isStopped = false
    const end = (): void => {
      isStopped = true
    }
    member.host.stop().then(end, end)
    for (let left = 120; !isStopped && !member.store.killed; left -= 1) {
      if (left === 0) throw new Error(`${member.name} does not stop.`)
      await this.env.advance(500)
    }
  }

  /** A process is killed: nothing of what it asks from now on is heard. */
  kill(member: Member): void {
    this.#forget(member)
    member.store.kill()
  }

  /** A process stands still: whatever it asks waits until it is woken. */
  pause(member: Member): void {
    if (this.#wakes.has(member)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    member.store.fault = () => promise
    this.#wakes.set(member, resolve)
  }

  wake(member: Member): void {
    member.store.fault = () => undefined
    this.#wakes.get(member)?.()
    this.#wakes.delete(member)
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    await this.env.advance(0)
  }

  /** Lets time pass until nothing waits and nothing is on its way. */
  async rest(mostMs = 600_000): Promise<void> {
    for (let left = mostMs; left > 0; left -= 1_000) {
      await this.env.advance(1_000)
      if (await this.isAtRest()) return
    }
    throw new Error('The fleet does not come to rest.')
  }

  async isAtRest(): Promise<boolean> {
    const { store } = this.#opened
    if ((await store.inbox(this.shards, 0, 1)).length > 0) return false
    for (const { departing } of (await store.lanes?.tails(this.shards)) ?? []) if (departing > 0) return false
    return true
  }

  /** The shards whose present lease a host has. */
  async owned({ id }: Member): Promise<readonly ShardId[]> {
    const leases = (await this.#opened.store.cluster?.leases(this.shards)) ?? []
    return leases.filter(({ owner }) => owner === id).map(({ shard }) => shard)
  }

  /** Keys of entities of a type that a host runs. */
  async keysOn(member: Member, type: string, count = 1): Promise<readonly string[]> {
    const own = new Set(await this.owned(member))
    const keys: string[] = []
    for (let each = 0; keys.length < count && each < 10_000; each += 1) {
      if (own.has(this.shardOf(entityId(type, `k${each}`)))) keys.push(`k${each}`)
    }
    if (keys.length < count) throw new Error(`${member.name} runs too little.`)
    return keys
  }

  /** The one key of an entity of a type that a host runs, see {@link keysOn}. */
  async keyOn(member: Member, type: string): Promise<string> {
    const [key] = await this.keysOn(member, type)
    return key as string
  }

  shardOf(entity: EntityId): ShardId {
    return shardOf(entity, this.#recorded.shards)
  }

  /** What the history of all hosts and the store shows to be wrong, at rest. */
  async judge(): Promise<readonly string[]> {
    await takeStock(this.#recorded, this.#history)
    const found = checkHistory(this.#history.events, { atRest: true })
    return found.map(({ guarantee, what, at }) => `${guarantee} ${what} (event ${at})`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of [...this.members]) {
      member.store.heal()
      await this.leave(member).catch(() => {})
    }
    await this.#opened.store.close()
    await this.#opened.dispose()
  }

  #forget(member: Member): void {
    const at = this.members.indexOf(member)
    if (at >= 0) this.members.splice(at, 1)
  }
}

/** Signals of one kind that a host told. */
export function toldBy<S extends Signal['signal']>(
  { signals }: Pick<Member, 'signals'>,
  signal: S,
): readonly Extract<Signal, { signal: S }>[] {
  return signals.filter((each): each is Extract<Signal, { signal: S }> => each.signal === signal)
}
