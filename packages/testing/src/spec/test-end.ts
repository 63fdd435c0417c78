// test-end.ts: asks at the end of a test whether its specs have said all that they should.
import { onTestFinished, TestRunner } from 'vitest'

/**
 * Calls `check` when the running test has ended, so that what it throws fails this very test. Where the test can't be
 * known (tests that run at once, another runner) it is called when the statement that runs now has ended; what it throws
 * then fails the run.
 */
export function atTestEnd(check: () => void): void {
  const test = TestRunner.getCurrentTest()
  if (test === undefined || test.concurrent === true) queueMicrotask(check)
  else onTestFinished(check)
}
