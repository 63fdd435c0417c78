// equal.ts: whether two values are the same, by the rules of vitest's `toEqual`: matchers such as `expect.any` work, and
// the comparison counts as an assertion of the test.
import { expect } from 'vitest'

export function isEqual(actual: unknown, expected: unknown): boolean {
  try {
    expect(actual).toEqual(expected)
    return true
  } catch {
    return false
  }
}
