// site.ts: the store of a run, which outlives its processes, and the wire by which they reach it.
import type { Group, GroupResult, HostId, StoreDriver } from '@interstate/core'
import { FaultyStore } from '../faults/faulty-store.ts'
import type { StoreUnderTest } from '../store-contract/guarantee.ts'
import type { Timeline } from './timeline.ts'

/** Hears what a store has done, right when it has. */
export interface StoreEvents {
  readonly written: (group: Group, result: GroupResult) => void
  readonly acquired: (owner: HostId) => void
}

/** See the file head. */
export class Site {
  readonly #under: StoreUnderTest
  readonly #timeline: Timeline
  #store: StoreDriver

  constructor(under: StoreUnderTest, timeline: Timeline) {
    this.#under = under
    this.#timeline = timeline
    this.#store = under.store
  }

  /** The store as one process reaches it. Every call is real work to the timeline. */
  store(events: StoreEvents): StoreDriver {
    const call = async (name: string, args: unknown[]): Promise<unknown> => {
      const member = Reflect.get(this.#store, name) as (...args: unknown[]) => Promise<unknown>
      const answer = await member.apply(this.#store, args)
      if (name === 'write') events.written(args[0] as Group, answer as GroupResult)
      if (name === 'acquire') events.acquired(args[0] as HostId)
      return answer
    }
    return new Proxy({} as StoreDriver, {
      get: (_, name) => {
        const member: unknown = Reflect.get(this.#store, name, this.#store)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => this.#timeline.during(() => call(String(name), args))
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
}

/** What one process sees of the store. It does not close what outlives it. */
export class ProcessStore extends FaultyStore {
  override async close(): Promise<void> {}
}
