// rounds.ts: where a story that goes round for ever has said enough.
import type { StoryStep } from '../failure/story.ts'

/** More is told only where one round is longer. */
const mostSteps = 12
/** A repetition counts from so many rounds in a row. */
const fewestRounds = 3

/**
 * How many steps say it all of a story that goes round: what leads into the round, the round, and where it begins anew.
 * All of them where nothing goes round.
 */
export function enoughOf(steps: readonly StoryStep[]): number {
  const names = steps.map(({ from, to, what }) => `${from}\n${to}\n${what}`)
  const period = periodOf(names)
  if (period === undefined) return steps.length
  let start = names.length - period
  while (start > 0 && names[start - 1] === names[start - 1 + period]) start -= 1
  return Math.min(steps.length, Math.max(start + period + 1, Math.min(start + 2 * period, mostSteps)))
}

/** Steps after which the end of a list repeats itself. */
function periodOf(names: readonly string[]): number | undefined {
  for (let period = 1; period * fewestRounds <= names.length; period += 1) {
    const first = names.length - period * (fewestRounds - 1)
    if (names.slice(first).every((name, index) => name === names[first + index - period])) return period
  }
  return undefined
}
