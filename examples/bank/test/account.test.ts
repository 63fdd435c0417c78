// The specs of an account.

// #region spec
import { spec } from '@interstate/testing'
import { test } from 'vitest'
import { account } from '../src/account.ts'

const rich = spec(account).given({ type: 'Open', cents: 500 })

test('an account pays what it has', () => {
  rich.when({ type: 'Debit', cents: 300 }).thenReplies({ type: 'Debited' }).thenContext({ cents: 200 })
})

test('an account declines to pay more', () => {
  rich.when({ type: 'Debit', cents: 501 }).thenReplies({ type: 'Declined' }).thenContext({ cents: 500 })
})

test('an account takes what it is sent', () => {
  rich.when({ type: 'Credit', cents: 300 }).thenReplies({ type: 'Credited' }).thenContext({ cents: 800 })
})

test('an account that was never opened declines', () => {
  spec(account).when({ type: 'Credit', cents: 300 }).thenReplies({ type: 'Declined' })
})
// #endregion
