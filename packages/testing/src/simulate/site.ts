// site.ts: the store of a run, which outlives its processes, and the wire by which they reach it.
import type { Cluster, Group, GroupResult, HostId, Lanes, StoreDriver } from '@interstate/core'
import { FaultyStore } from '../faults/faulty-store.ts'
import type { StoreUnderTest } from '../store-contract/guarantee.ts'
import type { Timeline } from './timeline.ts'

/** Hears what a store has done, right when it has. */
export interface StoreEvents {
  readonly written: (group: Group, result: GroupResult) => void
  readonly acquired: (owner: HostId) => void
  /** Somebody rings at the process. */
  readonly rung: (ring: () => void) => void
}

type Method = (...args: unknown[]) => Promise<unknown>

/** Calls that change what others see; a sign of life alone does not. */
const changing: ReadonlySet<string> = new Set<keyof StoreDriver | keyof Lanes | keyof Cluster>([
  'write',
  'acquire',
  'release',
  'requeue',
  'deliver',
  'trim',
  'rebase',
  'assign',
  'leave',
  'halt',
  'resume',
])

/** See the file head. */
export class Site {
  /** What hosts tell each other is lost. */
  isMute = false
  readonly #under: StoreUnderTest
  readonly #timeline: Timeline
  #store: StoreDriver

  constructor(under: StoreUnderTest, timeline: Timeline) {
    this.#under = under
    this.#timeline = timeline
    this.#store = under.store
  }

  /** Whether several hosts can share it. */
  get isShared(): boolean {
    return this.#store.lanes !== undefined && this.#store.cluster !== undefined
  }

  /** The store as one process reaches it. Every call is real work to the timeline. */
  store(events: StoreEvents): StoreDriver {
    const lanes = this.#part('lanes', events)
    const cluster = this.#part('cluster', events)
    return new Proxy({} as StoreDriver, {
      get: (_, name) => {
        if (name === 'lanes') return lanes
        if (name === 'cluster') return cluster
        const member: unknown = Reflect.get(this.#store, name, this.#store)
        if (typeof member !== 'function') return member
        return this.#wire(String(name), () => this.#store, events)
      },
    })
  }

  /** Opens the store anew, as the first process on it does. */
  async reopen(): Promise<void> {
    this.#store = await this.#under.reopen()
  }

  async close(): Promise<void> {
    await (this.#under.close?.() ?? this.#store.close())
  }

  #part<P extends 'lanes' | 'cluster'>(part: P, events: StoreEvents): StoreDriver[P] {
    if (this.#store[part] === undefined) return undefined
    const get = (_: unknown, name: string | symbol): Method =>
      this.#wire(String(name), () => this.#store[part] as object, events)
    return new Proxy({}, { get }) as StoreDriver[P]
  }

  #wire(name: string, holder: () => object, events: StoreEvents): Method {
    const call = async (args: unknown[]): Promise<unknown> => {
      if (name === 'notify' && this.isMute) return undefined
      if (changing.has(name)) this.#timeline.stir()
      const at = holder()
      const answer = await (Reflect.get(at, name) as Method).apply(at, this.#rung(name, args, events))
      if (name === 'write') events.written(args[0] as Group, answer as GroupResult)
      if (name === 'acquire') events.acquired(args[0] as HostId)
      return answer
    }
    return (...args) => this.#timeline.during(() => call(args))
  }

  #rung(name: string, args: unknown[], { rung }: StoreEvents): unknown[] {
    return name === 'listen' ? [args[0], () => rung(args[1] as () => void)] : args
  }
}

/** What one process sees of the store. It does not close what outlives it. */
export class ProcessStore extends FaultyStore {
  override async close(): Promise<void> {}
}
