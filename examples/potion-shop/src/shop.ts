// shop.ts: the shop as one host: opens, takes orders, lets the day end, closes.
import { idempotencyKey, type StoreDriver } from '@interstate/core'
import {
  type ClusterOptions,
  createHost,
  type Host,
  nodeEnv,
  type Policies,
  type SignalListener,
} from '@interstate/runtime'
import type { Carrier } from './carrier.ts'
import { Cart } from './cart.contract.ts'
import { cart } from './cart.ts'
import { confirmAboveCents, confirmWithinMs, openedAt, potions, priceOf } from './catalogue.ts'
import { fulfilmentWith } from './fulfilment.ts'
import type { Order } from './orders.ts'
import { Payment } from './payment.contract.ts'
import { payment } from './payment.ts'
import { Stock } from './stock.contract.ts'
import { stock } from './stock.ts'
import { timeLapse } from './time-lapse.ts'

/** Options of {@link openShop}. */
export interface ShopOptions {
  readonly store: StoreDriver
  readonly carrier: Carrier
  readonly onSignal?: SignalListener
  readonly policies?: Policies
  /** Its part among the hosts that share the store. */
  readonly cluster?: ClusterOptions
}

/** An open shop. */
export interface Shop {
  readonly host: Host
  readonly fulfilment: ReturnType<typeof fulfilmentWith>
  /** Takes in the first delivery of each potion, once. */
  stockUp(): Promise<void>
  /** Takes orders, several at the same time; resolves when all are durable. */
  take(orders: Iterable<Order>, options: TakeOptions): Promise<void>
  /** Takes one order; resolves when it is durable. */
  takeOne(order: Order): Promise<Taken>
  /** Half an hour passes at once: timers fire for those who never confirm. */
  putClockForward(): void
  /** Puts the clock forward when nothing is left to do; resolves when every order has come to its end. */
  endDay(): Promise<void>
  close(): Promise<void>
}

/** Options of {@link Shop.take}. */
export interface TakeOptions {
  /** Orders on their way into the shop at the same time. */
  readonly atOnce: number
  /** Hears of each order that is durable. */
  readonly onTaken?: (order: Order, how: Taken) => void
}

/** How an order was taken; `repeated`: it was known. */
export type Taken = 'new' | 'repeated'

/** Opens the shop. It goes on with what an earlier host has left to do. */
export async function openShop({ store, carrier, ...options }: ShopOptions): Promise<Shop> {
  const clock = timeLapse(nodeEnv())
  const fulfilment = fulfilmentWith(carrier)
  const host = await createHost({ entities: [cart, stock, payment, fulfilment], store, env: clock.env, ...options })
  const putClockForward = (): void => clock.forward(confirmWithinMs + 60_000)
  return {
    host,
    fulfilment,
    stockUp: () => stockUp(host),
    take: (orders, options) => take(host, orders, options),
    takeOne: (order) => takeOne(host, order),
    putClockForward,
    async endDay() {
      await host.drain()
      // Only now: an order that still had work to do must not time out because its host was slow or was killed.
      putClockForward()
      await host.drain()
    },
    close: () => host.stop(),
  }
}

async function stockUp(host: Host): Promise<void> {
  const deliveries = Object.entries(potions).filter(([, { bottles }]) => bottles > 0)
  await Promise.all(
    deliveries.map(([potion, { bottles }]) =>
      host.send(
        Stock.at(potion),
        { type: 'Deliver', quantity: bottles },
        { idempotencyKey: idempotencyKey(`first-delivery-${potion}`, { at: openedAt }) },
      ),
    ),
  )
}

async function take(host: Host, orders: Iterable<Order>, { atOnce, onTaken }: TakeOptions): Promise<void> {
  const rest = orders[Symbol.iterator]()
  const counter = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const how = await takeOne(host, next.value)
      onTaken?.(next.value, how)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, counter))
}

/** Two messages from outside: the order, and the customer's consent where it will be asked for. They may overtake each other. */
async function takeOne(host: Host, order: Order): Promise<Taken> {
  const { lines, limitCents, shipTo } = order
  const at = new Date(order.placedAt)
  const keyed = (what: string) => ({ idempotencyKey: idempotencyKey(`${what}-${order.order}`, { at }) })
  const sent = [host.send(Cart.at(order.order), { type: 'CheckOut', lines, limitCents, shipTo }, keyed('order'))]
  if (order.confirms && priceOf(lines) > confirmAboveCents) {
    sent.push(host.send(Payment.at(order.order), { type: 'Confirm' }, keyed('confirm')))
  }
  const receipts = await Promise.all(sent)
  return receipts.every(({ duplicate }) => duplicate) ? 'repeated' : 'new'
}
