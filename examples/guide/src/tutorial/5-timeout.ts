// Step 5: a customer who does not answer within half an hour. In a world whose clock we move.

import { defineSaga, follow } from '@interstate/core'
// #region imports
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
// #endregion
import { sendTo, setup } from 'xstate'
import { Cart, cart } from './cart.ts'
import { Payment, payment } from './payment.ts'
import { Stock, stock } from './stock.ts'

const follows = follow(
  Cart.event('CheckedOut').bySource().starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Refused').bySource(),
)

interface Order {
  id: string
  potion: string
  quantity: number
  cents: number
}

const fulfilment = defineSaga(
  'fulfilment',
  follows,
  setup({
    types: follows.types<{ order: Order }, typeof Stock>(),
    // #region delay
    delays: { customerGivesUp: 30 * 60_000 },
    // #endregion
  }).createMachine({
    context: ({ input: { key, message } }) => ({
      order: { id: key, potion: message.potion, quantity: message.quantity, cents: message.cents },
    }),
    initial: 'reserving',
    states: {
      reserving: {
        entry: sendTo(
          ({ context: { order } }) => Stock.at(order.potion),
          ({ context: { order } }) => ({ type: 'Reserve', quantity: order.quantity }),
        ),
        on: { 'stock.Reserved': 'paying', 'stock.SoldOut': 'outOfStock' },
      },
      // #region paying
      paying: {
        entry: sendTo(
          ({ context: { order } }) => Payment.at(order.id),
          ({ context: { order } }) => ({ type: 'Charge', cents: order.cents }),
        ),
        on: { 'payment.Charged': 'delivered', 'payment.Refused': 'paymentRefused' },
        after: { customerGivesUp: 'timedOut' },
      },
      // #endregion
      delivered: {
        type: 'final',
        entry: sendTo(
          ({ context: { order } }) => Stock.at(order.potion),
          ({ context: { order } }) => ({ type: 'Dispatch', quantity: order.quantity }),
        ),
      },
      outOfStock: { type: 'final' },
      paymentRefused: { type: 'final' },
      timedOut: { type: 'final' },
    },
  }),
  { sends: [Stock, Payment] },
)

// #region run
const env = new VirtualEnv()
await using host = await createHost({
  entities: [cart, stock, payment, fulfilment],
  store: memoryStore(),
  env,
})

await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 30 })
await host.drain()
for (const id of ['prompt', 'silent']) {
  await host.send(Cart.at(id), { type: 'CheckOut', potion: 'healing', quantity: 12, cents: 6_000 })
}
await host.drain()

await env.advance(29 * 60_000)
await host.send(Payment.at('prompt'), { type: 'Confirm' })
await host.drain()
console.log('after 29 minutes:', (await host.read(fulfilment.at('silent')))?.value)

await env.advance(60_000)
for (const id of ['prompt', 'silent']) {
  console.log(`${id}:`, (await host.read(fulfilment.at(id)))?.value)
}
// #endregion
