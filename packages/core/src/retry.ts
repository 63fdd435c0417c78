// retry.ts: what becomes of a message whose turn fails.
import type { MessageId } from './address.ts'

/** How often and how fast a failing message is tried again. */
export interface RetryPolicy {
  /** Attempts in all. Default 4. */
  readonly attempts: number
  /** Wait before the second attempt, in milliseconds. Default 100. */
  readonly firstDelayMs: number
  /** Each wait is this many times the one before. Default 8. */
  readonly factor: number
  /** No wait is longer, in milliseconds. Default 60,000. */
  readonly maxDelayMs: number
  /** Crashes of the host with a message in hand after which it is put away. Default 5: the first two in a batch with others. */
  readonly crashes: number
}

/** See {@link RetryPolicy}. */
export const defaultRetry: RetryPolicy = { attempts: 4, firstDelayMs: 100, factor: 8, maxDelayMs: 60_000, crashes: 5 }

/** What stands in the way of an entity: its head message, and what happened to it. Survives kill -9. */
export interface Trouble {
  readonly message: MessageId
  /** Turns that failed. */
  readonly attempts: number
  /** Hosts that ended with the message in hand. */
  readonly crashes: number
  /** Code and text of the last failure. */
  readonly error?: { readonly code: string; readonly text: string } | undefined
  /** Not to be tried before, in milliseconds since 1970. */
  readonly retryAt?: number | undefined
  /** Since when the entity is parked, in milliseconds since 1970. */
  readonly parkedAt?: number | undefined
}

/** Waits with growing delays, then gives up. Pure: jitter is an argument from 0 up to 1. */
export function nextAttempt(policy: RetryPolicy, attempts: number, now: number, jitter: number): number | 'give up' {
  if (attempts >= policy.attempts) return 'give up'
  const delay = Math.min(policy.maxDelayMs, policy.firstDelayMs * policy.factor ** (attempts - 1))
  // Up to a fifth earlier, so that what failed together is not tried again together.
  return now + Math.round(delay * (1 - jitter / 5))
}
