// Specs count: what they take a machine through is covered, and nothing else.
import { contract, defineAggregate } from '@interstate/core'
import { expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { Coverage } from '../src/coverage.ts'
import { spec } from '../src/index.ts'
import { fulfilment, payment } from './spec-shop.ts'

test('states, transitions and messages of given and when are covered', () => {
  const coverage = new Coverage([payment])
  spec(payment, { coverage }).given({ type: 'Charge', cents: 6_000 }).when({ type: 'Ping' }).thenRefused()
  expect(coverage.toJSON().definitions.payment?.messages).toEqual({
    'Charge\npayment.open\nhandled': 1,
    'Ping\npayment.unconfirmed\nrefused': 1,
  })
})

test('a coverage of other machines is refused', () => {
  const namesake = defineAggregate(contract('payment', {}), createMachine({ initial: 'other', states: { other: {} } }))
  for (const other of [fulfilment, namesake]) {
    const coverage = new Coverage([other])
    expect(() => spec(payment, { coverage })).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }))
  }
})

test('a copy that a coverage gave away may stand for the definition', () => {
  const coverage = new Coverage([payment])
  const [copy] = coverage.entities as readonly [typeof payment]
  spec(copy, { coverage }).when({ type: 'Charge', cents: 6_000 }).thenState('unconfirmed')
  expect(Object.keys(coverage.toJSON().definitions.payment?.states ?? {})).toContain('payment.unconfirmed')
})
