// What each machine of the shop does on its own, in sentences.
import { spec } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { Cart } from '../src/cart.contract.ts'
import { cart } from '../src/cart.ts'
import { confirmAboveCents } from '../src/catalogue.ts'
import { fulfilmentWith } from '../src/fulfilment.ts'
import { Payment } from '../src/payment.contract.ts'
import { payment } from '../src/payment.ts'
import { Stock } from '../src/stock.contract.ts'
import { stock } from '../src/stock.ts'

describe('a payment', () => {
  const limitCents = 100_000
  const charge = (cents: number) => ({ type: 'Charge', cents, limitCents }) as const

  test('above what the customer can pay is refused', () => {
    spec(payment)
      .when(charge(limitCents + 1))
      .thenDone()
      .thenState('refused')
      .thenPublishes({ type: 'Refused', reason: 'above the limit' })
  })

  test('up to the house rule is taken at once', () => {
    spec(payment)
      .when(charge(confirmAboveCents))
      .thenState('charged')
      .thenPublishes({ type: 'Charged', cents: confirmAboveCents })
  })

  test('above the house rule waits for the customer, whenever the customer confirms', () => {
    spec(payment).when(charge(5_001)).thenState('unconfirmed')
    spec(payment).given(charge(5_001)).when({ type: 'Confirm' }).thenPublishes({ type: 'Charged', cents: 5_001 })
    spec(payment).given({ type: 'Confirm' }).when(charge(5_001)).thenPublishes({ type: 'Charged', cents: 5_001 })
  })

  test('is given back as it was taken, once', () => {
    const charged = spec(payment).given(charge(1_200))
    charged.when({ type: 'Refund' }).thenState('refunded').thenPublishes({ type: 'Refunded', cents: 1_200 })
    charged.given({ type: 'Refund' }).when({ type: 'Refund' }).thenRefused()
  })

  test('that was never taken gives back nothing, and is not taken after all', () => {
    const unconfirmed = spec(payment).given(charge(5_001))
    unconfirmed.when({ type: 'Refund' }).thenPublishes({ type: 'Refunded', cents: 0 })
    unconfirmed.given({ type: 'Refund' }).when({ type: 'Confirm' }).thenIgnored()
  })
})

describe('a stock', () => {
  const of = (left: number, reserved = 0) =>
    spec(stock).givenState({}, { delivered: left + reserved, left, reserved, sold: 0 })

  test('sets aside what it has, and no bottle more', () => {
    of(3).when({ type: 'Reserve', quantity: 3 }).thenReplies({ type: 'Reserved' }).thenContext({ left: 0, reserved: 3 })
    of(3).when({ type: 'Reserve', quantity: 4 }).thenReplies({ type: 'SoldOut' }).thenContext({ left: 3, reserved: 0 })
    spec(stock).when({ type: 'Reserve', quantity: 1 }).thenReplies({ type: 'SoldOut' })
  })

  test('puts back and sends out only what was set aside', () => {
    of(0, 2).when({ type: 'Release', quantity: 2 }).thenReplies({ type: 'Released' }).thenContext({ left: 2 })
    of(0, 2).when({ type: 'Dispatch', quantity: 2 }).thenContext({ reserved: 0, sold: 2 }).thenNothing()
    of(5, 1).when({ type: 'Release', quantity: 2 }).thenRefused()
    of(5, 1).when({ type: 'Dispatch', quantity: 2 }).thenRefused()
  })
})

describe('a cart', () => {
  const order = { lines: [{ potion: 'healing', quantity: 2 }], limitCents: 10_000, shipTo: 'Mistvale' }

  test('is checked out once, at the price of the house', () => {
    spec(cart)
      .when({ type: 'CheckOut', ...order })
      .thenPublishes({ type: 'CheckedOut', cents: 1_000, ...order })
    spec(cart)
      .given({ type: 'CheckOut', ...order })
      .when({ type: 'CheckOut', ...order })
      .thenRefused()
  })

  test('remembers how its order ended', () => {
    spec(cart)
      .given({ type: 'CheckOut', ...order })
      .when({ type: 'Close', outcome: 'timed-out' })
      .thenDone()
      .thenContext({ outcome: 'timed-out' })
  })
})

describe('a fulfilment', () => {
  const fulfilment = fulfilmentWith({ book: () => Promise.reject(new Error('A spec calls nobody.')) })
  const lines = [
    { potion: 'healing', quantity: 1 },
    { potion: 'luck', quantity: 2 },
  ]
  const order = { cents: 10_300, lines, limitCents: 20_000, shipTo: 'Mistvale' }
  const start = spec(fulfilment, { key: 'o-1' })
  const reserving = start.given({ type: 'cart.CheckedOut', ...order })
  const paying = reserving.given({ type: 'stock.Reserved' }, { type: 'stock.Reserved' })
  const booking = paying.given({ type: 'payment.Charged', cents: 10_300 })

  test('sets line after line aside, then asks for the money', () => {
    start.when({ type: 'cart.CheckedOut', ...order }).thenSends(Stock.at('healing'), { type: 'Reserve', quantity: 1 })
    reserving.when({ type: 'stock.Reserved' }).thenSends(Stock.at('luck'), { type: 'Reserve', quantity: 2 })
    reserving
      .given({ type: 'stock.Reserved' })
      .when({ type: 'stock.Reserved' })
      .thenState('paying')
      .thenSends(Payment.at('o-1'), { type: 'Charge', cents: 10_300, limitCents: 20_000 })
      .thenTimer({ minutes: 30 })
  })

  test('books the carrier when it is paid, and all bottles leave the house when that is done', () => {
    paying.when({ type: 'payment.Charged', cents: 10_300 }).thenStarts('book', { order: 'o-1', shipTo: 'Mistvale' })
    booking
      .whenEffect('book', { output: { says: 'booked', booking: 'b-1' } })
      .thenDone()
      .thenSends(Stock.at('healing'), { type: 'Dispatch', quantity: 1 })
      .thenSends(Stock.at('luck'), { type: 'Dispatch', quantity: 2 })
      .thenSends(Cart.at('o-1'), { type: 'Close', outcome: 'delivered' })
  })

  test('that finds a potion sold out puts back what it had, newest first', () => {
    reserving
      .when({ type: 'stock.SoldOut' })
      .thenDone()
      .thenSends(Cart.at('o-1'), { type: 'Close', outcome: 'out-of-stock' })
    reserving
      .given({ type: 'stock.Reserved' })
      .when({ type: 'stock.SoldOut' })
      .thenState('releasing')
      .thenSends(Stock.at('healing'), { type: 'Release', quantity: 1 })
    paying
      .given({ type: 'payment.Refused', reason: 'above the limit' })
      .when({ type: 'stock.Released' })
      .thenSends(Stock.at('healing'), { type: 'Release', quantity: 1 })
  })

  test('whose customer does not confirm within half an hour is undone', () => {
    paying.whenPassed({ minutes: 29, seconds: 59 }).thenState('paying').thenNothing()
    paying.whenPassed({ minutes: 30 }).thenState('refunding').thenSends(Payment.at('o-1'), { type: 'Refund' })
  })

  test('whose customer confirms in the very last moment is undone all the same', () => {
    const refunding = paying.givenPassed({ minutes: 30 })
    refunding.when({ type: 'payment.Charged', cents: 10_300 }).thenState('refunding').thenNothing()
    refunding
      .given({ type: 'payment.Charged', cents: 10_300 })
      .when({ type: 'payment.Refunded', cents: 10_300 })
      .thenSends(Stock.at('luck'), { type: 'Release', quantity: 2 })
  })

  test('that no carrier takes is paid back', () => {
    booking
      .whenEffect('book', { output: { says: 'refused', why: 'no way to Mistvale' } })
      .thenContext({ outcome: 'carrier-refused' })
      .thenSends(Payment.at('o-1'), { type: 'Refund' })
  })

  test('whose carrier breaks fails, and waits for a person', () => {
    booking.whenEffect('book', { error: new Error('out of horses') }).thenFails('EFFECT_FAILED')
  })

  test('is not confused by a message that it does not wait for: it parks', () => {
    reserving.when({ type: 'payment.Charged', cents: 10_300 }).thenParked()
    expect(fulfilment.unhandled).toBe('park')
  })
})
