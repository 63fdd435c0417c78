// Step 7: an effect on the outside world.

import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { Carrier } from './carrier.ts'
import { Cart } from './cart.ts'
import { entitiesOf, fulfilmentWith } from './shop.ts'
import { Stock } from './stock.ts'

// #region run
const carrier = new Carrier('step-7.carrier.log')
const fulfilment = fulfilmentWith(carrier)
await using host = await createHost({
  entities: entitiesOf(fulfilment),
  store: sqliteStore({ path: 'step-7.db' }),
})

await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 12 })
await host.send(Cart.at('o-1'), { type: 'CheckOut', potion: 'healing', quantity: 2, cents: 1_000 })
await host.drain()

const order = await host.read(fulfilment.at('o-1'))
console.log(`o-1: ${order?.context.outcome} as ${order?.context.parcel}`)
console.log('the carrier has', carrier.ledger().length, 'booking')
// #endregion
