// Step 6: what was done is undone, newest first.

import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { Cart, cart } from './cart.ts'
import { fulfilment } from './fulfilment.ts'
import { payment } from './payment.ts'
import { Stock, stock } from './stock.ts'

// #region run
const env = new VirtualEnv()
await using host = await createHost({
  entities: [cart, stock, payment, fulfilment],
  store: memoryStore(),
  env,
})

await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 30 })
await host.drain()
await host.send(Cart.at('modest'), { type: 'CheckOut', potion: 'healing', quantity: 2, cents: 1_000 })
await host.send(Cart.at('grand'), { type: 'CheckOut', potion: 'healing', quantity: 3, cents: 90_000 })
await host.send(Cart.at('silent'), { type: 'CheckOut', potion: 'healing', quantity: 12, cents: 6_000 })
await host.drain()
await env.advance(30 * 60_000)

for (const id of ['modest', 'grand', 'silent']) {
  const order = await host.read(fulfilment.at(id))
  console.log(`${id}: ${order?.context.outcome}`)
}
console.log('healing:', (await host.read(stock.at('healing')))?.context)
// #endregion
