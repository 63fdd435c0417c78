// first-world.test.ts: the first world of the tutorial. It finds something: take the `.fails` away to see what.

// #region world
import { send, world } from '@interstate/testing'
import { test } from 'vitest'
import { Account, account } from '../src/account.ts'
import { transfer } from '../src/first/transfer.ts'
import { Transfer } from '../src/transfer.contract.ts'

const bank = world({ entities: [account, transfer] })
  .setup((w) => {
    w.send(Account.at('A'), { type: 'Open', cents: 500 })
    w.send(Account.at('B'), { type: 'Open', cents: 500 })
  })
  .stimuli({ start: [send(Transfer.at('1'), { type: 'Start', from: 'A', to: 'B', cents: 300 })] })
  .always('no money is made', (w) => w.all(account).reduce((sum, { context }) => sum + context.cents, 0) <= 1_000)

test.fails('no order of messages makes money', () => bank.check())
// #endregion
