// What a failed spec shows: the sentence before it, and expected and actual side by side, on a screen of 120 columns.
import { contract, defineAggregate } from '@interstate/core'
import { expect, test } from 'vitest'
import { assign, createMachine } from 'xstate'
import { z } from 'zod'
import { spec } from '../src/index.ts'
import { payment } from './spec-shop.ts'

function failureOf(body: () => unknown): Error & { expected?: unknown; actual?: unknown } {
  try {
    body()
  } catch (error) {
    return error as Error
  }
  throw new Error('The spec holds.')
}

test('a failure tells what was given and what happened, and shows both sides', () => {
  const failure = failureOf(() =>
    spec(payment, { key: 'o-7' })
      .given({ type: 'Charge', cents: 6_000 })
      .givenPassed({ minutes: 29 })
      .when({ type: 'Confirm' })
      .thenPublishes({ type: 'Charged', cents: 600, at: 1 }, { type: 'Noted' }),
  )
  expect(
    failure.message,
  ).toBe(`payment/o-7 publishes something else. Compare what was expected with what came. [SPEC_FAILED]

  given Charge { cents: 6000 }
  given 29 minutes passed
   when Confirm

expected                                                    actual
---------------------------------------------------------   ---------------------------------------------------------
Charged { at: 1, cents: 600 }                             ! Charged { at: 1767227340000, cents: 6000 }
Noted                                                     !
`)
})

test('vitest gets both sides as data for its own diff', () => {
  const failure = failureOf(() => spec(payment).when({ type: 'Charge', cents: 6_000 }).thenContext({ cents: 1 }))
  expect(failure).toMatchObject({ expected: { cents: 1 }, actual: { cents: 6_000 } })
})

test('a refusal that explains the failure is told', () => {
  const refused = spec(payment).given({ type: 'Charge', cents: 6_000 }).when({ type: 'Ping' })
  expect(failureOf(() => refused.thenState('charged')).message).toContain(
    '   when Ping\n     so it is refused: no transition takes it in this state\n\nexpected',
  )
})

test('the error points at the line of the spec, not into the kit', () => {
  const failure = failureOf(() => spec(payment).when({ type: 'Charge', cents: 6_000 }).thenState('charged'))
  const [first] = (failure.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '))
  expect(first).toContain('spec-words.test.ts')
})

test('whatever the data, no line is wider than 120 columns', () => {
  const long = 'long '.repeat(100)
  const one = { text: long, wide: '漢字'.repeat(60), list: Array.from({ length: 30 }, (_, index) => index * 1_000) }
  const failure = failureOf(() =>
    spec(note)
      .when({ type: 'Write', ...one })
      .thenContext({ ...one, text: `${long}!` }),
  )
  const lines = failure.message.split('\n')
  expect(lines.length).toBeGreaterThan(20)
  const wide = (line: string) => [...line].reduce((width, c) => width + (/[漢字]/.test(c) ? 2 : 1), 0)
  // The first line is a sentence.
  expect(lines.slice(1).filter((line) => wide(line) > 120)).toEqual([])
})

test('a test has no colours where nobody looks at a terminal', () => {
  const failure = failureOf(() => spec(payment).when({ type: 'Charge', cents: 6_000 }).thenState('charged'))
  expect(failure.message.includes('\u001b')).toBe(process.stdout.isTTY === true)
})

const Note = contract('note', {
  commands: { Write: z.object({ text: z.string(), wide: z.string(), list: z.array(z.number()) }) },
})
const note = defineAggregate(
  Note,
  createMachine({
    context: {},
    on: { Write: { actions: assign(({ event: { type: _, ...all } }) => all) } },
  }),
)
