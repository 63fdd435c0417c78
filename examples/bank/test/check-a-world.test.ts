// What the how-to "Check a world" shows.

// #region imports
import { Coverage, type EffectCall, send, type WorldView, world } from '@interstate/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Account, account } from '../src/account.ts'
import { Letter, letter } from '../src/letter.ts'
import { Transfer } from '../src/transfer.contract.ts'
import { transfer } from '../src/transfer.ts'

const start = (key: string, from: string, to: string, cents: number) =>
  send(Transfer.at(key), { type: 'Start', from, to, cents })
const total = (w: WorldView) => w.all(account).reduce((sum, { context }) => sum + context.cents, 0)
// #endregion

// #region setup
const opened = world({ entities: [account, transfer] }).setup((w) => {
  w.send(Account.at('A'), { type: 'Open', cents: 500 })
  w.send(Account.at('B'), { type: 'Open', cents: 500 })
})
// #endregion

// #region lists
const bank = opened
  .stimuli({
    there: [start('1', 'A', 'B', 300), start('2', 'A', 'B', 300)],
    back: [start('3', 'B', 'A', 700)],
    toNobody: [start('4', 'A', 'nobody', 100)],
  })
  // #endregion
  // #region properties
  .always('no money is made', (w) => total(w) <= 1_000)
  .eventually('all money is back on accounts', (w) => total(w) === 1_000)
  .sometimes('a transfer is overdue', (w) => w.any(transfer, (each) => each.matches({ crediting: 'overdue' })))
// #endregion

test('the bank is right', async () => {
  // #region scope
  const report = await bank.check({ stimuli: 3, duplicates: 1, crashes: 0 })
  expect(report.unreached).toEqual([])
  // #endregion
})

// #region arbitrary
const anyTransfer = fc
  .record({
    key: fc.constantFrom('1', '2'),
    from: fc.constantFrom('A', 'B'),
    to: fc.constantFrom('A', 'B', 'nobody'),
    cents: fc.integer({ min: 1, max: 600 }),
  })
  .map(({ key, from, to, cents }) => start(key, from, to, cents))

test('drawn transfers make no money', async () => {
  const drawn = opened.stimuli({ start: anyTransfer }).always('no money is made', (w) => total(w) <= 1_000)
  await drawn.check({ stimuli: 2, values: 6, seed: 7, unreached: 'report' })
})
// #endregion

// #region derived
test('whatever fits the contract, every message is handled and nobody is stuck', async () => {
  await opened.check({ stimuli: 2, unreached: 'report' })
})
// #endregion

// #region effects
type Office = { posted: Record<string, string> }
type Post = EffectCall<Office, { to: string }>

const post = world({ entities: [letter] })
  .outside<Office>({ posted: {} })
  .stimuli({ write: [send(Letter.at('1'), { type: 'Write', to: 'Ada' })] })
  .always('a letter is posted once', (w) => Object.keys(w.outside.posted).length <= 1)

const office = post.effects({
  post: ({ input, idempotencyKey, outside }: Post) => {
    outside.posted[idempotencyKey] = input.to
    return null
  },
})
// #endregion

// #region accept
test('a letter is posted once, whenever the host crashes', async () => {
  await office.accept('STATE_UNREACHED letter.waiting').check({ crashes: 2 })
})
// #endregion

test('an office that forgets the key posts twice', async () => {
  const forgetful = post.effects({
    // #region keyless
    post: ({ input, outside }: Post) => {
      outside.posted[`letter ${Object.keys(outside.posted).length + 1}`] = input.to
      return null
    },
    // #endregion
  })
  await expect(forgetful.check()).rejects.toMatchObject({ finding: 'INVARIANT_BROKEN a letter is posted once' })
})

// #region ways
const moody = post
  .effects({
    post: [
      ({ input, outside }: Post) => {
        outside.posted[input.to] = 'posted'
        return null
      },
      () => {
        throw new Error('closed today')
      },
    ],
  })
  .eventually('every letter is posted', (w) => w.all(letter).every((each) => each.matches('posted')))
// #endregion

test('a count that grows stops the search', async () => {
  // #region stopped
  const stopped = moody.check({ maxStates: 5_000 })
  await expect(stopped).rejects.toMatchObject({ code: 'SEARCH_STOPPED' })
  // #endregion
})

// #region abstract
test('a letter is posted in the end', async () => {
  await moody.abstract(letter, ({ to }) => to).check()
})
// #endregion

test('what is left out must not matter', async () => {
  const tired = moody
    .abstract(letter, ({ to }) => to)
    .sometimes('nobody tries twice', (w) => w.all(letter).every(({ context }) => context.attempts < 2))
  await expect(tired.check()).rejects.toMatchObject({ finding: 'ABSTRACTION_HIDES nobody tries twice' })
})

test('transfers that are alike are looked at in one order', async () => {
  // #region interchangeable
  const alike = opened
    .stimuli({ start: ['1', '2', '3'].map((key) => start(key, 'A', 'B', 200)) })
    .always('no money is made', (w) => total(w) <= 1_000)
  const all = await alike.check({ unreached: 'report' })
  const fewer = await alike.interchangeable(Transfer, ['1', '2', '3']).check({ unreached: 'report' })
  expect(fewer.states).toBeLessThan(all.states / 3)
  // #endregion
})

// #region progress
test('a larger scope, with a minute to look at it', { timeout: 60_000 }, async () => {
  const onProgress = ({ states, frontier }: { states: number; frontier: number }) =>
    console.info(`${states} states, ${frontier} to look at`)
  await bank.check({ stimuli: 4, onProgress })
})
// #endregion

// #region coverage
test('the bank takes every transition that its machines have', async () => {
  const coverage = new Coverage([account, transfer])
  const watched = world({ entities: [account, transfer], coverage })
    // #endregion
    .setup((w) => {
      w.send(Account.at('A'), { type: 'Open', cents: 500 })
      w.send(Account.at('B'), { type: 'Open', cents: 500 })
    })
    .stimuli({ start: [start('1', 'A', 'B', 300), start('2', 'B', 'A', 700), start('3', 'A', 'nobody', 100)] })
  // #region require
  await watched.check()
  expect(() => coverage.require({ transitions: 100 })).toThrow('account.closed on Debit')

  await watched.stimuli({ fromNobody: [start('4', 'nobody', 'A', 100)] }).check()
  coverage.require({ transitions: 100 })
  // #endregion
})
