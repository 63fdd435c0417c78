// The specs of the transfer as it was first written: all green.
// #region history
import { Coverage, spec } from '@interstate/testing'
import { test } from 'vitest'
import { Account } from '../src/account.ts'
import { transfer } from '../src/first/transfer.ts'

const coverage = new Coverage([transfer])
const started = spec(transfer, { coverage }).given({ type: 'Start', from: 'A', to: 'B', cents: 300 })
const debited = started.given({ type: 'account.Debited' })
// #endregion

test('a transfer takes the money first', () => {
  spec(transfer, { coverage })
    .when({ type: 'Start', from: 'A', to: 'B', cents: 300 })
    .thenSends(Account.at('A'), { type: 'Debit', cents: 300 })
})

test('a transfer is declined when the money is not there', () => {
  started.when({ type: 'account.Declined' }).thenState('declined').thenDone()
})

test('a transfer pays what it has taken, and is done', () => {
  started.when({ type: 'account.Debited' }).thenSends(Account.at('B'), { type: 'Credit', cents: 300 })
  debited.when({ type: 'account.Credited' }).thenState('done').thenDone()
})

test('a transfer gives back what nobody takes', () => {
  debited.when({ type: 'account.Declined' }).thenSends(Account.at('A'), { type: 'Credit', cents: 300 })
})

// #region timeout
test('a transfer gives back what is not taken within a minute', () => {
  debited.whenPassed({ minutes: 1 }).thenSends(Account.at('A'), { type: 'Credit', cents: 300 })
})
// #endregion

test('a transfer that has given back is done', () => {
  debited.given({ type: 'account.Declined' }).when({ type: 'account.Credited' }).thenState('refunded').thenDone()
})

// #region coverage
test('and nothing of a transfer is left out', () => {
  coverage.require({ states: 100, transitions: 100, timers: 100 })
})
// #endregion
