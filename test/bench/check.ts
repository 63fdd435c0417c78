// check.ts: how many states a second the search of the testing kit looks at, in the world of two accounts and transfers.
import { send, type WorldView, world } from '@interstate/testing'
import { Account, account, Transfer, transferOf } from '../simulation/bank.ts'
import type { Sample } from './hosted.ts'

const transfer = transferOf()
const cents = 300
const transfers = [
  ['1', 'A', 'B'],
  ['2', 'B', 'A'],
  ['3', 'A', 'B'],
  ['4', 'B', 'A'],
] as const

/** Money on accounts, and what was taken from one and has not come to another. */
function total(w: WorldView): number {
  const onAccounts = w.all(account).reduce((sum, { context }) => sum + context.cents, 0)
  const taken = w.underWay.filter(({ type }) => type === 'account.Debited').length
  const arriving = w.underWay.filter(({ type }) => type === 'Credit').length
  return onAccounts + (taken + arriving) * cents
}

const bank = world({ entities: [account, transfer] })
  .setup((w) => {
    w.send(Account.at('A'), { type: 'Open', cents: 500 })
    w.send(Account.at('B'), { type: 'Open', cents: 500 })
  })
  .stimuli({
    start: transfers.map(([key, from, to]) => send(Transfer.at(key), { type: 'Start', from, to, cents })),
  })
  .effects({ notify: () => null })
  .always('money is conserved', (w) => total(w) === 1_000)
  .always('no account is overdrawn', (w) => w.all(account).every(({ context }) => context.cents >= 0))
  .eventually('every transfer settles', (w) => w.all(transfer).every(({ status }) => status === 'done'))

/** One check of four transfers, in any order. */
export async function runCheck(): Promise<Sample> {
  const { states, steps, ms } = await bank.check({ stimuli: 4, crashes: 0, unreached: 'report' })
  return { perSecond: (states / ms) * 1_000, rssMB: process.memoryUsage().rss / 2 ** 20, states, steps }
}
