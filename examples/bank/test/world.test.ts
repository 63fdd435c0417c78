// #region world
import { send, type WorldView, world } from '@interstate/testing'
import { expect, test } from 'vitest'
import { Account, account } from '../src/account.ts'
import { Transfer } from '../src/transfer.contract.ts'
import { transfer } from '../src/transfer.ts'
import { token } from './token.ts'

const start = (key: string, from: string, to: string, cents: number) =>
  send(Transfer.at(key), { type: 'Start', from, to, cents })
const total = (w: WorldView) => w.all(account).reduce((sum, { context }) => sum + context.cents, 0)

const calmBank = world({ entities: [account, transfer] })
  .setup((w) => {
    w.send(Account.at('A'), { type: 'Open', cents: 500 })
    w.send(Account.at('B'), { type: 'Open', cents: 500 })
  })
  .stimuli({ start: [start('1', 'A', 'B', 300)] })
  .always('no money is made', (w) => total(w) <= 1_000)
// #endregion

test('a world in which all goes well proves too little', async () => {
  const found = await calmBank.check().catch((error: unknown) => error as Error)
  expect(found).toMatchObject({ code: 'STATE_UNREACHED' })
  await expect(`${found instanceof Error ? found.message : ''}\n`).toMatchFileSnapshot('output/unreached.txt')
})

// #region bank
const bank = calmBank
  .stimuli({ tooMuch: [start('2', 'B', 'A', 700)], toNobody: [start('3', 'A', 'nobody', 100)] })
  .always('no account is overdrawn', (w) => w.all(account).every(({ context }) => context.cents >= 0))
  .eventually('all money is back on accounts', (w) => total(w) === 1_000)
  .eventually('every transfer comes to an end', (w) => w.all(transfer).every(({ status }) => status === 'done'))
// #endregion

// #region check
test('no order of messages makes money, or loses any', async () => {
  const report = await bank.check()
  console.info(String(report))
})
// #endregion

test('the report is what the tutorial shows', async () => {
  // How long it takes is another matter.
  const report = String(await bank.check()).replace(/[\d.]+ s, [\d,]+ states a second/, '… s, … states a second')
  await expect(`${report}\n`).toMatchFileSnapshot('output/green.txt')
})

// #region regression
test('a refund does not overtake the credit', () => bank.replay(token))
// #endregion

// #region simulate
test('nor does the real runtime, whatever happens to it', async () => {
  const report = await bank.simulate({ runs: 10, faults: 'harsh' })
  console.info(String(report))
})
// #endregion
