// #region imports
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { Coverage, type CoverageData, send, spec, VirtualEnv, world } from '@interstate/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Payment, payment } from '../src/tutorial/payment.ts'

const coverage = new Coverage([payment])

// #endregion
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'interstate-coverage-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

// #region spec
test('a small amount is taken at once', () => {
  spec(payment, { coverage })
    .when({ type: 'Charge', cents: 1_200 })
    .thenState('charged')
    .thenPublishes({ type: 'Charged', cents: 1_200 })
})
// #endregion

test('what one spec covers', async () => {
  await quoted('coverage-one-spec.txt', coverage.text())
  expect(coverage.report().total.states).toMatchObject({ covered: 3, total: 6 })
})

test('a threshold that is not reached fails with the names of what is missing', async () => {
  // #region require
  const demand = () => coverage.require({ states: 100, transitions: 90 })
  // #endregion
  let message = ''
  try {
    demand()
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toContain('payment.unconfirmed on Refund')
  await quoted('coverage-low.txt', message)
})

// #region world
test('every payment comes to an end that someone can act on', async () => {
  const at = Payment.at('o-1')
  await world({ entities: [payment], coverage })
    .stimuli({
      charge: [send(at, { type: 'Charge', cents: 1_200 }), send(at, { type: 'Charge', cents: 6_000 })],
      tooMuch: [send(at, { type: 'Charge', cents: 60_000 })],
      confirm: [send(at, { type: 'Confirm' })],
      refund: [send(at, { type: 'Refund' })],
    })
    .check({ stimuli: 3 })
})
// #endregion

test('a host is measured while it runs', async () => {
  // #region host
  const measured = new Coverage([payment])
  await using host = await createHost({
    entities: measured.entities,
    store: memoryStore(),
    env: new VirtualEnv(),
    onSignal: measured.listener,
  })
  await host.send(Payment.at('o-1'), { type: 'Charge', cents: 1_200 })
  await host.send(Payment.at('o-1'), { type: 'Charge', cents: 1_200 })
  await host.drain()
  expect(measured.text('payment')).toContain('| Charge  | ✓1   | ·           | ✗1      |')
  coverage.merge(measured)
  // #endregion
  await quoted('coverage-messages.txt', measured.text('payment'))
})

// #region page
afterAll(() => {
  mkdirSync('coverage', { recursive: true })
  writeFileSync('coverage/payment.html', coverage.html({ title: 'Payment' }))
})
// #endregion

test('all of them together cover the machine', () => {
  expect(() => coverage.require({ states: 100, transitions: 100, guards: 100 })).not.toThrow()
})

test('counts of several files are joined', () => {
  // #region write
  const file = join(folder, 'payment.json')
  writeFileSync(file, JSON.stringify(coverage))
  // #endregion
  const files = [file, file]
  // #region join
  const all = new Coverage([payment])
  for (const each of files) all.merge(JSON.parse(readFileSync(each, 'utf8')) as CoverageData)
  all.require({ states: 100, transitions: 100 })
  // #endregion
  expect(all.report().total).toEqual(coverage.report().total)
})

/** Output that the page quotes; `vitest -u` writes it anew. */
async function quoted(name: string, text: string): Promise<void> {
  await expect(`${text}\n`).toMatchFileSnapshot(`output/${name}`)
}
