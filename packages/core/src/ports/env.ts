// ports/env.ts: the one seam to the outside: clock, random, ids, timers. Everything above it is deterministic.

/** A timer that was set; pass it to {@link Env.clearTimer}. */
export type TimerHandle = unknown

/** See the file head. Tests give a virtual one. */
export interface Env {
  /** Wall clock, milliseconds since 1970. May step; nothing relies on its steadiness. */
  now(): number
  /** Monotonic clock in milliseconds, for measuring. */
  monotonic(): number
  /** From 0 up to 1. Jitter only. */
  random(): number
  /** A new unique id, 21 characters of `A-Z a-z 0-9 _ -`. Only the edge draws ids; all others are derived. */
  id(): string
  /** Calls back once, after at least `delayMs`. */
  setTimer(delayMs: number, callback: () => void): TimerHandle
  clearTimer(handle: TimerHandle): void
  /** Calls back as soon as what is waiting now has been looked at. */
  soon(callback: () => void): void
  /**
   * Calls back when the process is asked to end (SIGTERM), and lets it end when what the callback does is done.
   * Gives a function that stops listening.
   */
  onTerminate(callback: () => Promise<void>): () => void
  /** Watches over turns that never end; `undefined` where nothing can. */
  watchdog(hangMs: number): Watchdog | undefined
  /** How often turns are decided twice where nobody said it: `always` while developing. */
  defaultVerification(): 'always' | 'sampled'
  /** Tells a developer what a host noticed at its start, where nobody listens to signals. Absent: nobody is told. */
  warn?(text: string, code: string): void
  /** Ends the process: after a failed sync nothing that was acknowledged later could be kept. */
  exit(reason: Error): void
}

/** Ends the process when a turn hangs: nothing else can stop a guard that loops. */
export interface Watchdog {
  /** Says that the host is busy with turns, or no longer. */
  turn(state: 'busy' | 'idle'): void
  stop(): void
}
