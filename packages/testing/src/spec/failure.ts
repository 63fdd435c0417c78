// failure.ts: how a spec says that it does not hold, or that it makes no sense.
import { WorldError } from '../failure/error.ts'
import { sideBySide } from './side-by-side.ts'

/** What a failed expectation knows. */
export interface Disagreement {
  /** What is wrong, as a sentence. */
  readonly what: string
  /** Given and when, line by line. */
  readonly told: readonly string[]
  readonly expected: unknown
  readonly actual: unknown
  readonly cause?: unknown
}

/** Vitest shows its own diff of `expected` and `actual` too. */
export class SpecFailure extends WorldError {
  readonly expected: unknown
  readonly actual: unknown

  constructor({ what, told, expected, actual, cause }: Disagreement, place: Place) {
    super('SPEC_FAILED', what, { cause })
    this.expected = expected
    this.actual = actual
    this.message = `${this.message}\n\n${indented(told)}\n\n${sideBySide(expected, actual)}\n`
    this.stack = `${this.name}: ${this.message}\n${place.frames}`
  }
}

/** A line of a spec: what fails at the end of a test still points at it. */
export interface Place {
  readonly frames: string
}

/** The line that called a function. */
export function placeOf(called: (...args: never) => unknown): Place {
  const here: { stack?: string } = {}
  Error.captureStackTrace(here, called)
  const { stack = '' } = here
  return { frames: stack.slice(stack.indexOf('\n') + 1) }
}

/** A spec that makes no sense: nothing was compared. */
export function specInvalid(what: string, { cause, place }: { cause?: unknown; place?: Place } = {}): WorldError {
  const error = new WorldError('SPEC_INVALID', what, { cause })
  if (place !== undefined) error.stack = `${error.name}: ${error.message}\n${place.frames}`
  return error
}

function indented(told: readonly string[]): string {
  return told.map((line) => `  ${line}`).join('\n')
}
