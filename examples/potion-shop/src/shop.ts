// shop.ts: the shop as one host process: opens, takes orders, lets the day end, closes.
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { idempotencyKey, type StoreDriver } from '@interstate/core'
import { createHost, type Host, nodeEnv, type Policies, type SignalListener } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { openCarrier } from './carrier.ts'
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

/** The files of a shop. */
export interface ShopFiles {
  /** What the framework keeps. */
  readonly store: string
  /** What the carrier keeps. */
  readonly ledger: string
  /** Every order that the shop was given. */
  readonly book: string
}

/** The files that go with a store. */
export function filesBeside(store: string): ShopFiles {
  return { store, ledger: `${store}.carrier.jsonl`, book: `${store}.orders.jsonl` }
}

/** Deletes the files of a shop. */
export async function clearAway({ store, ledger, book }: ShopFiles): Promise<void> {
  for (const path of [store, `${store}-wal`, `${store}-shm`, `${store}-lock`, ledger, book])
    await rm(path, { force: true })
}

/** Options of {@link openShop}. */
export interface ShopOptions {
  readonly files: Pick<ShopFiles, 'store' | 'ledger'>
  /** Default: SQLite in `files.store`. */
  readonly driver?: StoreDriver
  readonly onSignal?: SignalListener
  readonly policies?: Policies
}

/** An open shop. */
export interface Shop {
  readonly host: Host
  readonly fulfilment: ReturnType<typeof fulfilmentWith>
  /** Takes in the first delivery of each potion, once. */
  stockUp(): Promise<void>
  /** Takes orders, several at the same time; resolves when all are durable. */
  take(orders: Iterable<Order>, options: TakeOptions): Promise<void>
  /** Resolves when every order has come to its end: half an hour passes at once for those who never confirm. */
  endDay(): Promise<void>
  close(): Promise<void>
}

/** Options of {@link Shop.take}. */
export interface TakeOptions {
  /** Orders on their way into the shop at the same time. */
  readonly atOnce: number
  /** Hears of each order that is durable; `repeated`: it was known. */
  readonly onTaken?: (order: Order, how: 'new' | 'repeated') => void
}

/** Opens the shop. It goes on with what an earlier host has left to do. */
export async function openShop({ files, driver, onSignal, policies }: ShopOptions): Promise<Shop> {
  await mkdir(dirname(files.store), { recursive: true })
  const clock = timeLapse(nodeEnv())
  const fulfilment = fulfilmentWith(openCarrier(files.ledger))
  const host = await createHost({
    entities: [cart, stock, payment, fulfilment],
    store: driver ?? sqliteStore({ path: files.store }),
    env: clock.env,
    ...(onSignal === undefined ? {} : { onSignal }),
    ...(policies === undefined ? {} : { policies }),
  })
  return {
    host,
    fulfilment,
    stockUp: () => stockUp(host),
    take: (orders, options) => take(host, orders, options),
    async endDay() {
      await host.drain()
      // Only now: an order that still had work to do must not time out because its host was slow or was killed.
      clock.forward(confirmWithinMs + 60_000)
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
async function takeOne(host: Host, order: Order): Promise<'new' | 'repeated'> {
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
