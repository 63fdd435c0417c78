// What a check makes of a schema where nobody names stimuli.
import { contract, defineAggregate } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { world } from '../src/index.ts'
import { finding } from './finding.ts'

describe('Values that are derived', () => {
  test('leave out the largest integer: two of them have no exact sum', async () => {
    const Sum = contract('sum', { commands: { Add: z.object({ cents: z.number().int().positive() }) } })
    const sum = defineAggregate(
      Sum,
      setup({ types: Sum.types<{ cents: number }>() }).createMachine({
        context: { cents: 0 },
        on: { Add: { actions: assign({ cents: ({ context, event }) => context.cents + event.cents }) } },
      }),
    )
    await world({ entities: [sum] })
      .always('it is exact', (w) => w.all(sum).every(({ context }) => Number.isSafeInteger(context.cents)))
      .check({ values: 5 })
  })

  test.each([
    ['refines', z.string().refine((text) => text.startsWith('DE') && text.length === 22)],
    ['looks ahead', z.string().regex(/^(?=.*\d)[a-z\d]+$/)],
  ])('end with STIMULI_MISSING for a schema that %s', async (_, text) => {
    const Odd = contract('odd', { commands: { Go: z.object({ text }) } })
    const odd = defineAggregate(Odd, setup({ types: Odd.types() }).createMachine({ on: { Go: {} } }))
    expect((await finding(world({ entities: [odd] }).check())).code).toBe('STIMULI_MISSING')
  })
})
