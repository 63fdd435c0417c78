// awaited.ts: a check that nobody waits for must not pass: the test ends first, and what was found comes too late.
import { onTestFinished, TestRunner } from 'vitest'
import { invalid } from './input.ts'

/**
 * The same promise. A test that ends before it is settled fails. Among tests that run at once nobody can tell whose it is.
 *
 * @param call - How the error names it: `check`.
 */
export function awaited<T>(call: string, run: Promise<T>): Promise<T> {
  const test = TestRunner.getCurrentTest()
  if (test === undefined || test.concurrent === true) return run
  let isSettled = false
  onTestFinished(() => {
    if (!isSettled)
      throw invalid(`The test ended before world.${call}() did. Write await, or return it; or give the test more time.`)
  })
  // Not then: who forgets to wait must still hear of a rejection.
  return run.finally(() => {
    isSettled = true
  })
}
