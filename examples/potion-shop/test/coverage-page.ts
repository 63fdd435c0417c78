// coverage-page.ts: a day in the shop that leaves some of it unseen, and the page of its coverage.
// As a program it writes the page to the file that it is given.
import { writeFileSync } from 'node:fs'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { Coverage, VirtualEnv } from '@interstate/testing'
import { Cart } from '../src/cart.contract.ts'
import { cart } from '../src/cart.ts'
import { fulfilmentWith } from '../src/fulfilment.ts'
import { Payment } from '../src/payment.contract.ts'
import { payment } from '../src/payment.ts'
import { Stock } from '../src/stock.contract.ts'
import { stock } from '../src/stock.ts'

/** Nobody asks this carrier for a way that it doesn't have. */
const fulfilment = fulfilmentWith({ book: async () => ({ says: 'booked', booking: 'b-1' }) })

/** What a day with four orders covers. */
export async function coverageOfADay(): Promise<Coverage> {
  const coverage = new Coverage([cart, payment, stock, fulfilment])
  const env = new VirtualEnv()
  await using host = await createHost({
    entities: coverage.entities,
    store: memoryStore(),
    env,
    onSignal: coverage.listener,
  })
  const order = (key: string, potion: string, quantity: number, limitCents = 1_000_000) => {
    const lines = [
      { potion: 'healing', quantity: 1 },
      { potion, quantity },
    ]
    return host.send(Cart.at(key), { type: 'CheckOut', lines, limitCents, shipTo: 'Mistvale' })
  }
  await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 100 })
  await host.send(Stock.at('luck'), { type: 'Deliver', quantity: 100 })
  await host.drain()
  await order('delivered', 'luck', 1)
  await order('sold-out', 'unicorn', 1)
  await order('too-dear', 'luck', 1, 10)
  await order('unconfirmed', 'luck', 20)
  await host.drain()
  await host.send(Cart.at('delivered'), { type: 'Close', outcome: 'delivered' })
  await host.send(Payment.at('delivered'), { type: 'Confirm' })
  await env.advance(60 * 60_000)
  await host.drain()
  return coverage
}

if (import.meta.main) {
  const [file = 'coverage.html'] = process.argv.slice(2)
  writeFileSync(file, (await coverageOfADay()).html({ title: 'Potion shop' }))
}
