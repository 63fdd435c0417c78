// rest.ts: how a run comes to rest: time passes until nothing is left to do but what waits for a later time, or for a person.
import type { EntityId } from '@interstate/core'
import type { Client } from './client.ts'
import type { Durable } from './durable.ts'
import type { Errands } from './errands.ts'
import type { Process, WallClock } from './process.ts'
import type { Timeline } from './timeline.ts'
import type { Verdict } from './verdict.ts'

/** What a run is made of that may be under way. */
export interface RestContext {
  readonly timeline: Timeline
  readonly clock: WallClock
  readonly client: Client
  readonly errands: Errands
  readonly durable: Durable
  readonly verdict: Verdict
  /** Of the machines' timers, in milliseconds. */
  readonly delays: readonly number[]
  /** Those that should be at work. */
  readonly living: () => readonly Process[]
  /** Whether they live at once: what one is done with another may have left to do. */
  readonly isShared: () => boolean
  /** Whether an entity waits for a host that can read it. */
  readonly isHeld: (entity: EntityId) => boolean
}

/** Timers that are waited for at the end, one after the other: some machines set one for ever. */
const mostTimers = 200
/** A host that has not come to rest after so long never does, in milliseconds. */
const longMs = 7 * 86_400_000
/** What was slow when the faults ended was so for a few of the longest delays, at most. */
const longestDelays = 10
/** After so long hosts know who is gone and what was left in their shards, in milliseconds. */
const settledMs = 15_000
/** What hosts have not found after looking so often they never will. */
const mostLooks = 8

/** See the file head. */
export class Rest {
  readonly #context: RestContext
  /** Processes that have said that nothing is left to do. */
  readonly #drained = new Set<Process>()
  readonly #asked = new Set<Process>()

  constructor(context: RestContext) {
    this.#context = context
  }

  /** Without faults everything that waits for a time gets it, timer by timer. */
  async come(): Promise<void> {
    const { timeline, clock, durable, verdict } = this.#context
    for (let timers = 0; timers < mostTimers; timers += 1) {
      await this.drain()
      const next = durable.nextWakeUp(clock.now())
      if (next === undefined || verdict.isOver) return
      await timeline.run({ until: () => verdict.isOver, end: timeline.now + next - clock.now() })
    }
    await this.drain()
  }

  /** Lets time pass until nothing is left but what waits for a later time. */
  async drain(): Promise<void> {
    const { timeline, verdict, clock, durable, isShared, isHeld } = this.#context
    if (!isShared()) return this.#drainAll()
    for (let looks = 0; looks < mostLooks; looks += 1) {
      await timeline.run({ until: () => verdict.isOver, end: timeline.now + settledMs })
      const { stirs } = timeline
      await this.#drainAll()
      if (verdict.isOver) return
      // Nobody has given anything to one that had been asked before.
      if (timeline.stirs === stirs && !durable.isWaiting(clock.now(), isHeld)) return
    }
  }

  async #drainAll(): Promise<void> {
    const { timeline, verdict, delays } = this.#context
    const longestMs = longMs + longestDelays * Math.max(0, ...delays)
    this.#drained.clear()
    this.#asked.clear()
    const isCalm = (): boolean => this.#isCalm()
    await timeline.run({ until: () => verdict.isOver || isCalm(), end: timeline.now + longestMs })
    if (verdict.isOver || this.#drained.size > 0) return
    verdict.broken('G16', 'The host does not come to rest, without any fault.')
  }

  #isCalm(): boolean {
    const living = this.#context.living()
    if (!this.#isQuiet || living.length === 0) return false
    if (living.some(({ host, isStopping }) => host === undefined || isStopping)) return false
    if (living.every((process) => this.#drained.has(process))) return true
    for (const process of living) if (!this.#asked.has(process)) this.#ask(process)
    return false
  }

  get #isQuiet(): boolean {
    const { client, errands } = this.#context
    return client.pending === 0 && errands.underWay === 0
  }

  #ask(process: Process): void {
    this.#asked.add(process)
    const noLonger = (): void => void this.#asked.delete(process)
    const drained = (): void => {
      // A call, or an effect, may have come meanwhile.
      if (this.#isQuiet && !process.isStopping) this.#drained.add(process)
      else noLonger()
    }
    // After a while: a host that is being stopped refuses, and what it waits for must have its time.
    this.#context.timeline.after(10, process, () => process.host?.drain().then(drained, noLonger))
  }
}
