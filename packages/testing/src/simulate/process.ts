// process.ts: one process of a run: a host, its own view of the outside, and its end. A process that was killed is
// silent: no timer of it rings and nothing that it waits for comes.
import type { Env, HostId, TimerHandle } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import type { FaultyStore } from '../faults/faulty-store.ts'
import { Chance } from './chance.ts'
import type { Entry, Owner, Timeline } from './timeline.ts'

/** The wall clock of a run: it steps, and the timeline does not. */
export interface WallClock {
  now(): number
}

/** How hosts look after each other in a run: in times that nothing else lasts. */
export const togetherness = { detectMs: 5_002.5, lookMs: 2_000.5 } as const
/** By these delays the timers that ring for ever are known. */
const roundDelays: ReadonlySet<number> = new Set([togetherness.detectMs / 5, togetherness.lookMs])

/** See the file head. */
export class Process implements Owner {
  readonly number: number
  readonly env: Env
  readonly store: FaultyStore
  /** When it has started. */
  host: Host | undefined
  /** Another process has taken its shards. */
  isSuperseded = false
  /** It ends in good order: effects of its that run are left to the next one. */
  isStopping = false
  /** Until then it does not reach the store. */
  cutOffUntil = 0
  /** By which a store knows its host; when it has taken shards. */
  owner: HostId | undefined
  /** Others live beside it. */
  readonly isAmongOthers: boolean
  /** In words: `crashed`. */
  howItEnded = 'was paused'
  #state: Owner['state'] = 'alive'
  readonly #timeline: Timeline
  readonly #held: Entry[] = []

  constructor(
    number: number,
    store: FaultyStore,
    timeline: Timeline,
    clock: WallClock,
    seed: number,
    isAmongOthers = false,
  ) {
    this.number = number
    this.isAmongOthers = isAmongOthers
    this.store = store
    this.#timeline = timeline
    this.env = new ProcessEnv(this, timeline, clock, seed)
  }

  get state(): Owner['state'] {
    return this.#state
  }

  get name(): string {
    return `host ${this.number}`
  }

  /** Ends it without a word. @param how - `crashed`, `was stopped`. */
  kill(how: string): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.howItEnded = how
    this.#held.length = 0
    this.store.kill()
  }

  /** Pauses it: a long garbage collection, a suspended machine. */
  freeze(): void {
    if (this.#state === 'alive') this.#state = 'frozen'
  }

  wake(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'alive'
    for (const entry of this.#held.splice(0)) {
      // A timer that was cleared meanwhile stays so: it is the same entry.
      this.#timeline.after(0, this, () => (entry.isOff ? undefined : entry.run()))
    }
  }

  hold(entry: Entry): void {
    this.#held.push(entry)
  }
}

/** The outside as one process sees it. */
class ProcessEnv implements Env {
  readonly #process: Process
  readonly #timeline: Timeline
  readonly #clock: WallClock
  readonly #chance: Chance
  #ids = 0

  constructor(process: Process, timeline: Timeline, clock: WallClock, seed: number) {
    this.#process = process
    this.#timeline = timeline
    this.#clock = clock
    this.#chance = new Chance(seed, process.name)
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#timeline.steady
  }

  random(): number {
    return this.#chance.next()
  }

  id(): string {
    this.#ids += 1
    return `${this.#process.number}-${this.#ids.toString(36)}`.padStart(21, '0')
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const isRound = roundDelays.has(delayMs)
    // Whole milliseconds: clocks show no parts of them.
    return this.#timeline.after(isRound ? Math.ceil(delayMs) : delayMs, this.#process, callback, isRound)
  }

  clearTimer(handle: TimerHandle): void {
    if (handle !== undefined) (handle as Entry).isOff = true
  }

  soon(callback: () => void): void {
    this.#timeline.after(0, this.#process, callback)
  }

  onTerminate(): () => void {
    return () => {}
  }

  watchdog(): undefined {
    return undefined
  }

  defaultVerification(): 'always' {
    return 'always'
  }

  /** What made the host want to end it is told as a signal. */
  exit(): void {}
}
