import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore } from '@interstate/store-memory'
import { beforeEach, describe, expect, test } from 'vitest'
import { audit } from '../src/audit.ts'
import { openCarrier, readLedger } from '../src/carrier.ts'
import { Cart } from '../src/cart.contract.ts'
import { Payment } from '../src/payment.contract.ts'
import { payment } from '../src/payment.ts'
import { openShop, type Shop } from '../src/shop.ts'
import { Stock } from '../src/stock.contract.ts'
import { stock } from '../src/stock.ts'
import { anOrder } from './order.ts'

let folder: string
let ledger: string
let shop: Shop
/** What was handled: `Release -> stock/luck`. */
let handled: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'potion-shop-test-'))
  ledger = join(folder, 'carrier.jsonl')
  handled = []
  shop = await openShop({
    store: memoryStore(),
    carrier: openCarrier(ledger),
    onSignal(signal) {
      if (signal.signal === 'turn' && signal.outcome === 'handled') handled.push(`${signal.type} -> ${signal.entity}`)
    },
  })
  await shop.stockUp()
  return async () => {
    await shop.close()
    await rm(folder, { recursive: true })
  }
})

const undoing = /^(Refund|Release) /
const threeLines = [
  { potion: 'healing', quantity: 1 },
  { potion: 'luck', quantity: 2 },
  { potion: 'courage', quantity: 3 },
]

async function endOf(order: ReturnType<typeof anOrder>) {
  await shop.take([order], { atOnce: 1 })
  await shop.endDay()
  return audit(shop, [order.order], ledger)
}

describe('an order', () => {
  test('that can be filled is paid once, booked once, and its bottles leave the house', async () => {
    const found = await endOf(anOrder({ order: 'o-1', lines: threeLines }))
    expect(found.endings.get('o-1')).toBe('delivered')
    expect(found.chargedCents).toBe(500 + 2 * 4_900 + 3 * 1_450)
    expect(found.refundedCents).toBe(0)
    expect(found.bookings).toEqual(new Map([['o-1', 1]]))
    expect(found.shelves.get('courage')).toEqual({ delivered: 1_000_000, left: 999_997, reserved: 0, sold: 3 })
    expect(handled.filter((each) => undoing.test(each))).toEqual([])
  })

  test('whose last line is sold out gives back the lines before it, newest first, and charges nothing', async () => {
    const lines = [...threeLines, { potion: 'unicorn', quantity: 1 }]
    const found = await endOf(anOrder({ order: 'o-1', lines }))
    expect(found.endings.get('o-1')).toBe('out-of-stock')
    expect(handled.filter((each) => undoing.test(each))).toEqual([
      'Release -> stock/courage',
      'Release -> stock/luck',
      'Release -> stock/healing',
    ])
    expect(found.chargedCents).toBe(0)
    expect([...found.shelves.values()].every(({ reserved, sold }) => reserved === 0 && sold === 0)).toBe(true)
  })

  test('whose first line is sold out has nothing to give back', async () => {
    const found = await endOf(anOrder({ order: 'o-1', lines: [{ potion: 'unicorn', quantity: 1 }, ...threeLines] }))
    expect(found.endings.get('o-1')).toBe('out-of-stock')
    expect(handled.filter((each) => undoing.test(each))).toEqual([])
  })

  test('above the limit of its customer is refused, and its bottles go back', async () => {
    const found = await endOf(anOrder({ order: 'o-1', lines: threeLines, limitCents: 14_649 }))
    expect(found.endings.get('o-1')).toBe('payment-refused')
    expect(found.chargedCents).toBe(0)
    expect(handled.filter((each) => undoing.test(each))).toHaveLength(3)
  })

  test('that costs just what its customer can pay is filled', async () => {
    const found = await endOf(anOrder({ order: 'o-1', lines: threeLines, limitCents: 14_650 }))
    expect(found.endings.get('o-1')).toBe('delivered')
  })

  test('that the carrier refuses is refunded first; then its bottles go back, newest first', async () => {
    const found = await endOf(anOrder({ order: 'o-1', lines: threeLines, shipTo: 'the Moon' }))
    expect(found.endings.get('o-1')).toBe('carrier-refused')
    expect(found.refundedCents).toBe(found.chargedCents)
    expect(handled.filter((each) => undoing.test(each))).toEqual([
      'Refund -> payment/o-1',
      'Release -> stock/courage',
      'Release -> stock/luck',
      'Release -> stock/healing',
    ])
  })

  test('that its customer never confirms times out after half an hour, and not before', async () => {
    await shop.take([anOrder({ order: 'o-1', lines: threeLines, confirms: false })], { atOnce: 1 })
    await shop.host.drain()
    expect((await shop.host.read(shop.fulfilment.at('o-1')))?.value).toBe('paying')
    await shop.endDay()
    const found = await audit(shop, ['o-1'], ledger)
    expect(found.endings.get('o-1')).toBe('timed-out')
    expect(found.chargedCents).toBe(0)
    expect(found.shelves.get('luck')?.left).toBe(1_000_000)
  })

  test('that is sent again changes nothing', async () => {
    const order = anOrder({ order: 'o-1', lines: threeLines })
    await endOf(order)
    const before = handled.length
    const found = await endOf(order)
    expect(handled).toHaveLength(before)
    expect(found.bookings.get('o-1')).toBe(1)
    expect(shop.host.counters().duplicates).toBe(2)
  })
})

describe('a payment', () => {
  test('confirmed before it is asked for is charged at once', async () => {
    await shop.host.send(Payment.at('o-1'), { type: 'Confirm' })
    await shop.host.send(Payment.at('o-1'), { type: 'Charge', cents: 6_000, limitCents: 9_000 })
    await shop.host.drain()
    expect((await shop.host.read(payment.at('o-1')))?.context).toMatchObject({ charged: 6_000, confirmed: true })
  })

  test('refunded before it was confirmed is never charged', async () => {
    await shop.host.send(Payment.at('o-1'), { type: 'Charge', cents: 6_000, limitCents: 9_000 })
    await shop.host.send(Payment.at('o-1'), { type: 'Refund' })
    await shop.host.send(Payment.at('o-1'), { type: 'Confirm' })
    await shop.host.drain()
    expect((await shop.host.read(payment.at('o-1')))?.context).toMatchObject({ charged: 0, refunded: 0 })
    expect(shop.host.counters().turns.ignored).toBe(1)
  })
})

describe('a stock', () => {
  test('never promises more than it has', async () => {
    await shop.host.send(Stock.at('unicorn'), { type: 'Deliver', quantity: 3 })
    const replies = await Promise.all(
      [1, 2, 3, 4, 5].map(() => shop.host.ask(Stock.at('unicorn'), { type: 'Reserve', quantity: 1 })),
    )
    expect(replies.filter((reply) => reply?.type === 'Reserved')).toHaveLength(3)
    expect((await shop.host.read(stock.at('unicorn')))?.context).toEqual({
      delivered: 3,
      left: 0,
      reserved: 3,
      sold: 0,
    })
  })

  test('refuses to take back what was never set aside', async () => {
    await expect(shop.host.ask(Stock.at('healing'), { type: 'Release', quantity: 1 })).rejects.toMatchObject({
      code: 'MESSAGE_REFUSED',
    })
  })
})

test('a cart is checked out once', async () => {
  const command = { type: 'CheckOut', lines: threeLines, limitCents: 0, shipTo: 'Mistvale' } as const
  await shop.host.ask(Cart.at('o-1'), command)
  await expect(shop.host.ask(Cart.at('o-1'), command)).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
})

test('an order whose host stops while the carrier is called is booked once all the same', async () => {
  const store = memoryStore()
  const first = await openShop({ store, carrier: openCarrier(ledger) })
  await first.stockUp()
  await first.take([anOrder({ order: 'o-1' })], { atOnce: 1 })
  while (readLedger(ledger).length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  await first.close()
  const second = await openShop({ store, carrier: openCarrier(ledger) })
  await second.host.drain()
  const found = await audit(second, ['o-1'], ledger)
  await second.close()
  expect(found.endings.get('o-1')).toBe('delivered')
  expect(found.bookings.get('o-1')).toBe(1)
})
