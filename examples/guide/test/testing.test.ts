// #region imports
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { expect, test } from 'vitest'
import { Cart, cart } from '../src/tutorial/cart.ts'
import { fulfilment } from '../src/tutorial/fulfilment.ts'
import { Payment, payment } from '../src/tutorial/payment.ts'
import { Stock, stock } from '../src/tutorial/stock.ts'

const entities = [cart, stock, payment, fulfilment]
// #endregion

// #region time
test('a customer who does not confirm within half an hour gets no potion', async () => {
  const env = new VirtualEnv()
  await using host = await createHost({ entities, store: memoryStore(), env })
  await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 30 })
  await host.drain()
  await host.send(Cart.at('o-1'), { type: 'CheckOut', potion: 'healing', quantity: 12, cents: 6_000 })
  await host.drain()

  await env.advance(30 * 60_000)

  expect((await host.read(fulfilment.at('o-1')))?.context.outcome).toBe('timed out')
  expect((await host.read(stock.at('healing')))?.context).toEqual({ left: 30, reserved: 0, sold: 0 })
})
// #endregion

// #region restart
test('a confirmation after a restart still counts', async () => {
  const env = new VirtualEnv()
  const store = memoryStore()
  const first = await createHost({ entities, store, env })
  await first.send(Stock.at('healing'), { type: 'Deliver', quantity: 30 })
  await first.drain()
  await first.send(Cart.at('o-1'), { type: 'CheckOut', potion: 'healing', quantity: 12, cents: 6_000 })
  await first.drain()
  await first.stop()

  await env.advance(20 * 60_000)

  await using second = await createHost({ entities, store, env })
  await second.send(Payment.at('o-1'), { type: 'Confirm' })
  await second.drain()
  expect((await second.read(fulfilment.at('o-1')))?.context.outcome).toBe('delivered')
})
// #endregion

// #region collect
test('three messages are handled for a payment that needs no confirmation', async () => {
  const types: string[] = []
  await using host = await createHost({
    entities,
    store: memoryStore(),
    onSignal: (signal) => {
      if (signal.signal === 'turn') types.push(`${signal.type} -> ${signal.entity}`)
    },
  })
  await host.send(Payment.at('o-1'), { type: 'Charge', cents: 500 })
  await host.drain()
  expect(types).toEqual(['Charge -> payment/o-1', 'payment.Charged -> fulfilment/o-1'])
})
// #endregion
