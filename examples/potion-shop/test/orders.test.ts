import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCarrier, readLedger } from '../src/carrier.ts'
import { generateOrders, toText } from '../src/generate-orders.ts'
import { OrderBook } from '../src/order-book.ts'
import { readOrders } from '../src/orders.ts'
import { outcomes } from '../src/outcome.ts'
import { contested, outcomeOf, tallyOf } from '../src/tally.ts'
import { anOrder } from './order.ts'

const committed = readFileSync(new URL('../orders.jsonl', import.meta.url), 'utf8')

test('the committed orders are what the generator makes', () => {
  expect(committed).toBe(toText(generateOrders(6_000)))
})

test('the committed orders show every outcome, and none of them depends on another order', () => {
  const { lines, bad } = readOrders(committed)
  const orders = lines.map(({ order }) => order)
  const { outcomes: counts } = tallyOf(orders)
  expect(bad).toEqual([])
  expect(orders).toHaveLength(6_000)
  expect(outcomes.map((outcome) => counts[outcome]).every((count) => count > 100)).toBe(true)
  expect(contested(orders)).toEqual([])
})

test('a bad line is told by its number, and the others are read', () => {
  const good = JSON.stringify(anOrder({ order: 'o-1' }))
  const rows = [
    '\uFEFF{',
    good,
    '',
    'null',
    good.replace('healing', 'toString'),
    good.replace('"quantity":2', '"quantity":-2'),
    good.replace('o-1', 'o/1'),
    good.replace('2026-01-31', '2026-02-31'),
    good.replace('2026', '1926'),
    good.replace('"confirms":true,', ''),
  ]
  const { lines, bad } = readOrders(rows.join('\r\n'))
  expect(lines.map(({ line }) => line)).toEqual([2])
  expect(bad.map(({ line }) => line)).toEqual([1, 4, 5, 6, 7, 8, 9, 10])
  expect(bad[2]?.problem).toBe('lines.0.potion: is no potion of this shop')
})

test('the number of another order is refused, the same order again is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'potion-shop-test-'))
  const path = join(folder, 'orders.jsonl')
  const order = anOrder({ order: 'o-1' })
  const book = new OrderBook(path)
  expect(book.enter([{ line: 1, order }])).toEqual([])
  expect(book.enter([{ line: 1, order }])).toEqual([])
  expect(book.enter([{ line: 7, order: { ...order, limitCents: 1 } }])).toMatchObject([{ line: 7 }])
  await writeFile(path, `${await readFile(path, 'utf8')}{"order":"o-2","pla`)
  const reopened = new OrderBook(path)
  reopened.enter([{ line: 1, order: anOrder({ order: 'o-3' }) }])
  expect([...new OrderBook(path).orders.keys()]).toEqual(['o-1', 'o-3'])
  await rm(folder, { recursive: true })
})

test('the tally tells an outcome from an order alone', () => {
  const luck = [{ potion: 'luck', quantity: 2 }]
  expect(outcomeOf(anOrder({ order: '1' }))).toBe('delivered')
  expect(outcomeOf(anOrder({ order: '2', lines: [...luck, { potion: 'unicorn', quantity: 1 }] }))).toBe('out-of-stock')
  expect(outcomeOf(anOrder({ order: '3', limitCents: 999 }))).toBe('payment-refused')
  expect(outcomeOf(anOrder({ order: '4', limitCents: 1_000, confirms: false }))).toBe('delivered')
  expect(outcomeOf(anOrder({ order: '5', lines: luck, confirms: false }))).toBe('timed-out')
  expect(outcomeOf(anOrder({ order: '6', shipTo: 'the Moon' }))).toBe('carrier-refused')
})

test('more ordered than there is: the tally says that it cannot foretell', () => {
  const orders = Array.from({ length: 1_100 }, (_, index) =>
    anOrder({ order: `o-${index}`, lines: [{ potion: 'luck', quantity: 999 }] }),
  )
  expect(contested(orders)).toEqual(['luck'])
})

test('the carrier books a key once, whoever asks again and whatever was left half written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'potion-shop-test-'))
  const path = join(folder, 'carrier.jsonl')
  const parcel = { order: 'o-1', shipTo: 'Mistvale' }
  const first = await openCarrier(path).book(parcel, 'key-1')
  await writeFile(path, `${await readFile(path, 'utf8')}{"key":"key-2","or`)
  const carrier = openCarrier(path)
  expect(await carrier.book(parcel, 'key-1')).toEqual(first)
  expect(await carrier.book({ order: 'o-2', shipTo: 'Mistvale' }, 'key-2')).toMatchObject({ says: 'booked' })
  expect(readLedger(path).filter((entry) => 'booking' in entry)).toHaveLength(2)
  await rm(folder, { recursive: true })
})
