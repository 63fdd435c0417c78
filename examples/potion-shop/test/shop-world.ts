// shop-world.ts: the whole shop as a world: its machines, its customers, its carrier, and what it promises.
import { send, world } from '@interstate/testing'
import { Cart, type Line } from '../src/cart.contract.ts'
import { cart } from '../src/cart.ts'
import { fulfilmentWith } from '../src/fulfilment.ts'
import { Payment } from '../src/payment.contract.ts'
import { payment } from '../src/payment.ts'
import { Stock } from '../src/stock.contract.ts'
import { stock } from '../src/stock.ts'

// In a world effects are modelled: this carrier is never called.
export const fulfilment = fulfilmentWith({ book: () => Promise.reject(new Error('No carrier in a world.')) })

type Outside = { bookings: Record<string, string> }

/** A carrier that knows a key again. */
function book({ input, idempotencyKey, outside }: { input: Parcel; idempotencyKey: string; outside: Outside }) {
  if (input.shipTo === 'the moon') return { says: 'refused', why: 'no way there' }
  outside.bookings[idempotencyKey] = input.order
  return { says: 'booked', booking: `b-${input.order}` }
}
type Parcel = { order: string; shipTo: string }

const cheap: Line = { potion: 'healing', quantity: 1 }
const dear: Line = { potion: 'luck', quantity: 9 }
const checkOut = (order: string, lines: Line[], shipTo = 'Prague', limitCents = 1_000_000) =>
  send(Cart.at(order), { type: 'CheckOut', lines, limitCents, shipTo })

/** A shop with one bottle of each cheap potion and nine of the dear one. */
export const shop = world({ entities: [cart, stock, payment, fulfilment] })
  .outside<Outside>({ bookings: {} })
  .effects({ book })
  .setup((w) => {
    w.send(Stock.at('healing'), { type: 'Deliver', quantity: 1 })
    w.send(Stock.at('luck'), { type: 'Deliver', quantity: 9 })
  })
  .stimuli({
    order: [
      checkOut('o-1', [cheap]),
      checkOut('o-2', [dear, cheap]),
      checkOut('o-3', [cheap], 'the moon'),
      checkOut('o-4', [dear], 'Prague', 100),
    ],
    confirmation: [send(Payment.at('o-2'), { type: 'Confirm' })],
  })
  .always('no bottle is promised twice', (w) =>
    w
      .all(stock)
      .every(
        ({ context: { delivered, left, reserved, sold } }) =>
          delivered === left + reserved + sold && Math.min(left, reserved, sold) >= 0,
      ),
  )
  .always('what is charged is given back or delivered, never both', (w) =>
    w.all(fulfilment).every((order) => {
      const paid = w.one(payment.at(order.key))?.context
      return !order.matches('delivered') || (paid?.charged === order.context.cents && paid.refunded === 0)
    }),
  )
  .always('no parcel is booked twice', (w) => {
    const orders = Object.values(w.outside.bookings)
    return new Set(orders).size === orders.length
  })
  .eventually('every order has come to an end, and its cart with it', (w) =>
    w.all(fulfilment).every(({ key, status }) => status === 'done' && w.one(cart.at(key))?.status === 'done'),
  )
  .eventually('nothing stays set aside', (w) => w.all(stock).every(({ context }) => context.reserved === 0))
  .eventually('an order that was not delivered was not paid', (w) =>
    w.all(fulfilment).every(({ key, context }) => {
      const { charged = 0, refunded = 0 } = w.one(payment.at(key))?.context ?? {}
      return context.outcome === 'delivered' || charged === refunded
    }),
  )
