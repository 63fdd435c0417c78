// take.ts: one turn, taken twice: a machine that comes to two ends is found by the first message that shows it.
import {
  type Decision,
  type Definition,
  decide,
  type EntityState,
  type Envelope,
  InterstateError,
  type Wiring,
} from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import { differenceIn } from './difference.ts'

/**
 * What one message does to one entity, as core's `decide`; decided twice.
 *
 * @param definition - Of `observed`; `wiring` must be of the same copies.
 * @param now - The turn's time in milliseconds since 1970.
 * @throws WorldError `NOT_DETERMINISTIC`, naming the entity, the message and what differs, or what an observed machine
 * refuses; InterstateError as `decide`.
 */
export function take(
  wiring: Wiring,
  definition: Definition,
  state: EntityState | undefined,
  message: Envelope,
  now: number,
): Decision {
  const one = attempt(() => decide(wiring, definition, state, message, now))
  const two = attempt(() => decide(wiring, definition, state, message, now))
  const difference = differenceOf(one, two)
  if (difference !== undefined) {
    const what = `${message.to} came to two ends on ${message.type}: ${difference}.`
    throw new WorldError('NOT_DETERMINISTIC', what, { name: definition.name, cause: one.error ?? two.error })
  }
  if (one.decision === undefined) throw one.error
  return one.decision
}

type Attempt =
  | { readonly decision: Decision; readonly error?: never }
  | { readonly decision?: never; readonly error: unknown }

function attempt(body: () => Decision): Attempt {
  try {
    return { decision: body() }
  } catch (error) {
    const cause = error instanceof InterstateError ? error.cause : error
    // What an observed machine refuses says more than that the machine failed.
    if (cause instanceof WorldError) throw cause
    return { error }
  }
}

function differenceOf(one: Attempt, two: Attempt): string | undefined {
  if (one.decision === undefined || two.decision === undefined) {
    if ((one.decision === undefined) === (two.decision === undefined)) return undefined
    return `it failed the ${one.decision === undefined ? 'first' : 'second'} time and not the other`
  }
  return differenceIn(one.decision, two.decision)
}
