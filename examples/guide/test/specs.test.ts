// #region imports
import { spec } from '@interstate/testing'
import { expect, test } from 'vitest'
import { labelWith } from '../src/how-to/effects.ts'
import { Letter, pickup } from '../src/how-to/timers.ts'
import { fulfilment } from '../src/tutorial/fulfilment.ts'
import { Payment, payment } from '../src/tutorial/payment.ts'
import { Stock } from '../src/tutorial/stock.ts'

// #endregion

// #region first
test('a payment above the limit is refused', () => {
  spec(payment)
    .when({ type: 'Charge', cents: 60_000 })
    .thenState('refused')
    .thenPublishes({ type: 'Refused', reason: 'above the limit' })
})
// #endregion

// #region history
test('what was taken is given back', () => {
  spec(payment)
    .given({ type: 'Charge', cents: 1_200 })
    .when({ type: 'Refund' })
    .thenPublishes({ type: 'Refunded', cents: 1_200 })
    .thenContext({ taken: 0 })
})

test('a second charge is not taken', () => {
  const charged = spec(payment).given({ type: 'Charge', cents: 1_200 })
  charged.when({ type: 'Charge', cents: 1_200 }).thenRefused()
})
// #endregion

// #region saga
test('a customer who does not confirm within half an hour gets the money back', () => {
  spec(fulfilment, { key: 'o-1' })
    .given({ type: 'cart.CheckedOut', potion: 'healing', quantity: 12, cents: 6_000 })
    .given({ type: 'stock.Reserved' })
    .whenPassed({ minutes: 30 })
    .thenState('undoingPayment')
    .thenSends(Payment.at('o-1'), { type: 'Refund' })
})
// #endregion

// #region state
test('a refused payment puts the bottles back', () => {
  spec(fulfilment, { key: 'o-1' })
    .givenState('paying', { id: 'o-1', potion: 'luck', quantity: 2, cents: 9_800, outcome: '' })
    .when({ type: 'payment.Refused', reason: 'above the limit' })
    .thenSends(Stock.at('luck'), { type: 'Release', quantity: 2 })
    .thenDone()
    .thenContext({ outcome: 'payment refused' })
})
// #endregion

// #region timers
test('a customer is reminded after two hours, and waited for two more', () => {
  const ready = spec(pickup, { key: 'o-1' }).given({ type: 'Ready' })
  const reminder = { type: 'Write', text: 'Your potion is ready.' } as const

  ready.whenPassed({ hours: 2 }).thenSends(Letter.at('o-1'), reminder)
  ready.givenPassed({ hours: 2 }).whenPassed({ hours: 2 }).thenState('shelved')
  ready.given({ type: 'Collect' }).whenPassed({ days: 1 }).thenNothing()
})

test('the reminder and the patience are set when the potion is ready', () => {
  spec(pickup, { key: 'o-1' })
    .when({ type: 'Ready' })
    .thenSends(Letter.at('o-1'), { type: 'Write', text: 'Your potion is ready.' }, { after: { hours: 2 } })
    .thenTimer({ hours: 4 })
})
// #endregion

const label = labelWith({ print: async () => ({ sheet: 0 }) })

// #region effects
test('a label that jams can be printed again', () => {
  spec(label).when({ type: 'Print', text: 'Luck' }).thenStarts('print', { text: 'Luck' })

  const printing = spec(label).given({ type: 'Print', text: 'Luck' })
  printing.whenEffect('print', { output: { sheet: 7 } }).thenReplies({ type: 'Printed', sheet: 7 })
  printing
    .whenEffect('print', { error: new Error('jam') })
    .thenState('empty')
    .thenReplies({ type: 'Failed', why: 'jam' })
})
// #endregion

// #region strict
test('a refused payment is refused, whatever else comes of it', () => {
  spec(payment).when({ type: 'Charge', cents: 60_000 }).thenState('refused').andAnythingElse()
})
// #endregion

test('a failure looks as the page shows it', async () => {
  const wrong = () =>
    spec(payment)
      .given({ type: 'Charge', cents: 6_000 })
      .when({ type: 'Confirm' })
      .thenPublishes({ type: 'Charged', cents: 600 })
  const message = (): string => {
    try {
      wrong()
    } catch (error) {
      return String(error)
    }
    return 'The spec holds.'
  }
  await expect(`${message().trimEnd()}\n`).toMatchFileSnapshot('output/spec-failure.txt')
})
