import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultRetry, nextAttempt } from '../src/index.ts'

test('waits grow, then it gives up', () => {
  const waits = [1, 2, 3, 4].map((attempts) => nextAttempt(defaultRetry, attempts, 1_000, 0))
  expect(waits).toEqual([1_100, 1_800, 7_400, 'give up'])
  expect(nextAttempt(defaultRetry, 99, 1_000, 0)).toBe('give up')
})

test('a policy of one attempt never tries again', () => {
  expect(nextAttempt({ ...defaultRetry, attempts: 1 }, 1, 0, 0)).toBe('give up')
})

test('no wait is longer than the longest, nor shorter than four fifths of it; more attempts never wait less', () => {
  const policy = fc.record({
    attempts: fc.constant(Number.POSITIVE_INFINITY),
    firstDelayMs: fc.integer({ min: 1, max: 10_000 }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    maxDelayMs: fc.integer({ min: 1, max: 1_000_000 }),
    crashes: fc.constant(5),
  })
  const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 2_000 }), fc.nat(), jitter, (by, attempts, now, early) => {
      const at = nextAttempt(by, attempts, now, early) as number
      const full = nextAttempt(by, attempts, now, 0) as number
      expect(Number.isSafeInteger(at)).toBe(true)
      expect(full - now).toBeLessThanOrEqual(by.maxDelayMs)
      expect(at).toBeLessThanOrEqual(full)
      expect(at - now).toBeGreaterThanOrEqual(Math.floor((full - now) * 0.8))
      expect(nextAttempt(by, attempts + 1, now, 0)).toBeGreaterThanOrEqual(full)
    }),
  )
})
