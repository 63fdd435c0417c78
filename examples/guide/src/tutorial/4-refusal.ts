// Step 4: what may be refused has a state of its own.

import { defineSaga, follow } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { sendTo, setup } from 'xstate'
import { Cart, cart } from './cart.ts'
import { Payment, payment } from './payment.ts'
import { Stock, stock } from './stock.ts'

// #region follows
const follows = follow(
  Cart.event('CheckedOut').bySource().starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Refused').bySource(),
)
// #endregion

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
  }).createMachine({
    context: ({ input: { key, message } }) => ({
      order: { id: key, potion: message.potion, quantity: message.quantity, cents: message.cents },
    }),
    initial: 'reserving',
    // #region states
    states: {
      reserving: {
        entry: sendTo(
          ({ context: { order } }) => Stock.at(order.potion),
          ({ context: { order } }) => ({ type: 'Reserve', quantity: order.quantity }),
        ),
        on: { 'stock.Reserved': 'paying', 'stock.SoldOut': 'outOfStock' },
      },
      paying: {
        entry: sendTo(
          ({ context: { order } }) => Payment.at(order.id),
          ({ context: { order } }) => ({ type: 'Charge', cents: order.cents }),
        ),
        on: { 'payment.Charged': 'delivered', 'payment.Refused': 'paymentRefused' },
      },
      delivered: {
        type: 'final',
        entry: sendTo(
          ({ context: { order } }) => Stock.at(order.potion),
          ({ context: { order } }) => ({ type: 'Dispatch', quantity: order.quantity }),
        ),
      },
      outOfStock: { type: 'final' },
      paymentRefused: { type: 'final' },
    },
    // #endregion
  }),
  { sends: [Stock, Payment] },
)

// #region run
await using host = await createHost({
  entities: [cart, stock, payment, fulfilment],
  store: sqliteStore({ path: 'step-4.db' }),
  accept: ['event-without-follower payment.Refunded'],
})

await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 12 })
await host.drain()
await host.send(Cart.at('modest'), { type: 'CheckOut', potion: 'healing', quantity: 2, cents: 1_000 })
await host.send(Cart.at('greedy'), { type: 'CheckOut', potion: 'healing', quantity: 500, cents: 25_000 })
await host.send(Cart.at('grand'), { type: 'CheckOut', potion: 'healing', quantity: 3, cents: 90_000 })
await host.drain()

for (const id of ['modest', 'greedy', 'grand']) {
  const order = await host.read(fulfilment.at(id))
  console.log(`${id}:`, order?.value)
}
const shelf = await host.read(stock.at('healing'))
console.log('healing:', shelf?.context)
// #endregion
