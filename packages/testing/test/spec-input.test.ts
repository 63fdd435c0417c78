// A spec that makes no sense says so, with a code, before anything is compared.
import { contract, defineAggregate } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, createMachine } from 'xstate'
import { z } from 'zod'
import { spec } from '../src/index.ts'
import { fulfilment, payment } from './spec-shop.ts'

const context = { order: 'o-1', potion: 'luck', shelf: 'a', from: '' }
const submitted = { type: 'order.Submitted', orderId: 'o-1', potion: 'luck' } as const
/** Without types, as a spec in JavaScript. */
const untyped = (it: unknown) => it as Record<string, (...args: unknown[]) => never>

function refusal(code: string, why: RegExp | string, body: () => unknown): void {
  expect(body).toThrow(expect.objectContaining({ code }))
  expect(body).toThrow(why)
}
const senseless = (why: RegExp | string, body: () => unknown) => refusal('SPEC_INVALID', why, body)

describe('messages', () => {
  test('that the contract does not know are refused as a host would', () => {
    refusal('MESSAGE_UNKNOWN', 'no command "Pay"', () => untyped(spec(payment)).when?.({ type: 'Pay' }))
    refusal('MESSAGE_UNKNOWN', 'has no `type`', () => untyped(spec(payment)).when?.({}))
    refusal('MESSAGE_UNKNOWN', 'has no `type`', () => untyped(spec(payment)).when?.())
    refusal('MESSAGE_RESERVED', "XState's own", () => untyped(spec(payment)).when?.({ type: 'xstate.done.actor.pay' }))
  })

  test('whose payload does not fit are refused as a host would, given or happening', () => {
    refusal('PAYLOAD_INVALID', /cents|small/i, () => spec(payment).when({ type: 'Charge', cents: -1 }))
    refusal('PAYLOAD_INVALID', /cents|small/i, () => spec(payment).given({ type: 'Charge', cents: -1 }))
    const event = { ...submitted, potion: 7 }
    refusal('PAYLOAD_INVALID', 'order.Submitted', () => untyped(spec(fulfilment)).when?.(event))
    const reply = { type: 'stock.Reserved' }
    refusal('PAYLOAD_INVALID', 'stock.Reserved', () => untyped(spec(fulfilment).given(submitted)).when?.(reply))
  })

  test('that nobody follows or asks for are refused, with those that are', () => {
    const list = /it gets order.Submitted, payment.Charged, payment.Refused, stock.Reserved, stock.rejected/
    for (const type of ['order.Withdrawn', 'payment.Noted', 'letter.Write', 'stock.Reserve', 'order.rejected']) {
      senseless(list, () => untyped(spec(fulfilment)).when?.({ type }))
    }
    senseless('nothing from others', () => untyped(spec(lamp)).when?.({ type: 'order.Submitted' }))
  })

  test('that find another saga are refused', () => {
    const it = spec(fulfilment, { key: 'o-2' })
    senseless('finds fulfilment/o-1, and this spec is about fulfilment/o-2', () => it.when(submitted))
    const another = { ...submitted, orderId: 'o-3' }
    senseless('finds fulfilment/o-3', () => spec(fulfilment).given(submitted).when(another))
  })

  test('that say of a refusal too little are refused', () => {
    const told = { type: 'stock.rejected' }
    senseless('{ command, reason }', () => untyped(spec(fulfilment).given(submitted)).when?.(told))
  })

  test('that were given and could not have been taken are refused', () => {
    const unconfirmed = spec(payment).given({ type: 'Charge', cents: 6_000 })
    senseless('would not have taken it (rejected)', () => unconfirmed.given({ type: 'Ping' }))
    senseless('(unmatched)', () => spec(fulfilment).given({ type: 'payment.Charged', cents: 1, at: 1 }))
    senseless('it fails', () => spec(payment).given({ type: 'Break' }))
  })
})

describe('a given state', () => {
  test('must exist in the machine', () => {
    senseless('"payment" has no state "paid"', () => untyped(spec(payment)).givenState?.('paid', { cents: 0 }))
    senseless('has no state {"booking":"nowhere"}', () =>
      untyped(spec(fulfilment)).givenState?.({ booking: 'nowhere' }, context),
    )
    for (const value of [undefined, null, 7, [], { open: {}, charged: {} }, '__proto__']) {
      senseless('"payment" has no state', () => untyped(spec(payment)).givenState?.(value, { cents: 0 }))
    }
  })

  test('has a context of plain data', () => {
    const of = (context: unknown) => () => untyped(spec(payment)).givenState?.('open', context)
    refusal('NOT_PLAIN_DATA', 'an instance of Date', of({ cents: new Date() }))
    refusal('NOT_PLAIN_DATA', 'the number NaN', of({ cents: Number.NaN }))
    senseless('is no context', of(undefined))
    senseless('is no context', of([]))
    senseless('is no context', of('text'))
  })

  test('stands at the beginning', () => {
    const unconfirmed = spec(payment).given({ type: 'Charge', cents: 6_000 })
    senseless('givenState before any other given', () => unconfirmed.givenState('open', { cents: 0, currency: '' }))
  })
})

describe('time', () => {
  test('does not go back, and is said in units', () => {
    const open = spec(payment).givenState('open', { cents: 0, currency: '' })
    const spans = [{ minutes: -1 }, { minutes: Number.NaN }, { days: Infinity }, {}, { milliseconds: 0.5 }, undefined]
    for (const span of spans) {
      senseless('is no span of time', () => untyped(open).whenPassed?.(span))
      senseless('is no span of time', () => untyped(open).givenPassed?.(span))
    }
    senseless('"fortnights" is no unit of time', () => untyped(open).whenPassed?.({ fortnights: 1 }))
    senseless('is no unit of time', () => untyped(open).whenPassed?.({ toString: 1 }))
    senseless('is no span of time', () =>
      open.when({ type: 'Charge', cents: 6_000 }).thenState('unconfirmed').thenTimer({ hours: -1 }),
    )
    senseless('is no time', () => spec(payment, { now: -1 }))
    senseless('is no time', () => spec(payment, { now: 0.5 }))
  })

  test('does not pass for an entity that has not come to life', () => {
    senseless('has not come to life', () => spec(payment).whenPassed({ hours: 1 }))
    senseless('has not come to life', () => spec(payment).givenPassed({ hours: 1 }))
  })
})

describe('effects', () => {
  const booking = spec(fulfilment).givenState('booking', context)

  test('end only where they run', () => {
    const end = { output: { number: 1 } }
    senseless('No effect "book" runs; none does', () => spec(fulfilment).whenEffect('book', end))
    senseless('these do: book (', () => untyped(booking).whenEffect?.('hook', end))
    senseless('with id "third"', () => booking.whenEffect('label', { output: '', id: 'third' }))
    senseless('one of first, second', () => booking.givenEffect('label', { output: '' }))
  })

  test('end in one way, with plain data', () => {
    senseless('say one of the two', () => untyped(booking).whenEffect?.('book', {}))
    senseless('say one of the two', () => untyped(booking).whenEffect?.('book', { output: 1, error: 2 }))
    refusal('NOT_PLAIN_DATA', 'function', () => untyped(booking).whenEffect?.('book', { output: () => 1 }))
    refusal('NOT_PLAIN_DATA', 'a bigint', () => untyped(booking).whenEffect?.('book', { error: 1n }))
  })
})

describe('definitions', () => {
  test('that no host would take are refused', () => {
    const Dead = contract('dead', { commands: { Wake: z.object({}) } })
    const dead = defineAggregate(Dead, createMachine({}))
    refusal('WIRING_INVALID', 'dead takes Wake', () => spec(dead))
    refusal('ADDRESS_INVALID', 'is not a valid key', () => spec(payment, { key: '' }))
  })

  test('whose machine asks the clock instead of its turn are told where', () => {
    refusal('NOT_DETERMINISTIC', 'Date.now', () => spec(hasty).when({ type: 'Blink' }))
  })

  test('whose machine never stops are told so', () => {
    const rings = spec(lamp).givenState('blinking', {})
    refusal('MESSAGES_LOOP', 'lamp/spec took 10000 turns on its own', () => rings.whenPassed({ minutes: 1 }))
  })
})

const Lamp = contract('lamp', { commands: { Blink: z.object({}) } })
const lamp = defineAggregate(
  Lamp,
  createMachine({
    initial: 'off',
    states: {
      off: { on: { Blink: 'blinking' } },
      blinking: { after: { 0: { target: 'blinking', reenter: true } } },
    },
  }),
)
const hasty = defineAggregate(
  Lamp,
  createMachine({ context: { at: 0 }, on: { Blink: { actions: assign({ at: () => Date.now() }) } } }),
)
