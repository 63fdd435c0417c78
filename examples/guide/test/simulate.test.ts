// #region imports
import { sqliteStore } from '@interstate/store-sqlite'
import { type SimulatedStore, send, world } from '@interstate/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cart, cart } from '../src/tutorial/cart.ts'
import { fulfilment } from '../src/tutorial/fulfilment.ts'
import { Payment, payment } from '../src/tutorial/payment.ts'
import { Stock, stock } from '../src/tutorial/stock.ts'
import { temporaryFile } from './temporary.ts'

// #endregion

// #region world
const number = fc.constantFrom('o-1', 'o-2', 'o-3')

const shop = world({ entities: [cart, stock, payment, fulfilment] })
  .setup((w) => w.send(Stock.at('healing'), { type: 'Deliver', quantity: 30 }))
  .stimuli({
    checkOut: fc
      .record({ number, quantity: fc.integer({ min: 1, max: 20 }), cents: fc.constantFrom(500, 6_000, 60_000) })
      .map(({ number: key, ...order }) => send(Cart.at(key), { type: 'CheckOut', potion: 'healing', ...order })),
    confirm: number.map((key) => send(Payment.at(key), { type: 'Confirm' })),
  })
  .always('no bottle comes from nowhere', (w) =>
    w.all(stock).every(({ context: { left, reserved, sold } }) => left + reserved + sold === 30),
  )
  .eventually('no bottle is set aside for nobody', (w) => w.all(stock).every(({ context }) => context.reserved === 0))
  .sometimes('an order is delivered', (w) => w.any(fulfilment, ({ context }) => context.outcome === 'delivered'))
// #endregion

// #region simulate
test('no bottle gets lost, whatever fails', async () => {
  const report = await shop.simulate({ runs: 20, faults: 'harsh' })
  expect(report.crashes).toBeGreaterThan(0)
})
// #endregion

// #region hosts
test('nor where three hosts share the work', async () => {
  const report = await shop.simulate({ runs: 10, hosts: 3, faults: 'harsh' })
  expect(report.crashes).toBeGreaterThan(0)
})
// #endregion

// #region stores
const file: SimulatedStore = {
  name: 'sqlite',
  open: () => {
    const path = temporaryFile()
    let store = sqliteStore({ path })
    return {
      store,
      reopen: async () => {
        await store.close()
        store = sqliteStore({ path })
        return store
      },
      close: () => store.close(),
    }
  },
}

test('nor on a file', async () => {
  await shop.simulate({ runs: 5, stimuli: 10, faults: { crash: 0.2, lateWrite: 0.1 }, stores: [file] })
})
// #endregion
