// time-lapse.ts: a clock that can be put forward, so that half an hour passes at once.
import type { Env } from '@interstate/core'

interface Waiting {
  readonly due: number
  readonly callback: () => void
  handle: unknown
}

/** An {@link Env} whose clock can be put forward. */
export interface TimeLapse {
  readonly env: Env
  /** Puts the clock forward and rings what is due by then. */
  forward(ms: number): void
}

/** Wraps an {@link Env}. */
export function timeLapse(inner: Env): TimeLapse {
  const waiting = new Set<Waiting>()
  let ahead = 0
  const now = (): number => inner.now() + ahead
  const ring = (timer: Waiting): void => {
    if (waiting.delete(timer)) timer.callback()
  }
  const env: Env = {
    ...inner,
    now,
    setTimer(delayMs, callback) {
      const timer: Waiting = { due: now() + delayMs, callback, handle: undefined }
      waiting.add(timer)
      timer.handle = inner.setTimer(delayMs, () => ring(timer))
      return timer
    },
    clearTimer(handle) {
      const timer = handle as Waiting | undefined
      if (timer !== undefined && waiting.delete(timer)) inner.clearTimer(timer.handle)
    },
  }
  return {
    env,
    forward(ms) {
      ahead += ms
      for (const timer of [...waiting].filter(({ due }) => due <= now())) {
        inner.clearTimer(timer.handle)
        ring(timer)
      }
    },
  }
}
