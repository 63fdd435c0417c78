// virtual-env.ts: an outside that stands still until a test moves it.
import { setImmediate } from 'node:timers'
import type { Env, TimerHandle } from '@interstate/core'
import { seeded } from './simulate/chance.ts'

interface Pending {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** What {@link VirtualEnv} takes. */
export interface VirtualEnvOptions {
  /** Chance and ids follow from it. Default 1. */
  readonly seed?: number
  /** Wall clock at the beginning, in milliseconds since 1970. Default 2026-01-01. */
  readonly startMs?: number
}

/**
 * An {@link Env} whose clock moves by {@link VirtualEnv.advance} only and whose chance and ids follow from a seed.
 *
 * @example
 * ```ts
 * const env = new VirtualEnv()
 * const host = await createHost({ entities, store: memoryStore(), env })
 * await env.advance(30 * 60_000)
 * ```
 */
export class VirtualEnv implements Env {
  /** Why the host wanted to end the process, if it did. */
  exited: Error | undefined
  /** What hosts warned of, in order. */
  readonly warnings: { readonly text: string; readonly code: string }[] = []
  #now: number
  #monotonic = 0
  #random: () => number
  #order = 0
  #ids = 0
  /** Calls of `soon` ever. */
  #calls = 0
  /** How many there had been when everything was done last. */
  #settledCalls = 0
  readonly #seed: number
  readonly #pending = new Set<Pending>()

  constructor({ seed = 1, startMs = Date.UTC(2026, 0, 1) }: VirtualEnvOptions = {}) {
    this.#seed = seed
    this.#now = startMs
    this.#random = seeded(seed)
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  random(): number {
    return this.#random()
  }

  id(): string {
    this.#ids += 1
    return `${this.#seed.toString(36)}-${this.#ids.toString(36)}`.padStart(21, '0')
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    this.#order += 1
    const pending: Pending = { at: this.#monotonic + Math.max(0, delayMs), order: this.#order, callback }
    this.#pending.add(pending)
    return pending
  }

  clearTimer(handle: TimerHandle): void {
    this.#pending.delete(handle as Pending)
  }

  soon(callback: () => void): void {
    this.#calls += 1
    setImmediate(callback)
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

  warn(text: string, code: string): void {
    this.warnings.push({ text, code })
  }

  exit(reason: Error): void {
    this.exited = reason
  }

  /** Lets time pass. Timers that come due ring in their order, each with all that follows from it. */
  async advance(ms: number): Promise<void> {
    // What is under way belongs to the time before.
    if (this.#calls !== this.#settledCalls) await this.#settle()
    const end = this.#monotonic + ms
    for (;;) {
      const next = this.#next(end)
      if (next === undefined) break
      this.#pass(next.at - this.#monotonic)
      this.#pending.delete(next)
      const calls = this.#calls
      next.callback()
      await turnOfTheLoop()
      // A timer that only looks at the clock, as hosts have them, sets nothing going.
      if (this.#calls !== calls) await this.#settle()
    }
    this.#pass(end - this.#monotonic)
    await this.#settle()
  }

  /** Steps the wall clock, as an operator or a time server does; no time passes. */
  stepClock(ms: number): void {
    this.#now += ms
  }

  /** Lets a host take a message through all its groups, and a store and effects of real input and output come back. */
  async #settle(): Promise<void> {
    let quiet = 0
    // Messages that go round for ever must not hold the clock for ever.
    for (let turn = 0; quiet < quietTurns && turn < mostTurns; turn += 1) {
      const calls = this.#calls
      await turnOfTheLoop()
      quiet = this.#calls === calls ? quiet + 1 : 0
    }
    this.#settledCalls = this.#calls
  }

  #next(end: number): Pending | undefined {
    let first: Pending | undefined
    for (const each of this.#pending) {
      if (each.at > end) continue
      if (first === undefined || each.at < first.at || (each.at === first.at && each.order < first.order)) first = each
    }
    return first
  }

  #pass(ms: number): void {
    this.#monotonic += ms
    this.#now += ms
  }
}

/** Turns of the event loop in which a host asks for nothing, after which nothing more is expected of it. */
const quietTurns = 20
const mostTurns = 200

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
