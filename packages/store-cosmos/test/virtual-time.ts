// virtual-time.ts: a clock that goes on when nothing else happens any more, for the driver and the service alike.
import type { Clock } from '../src/clock.ts'

interface Timer {
  readonly at: number
  readonly number: number
  ring: (() => void) | undefined
}

/** See the file head. */
export class VirtualTime implements Clock {
  #now: number
  #count = 0
  /** A heap: the next timer first. */
  readonly #timers: Timer[] = []

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  after(ms: number, ring: () => void): () => void {
    this.#count += 1
    const timer: Timer = { at: this.#now + Math.max(0, ms), number: this.#count, ring }
    this.#push(timer)
    return () => {
      timer.ring = undefined
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve)
    })
  }

  /** Lets time go on until a promise is settled. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = promise.finally(() => {
      isSettled = true
    })
    settled.catch(() => undefined)
    for (let idle = 0; !isSettled; ) {
      // Everything in the process is done in microtasks: what is still open afterwards waits for time.
      await new Promise((resolve) => (idle < 100 ? setImmediate(resolve) : setTimeout(resolve, 1)))
      idle = isSettled || this.#advance() ? 0 : idle + 1
      if (idle > 5_000) throw new Error('Nothing happens any more, and nobody waits for time.')
    }
    return await settled
  }

  #advance(): boolean {
    for (;;) {
      const [next] = this.#timers
      if (next === undefined) return false
      if (next.ring === undefined) {
        this.#pop()
        continue
      }
      this.#now = Math.max(this.#now, next.at)
      while ((this.#timers[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#now) this.#pop()?.ring?.()
      return true
    }
  }

  #push(timer: Timer): void {
    const timers = this.#timers
    let index = timers.push(timer) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!isBefore(timer, timers[above])) break
      timers[index] = timers[above] as Timer
      index = above
    }
    timers[index] = timer
  }

  #pop(): Timer | undefined {
    const timers = this.#timers
    const first = timers[0]
    const last = timers.pop()
    if (last === undefined || timers.length === 0) return first
    let index = 0
    for (;;) {
      let below = index * 2 + 1
      if (below >= timers.length) break
      if (below + 1 < timers.length && isBefore(timers[below + 1] as Timer, timers[below])) below += 1
      if (!isBefore(timers[below] as Timer, last)) break
      timers[index] = timers[below] as Timer
      index = below
    }
    timers[index] = last
    return first
  }
}

function isBefore(one: Timer, other: Timer | undefined): boolean {
  if (other === undefined) return true
  return one.at < other.at || (one.at === other.at && one.number < other.number)
}

/** Numbers from 0 up to 1, the same for each seed. */
export function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
