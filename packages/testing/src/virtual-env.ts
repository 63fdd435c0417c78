// virtual-env.ts: an outside that stands still until a test moves it.
import type { Env, TimerHandle } from '@interstate/core'

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
    const end = this.#monotonic + ms
    for (;;) {
      const next = this.#next(end)
      if (next === undefined) break
      this.#pass(next.at - this.#monotonic)
      this.#pending.delete(next)
      next.callback()
      await settle()
    }
    this.#pass(end - this.#monotonic)
    await settle()
  }

  /** Steps the wall clock, as an operator or a time server does; no time passes. */
  stepClock(ms: number): void {
    this.#now += ms
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

// Enough turns of the event loop for a host to take a message through several groups.
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** The mulberry32 generator (Tommy Ettinger, public domain): small, fast, good enough for jitter and choices. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
