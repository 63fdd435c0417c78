// audit.ts: what the entities and the carrier say at the end, as `host.read` and the ledger give it.
import type { Host } from '@interstate/runtime'
import { readLedger } from './carrier.ts'
import { cart } from './cart.ts'
import { potions } from './catalogue.ts'
import type { Outcome } from './outcome.ts'
import { payment } from './payment.ts'
import type { Shop } from './shop.ts'
import { type Shelf, stock } from './stock.ts'

/** See the file head. */
export interface Audit {
  /** How each order has ended; an order without an end is not in it. */
  readonly endings: ReadonlyMap<string, Outcome>
  readonly chargedCents: number
  readonly refundedCents: number
  readonly shelves: ReadonlyMap<string, Shelf>
  /** Bookings by order. More than one is one too many. */
  readonly bookings: ReadonlyMap<string, number>
  /** Calls that the carrier recognised as repeats by their key. */
  readonly repeatedCalls: number
  /** Messages given up and entities that stand still: there should be none. */
  readonly stuck: number
}

/** Reads the end state of these orders. */
export async function audit({ host, fulfilment }: Shop, orders: Iterable<string>, ledger: string): Promise<Audit> {
  const endings = new Map<string, Outcome>()
  let chargedCents = 0
  let refundedCents = 0
  const read = (order: string) =>
    Promise.all([order, host.read(fulfilment.at(order)), host.read(cart.at(order)), host.read(payment.at(order))])
  for (const [order, way, closed, money] of await Promise.all([...orders].map(read))) {
    if (way?.status === 'done' && way.context.outcome === closed?.context.outcome) {
      endings.set(order, way.context.outcome)
    }
    chargedCents += money?.context.charged ?? 0
    refundedCents += money?.context.refunded ?? 0
  }
  return {
    endings,
    chargedCents,
    refundedCents,
    shelves: await shelves(host),
    ...bookings(ledger),
    stuck: (await host.deadLetters.list()).length + (await host.parked.list()).length,
  }
}

async function shelves(host: Host): Promise<ReadonlyMap<string, Shelf>> {
  const found = new Map<string, Shelf>()
  for (const potion of Object.keys(potions)) {
    const shelf = await host.read(stock.at(potion))
    if (shelf !== undefined) found.set(potion, shelf.context)
  }
  return found
}

function bookings(ledger: string): Pick<Audit, 'bookings' | 'repeatedCalls'> {
  const bookings = new Map<string, number>()
  let repeatedCalls = 0
  for (const entry of readLedger(ledger)) {
    if ('booking' in entry) bookings.set(entry.order, (bookings.get(entry.order) ?? 0) + 1)
    else repeatedCalls += 1
  }
  return { bookings, repeatedCalls }
}
