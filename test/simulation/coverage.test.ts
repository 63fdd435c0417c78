// A simulation counts for the coverage of its world: each turn once, however often a run is repeated.
import { contract, defineAggregate } from '@interstate/core'
import { Coverage, send, world } from '@interstate/testing'
import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'
import { found } from './found.ts'

const Tea = contract('tea', { commands: { Brew: z.object({}), Pour: z.object({}) } })

/** Tea that is poured in time, or turns bitter. */
const tea = defineAggregate(
  Tea,
  setup({ types: Tea.types() }).createMachine({
    initial: 'leaves',
    states: {
      leaves: { on: { Brew: 'drawing' } },
      drawing: { on: { Pour: 'cup' }, after: { 180000: 'bitter' } },
      cup: {},
      bitter: { on: { Brew: 'drawing' } },
    },
  }),
  { unhandled: 'reject' },
)
const calls = { any: ['Brew', 'Pour'].map((type) => send(Tea.at('pot'), { type } as { type: 'Brew' })) }

function pot() {
  const coverage = new Coverage([tea])
  return { coverage, table: world({ entities: [tea], coverage }).stimuli(calls) }
}

function countsOf(coverage: Coverage): string {
  return JSON.stringify(coverage)
}

test('messages that were handled and refused are counted, and timers that fired and were cancelled', async () => {
  const { coverage, table } = pot()
  await table.simulate({ runs: 30 })
  const { fired, cancelled } = Object.values(coverage.toJSON().definitions)[0] ?? {}
  expect(Object.values(fired ?? {})).toEqual([expect.any(Number)])
  expect(Object.values(cancelled ?? {})).toEqual([expect.any(Number)])
  coverage.require({ states: 100, transitions: 100, timers: 100 })
  expect(coverage.text('tea')).toMatchInlineSnapshot(`
    "| tea  | leaves | drawing | cup  | bitter |
    | ---- | ------ | ------- | ---- | ------ |
    | Brew | ✓29    | ✗6      | ✗136 | ✓3     |
    | Pour | ✗12    | ✓24     | ✗140 | ·      |

    ✓ handled  ○ ignored  ✗ refused  · never tried"
  `)
})

test('the same simulation counts the same', async () => {
  const [one, two] = [pot(), pot()]
  await one.table.simulate({ runs: 5, faults: 'harsh' })
  await two.table.simulate({ runs: 5, faults: 'harsh' })
  expect(countsOf(two.coverage)).toBe(countsOf(one.coverage))
})

test('what is run again to make a story shorter is not counted, nor is what a token stands for', async () => {
  const [failing, passing] = [pot(), pot()]
  const wrong = failing.table.eventually('it is never bitter', (w) => !w.any(tea, (each) => each.matches('bitter')))
  const error = await found(wrong.simulate())
  const counted = countsOf(failing.coverage)
  const runs = Number(/Found in run (\d+)/.exec(error.message)?.[1])
  await passing.table.simulate({ runs })
  expect(counted).toBe(countsOf(passing.coverage))
  await found(wrong.replay(error.token ?? ''))
  expect(countsOf(failing.coverage)).toBe(counted)
})
