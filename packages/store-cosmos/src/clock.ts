// clock.ts: the one seam to time.

/** Time that never goes back, and a timer. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number
  /** Calls back once. Gives a function that stops it. */
  after(ms: number, ring: () => void): () => void
}

/** That of Node.js. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, ring) {
    const timer = setTimeout(ring, ms)
    return () => clearTimeout(timer)
  },
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve)
  })
}

/** What a promise gives, or `late` when it takes longer than that. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => reject(late()))
    promise.then(resolve, reject).finally(stop)
  })
}
