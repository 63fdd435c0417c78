// Step 3: a saga takes an order from the cart to the customer, as long as nothing goes wrong.

// #region follows
import { defineSaga, follow } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { sendTo, setup } from 'xstate'
import { Cart, cart } from './cart.ts'
import { Payment, payment } from './payment.ts'
import { Stock, stock } from './stock.ts'

const follows = follow(Cart.event('CheckedOut').bySource().starts(), Payment.event('Charged').bySource())
// #endregion

// #region saga
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
    states: {
      reserving: {
        entry: sendTo(
          ({ context: { order } }) => Stock.at(order.potion),
          ({ context: { order } }) => ({ type: 'Reserve', quantity: order.quantity }),
        ),
        on: { 'stock.Reserved': 'paying' },
      },
      paying: {
        entry: sendTo(
          ({ context: { order } }) => Payment.at(order.id),
          ({ context: { order } }) => ({ type: 'Charge', cents: order.cents }),
        ),
        on: { 'payment.Charged': 'delivered' },
      },
      delivered: {
        type: 'final',
        entry: sendTo(
          ({ context: { order } }) => Stock.at(order.potion),
          ({ context: { order } }) => ({ type: 'Dispatch', quantity: order.quantity }),
        ),
      },
    },
  }),
  { sends: [Stock, Payment] },
)
// #endregion

// #region run
await using host = await createHost({
  entities: [cart, stock, payment, fulfilment],
  store: sqliteStore({ path: 'step-3.db' }),
  accept: [
    'event-without-follower payment.Refused',
    'event-without-follower payment.Refunded',
    'reply-unhandled fulfilment in reserving: stock.SoldOut',
  ],
})

await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 12 })
await host.send(Cart.at('o-1'), { type: 'CheckOut', potion: 'healing', quantity: 2, cents: 1_000 })
await host.drain()

const order = await host.read(fulfilment.at('o-1'))
const shelf = await host.read(stock.at('healing'))
console.log('order o-1:', order?.value)
console.log('healing:', shelf?.context)
// #endregion
