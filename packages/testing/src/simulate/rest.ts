// rest.ts: how a run comes to rest: time passes until nothing is left to do but what waits for a later time, or for a person.
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
  /** Whom calls go to. */
  readonly current: () => Process | undefined
}

/** Timers that are waited for at the end, one after the other: some machines set one for ever. */
const mostTimers = 200
/** A host that has not come to rest after so long never does, in milliseconds. */
const longMs = 7 * 86_400_000
/** What was slow when the faults ended was so for a few of the longest delays, at most. */
const longestDelays = 10

/** See the file head. */
export class Rest {
  readonly #context: RestContext
  /** The process that has said last that nothing is left to do. */
  #drained: Process | undefined
  #asked: Process | undefined

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
    const { timeline, verdict, delays } = this.#context
    const longestMs = longMs + longestDelays * Math.max(0, ...delays)
    this.#drained = undefined
    this.#asked = undefined
    const isCalm = (): boolean => this.#isCalm()
    await timeline.run({ until: () => verdict.isOver || isCalm(), end: timeline.now + longestMs })
    if (verdict.isOver || this.#drained !== undefined) return
    verdict.broken('G16', 'The host does not come to rest, without any fault.')
  }

  #isCalm(): boolean {
    const current = this.#context.current()
    if (!this.#isQuiet || current?.host === undefined || current.isStopping) return false
    if (this.#drained === current) return true
    if (this.#asked !== current) this.#ask(current)
    return false
  }

  get #isQuiet(): boolean {
    const { client, errands } = this.#context
    return client.pending === 0 && errands.underWay === 0
  }

  #ask(process: Process): void {
    this.#asked = process
    const noLonger = (): void => {
      if (this.#asked === process) this.#asked = undefined
    }
    const drained = (): void => {
      // A call, or an effect, may have come meanwhile.
      if (this.#isQuiet && !process.isStopping) this.#drained = process
      else noLonger()
    }
    // After a while: a host that is being stopped refuses, and what it waits for must have its time.
    this.#context.timeline.after(10, process, () => process.host?.drain().then(drained, noLonger))
  }
}
