// Step 8: a hundred orders, and a process that dies in the middle of them. Run it until it says that all is well.

import { idempotencyKey } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { Carrier } from './carrier.ts'
import { Cart } from './cart.ts'
import { entitiesOf, fulfilmentWith } from './shop.ts'
import { Stock, stock } from './stock.ts'

// #region kill
const [, , lifeMs] = process.argv
if (lifeMs !== undefined) setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(lifeMs)).unref()
// #endregion

const carrier = new Carrier('step-8.carrier.log')
const fulfilment = fulfilmentWith(carrier)
await using host = await createHost({
  entities: entitiesOf(fulfilment),
  store: sqliteStore({ path: 'step-8.db' }),
})

// #region send
const opened = new Date('2026-01-02T08:00:00Z')

await host.send(
  Stock.at('healing'),
  { type: 'Deliver', quantity: 1_000 },
  { idempotencyKey: idempotencyKey('first-delivery', { at: opened }) },
)
let repeats = 0
for (let number = 1; number <= 100; number += 1) {
  const { duplicate } = await host.send(
    Cart.at(`o-${number}`),
    { type: 'CheckOut', potion: 'healing', quantity: 2, cents: 1_000 },
    { idempotencyKey: idempotencyKey(`o-${number}`, { at: opened }) },
  )
  if (duplicate) repeats += 1
}
await host.drain()
// #endregion

// #region report
const orders = await Promise.all(Array.from({ length: 100 }, (_, index) => host.read(fulfilment.at(`o-${index + 1}`))))
const delivered = orders.filter((order) => order?.context.outcome === 'delivered').length
const bookings = carrier.ledger()
console.log(`${repeats} of 100 orders were known from before`)
console.log(`${delivered} delivered`)
console.log(`${bookings.length} bookings for ${new Set(bookings.map(({ order }) => order)).size} orders`)
console.log('healing:', (await host.read(stock.at('healing')))?.context)
// #endregion
