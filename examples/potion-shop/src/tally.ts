// tally.ts: what must come of the orders, reckoned from the input alone: no framework, no machine, no store.

import { confirmAboveCents, destinations, potions } from './catalogue.ts'
import type { Order } from './orders.ts'
import { type Outcome, outcomes } from './outcome.ts'

/** What a set of orders comes to. */
export interface Tally {
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly chargedCents: number
  readonly refundedCents: number
  /** What the delivered orders cost. */
  readonly earnedCents: number
  /** Bottles by potion, in delivered orders. */
  readonly sold: ReadonlyMap<string, number>
}

/** How an order must end, whatever comes before or after it. */
export function outcomeOf(order: Order): Outcome {
  const { lines, limitCents, confirms, shipTo } = order
  const cents = worth(order)
  if (lines.some(({ potion }) => potions[potion]?.bottles === 0)) return 'out-of-stock'
  if (cents > limitCents) return 'payment-refused'
  if (cents > confirmAboveCents && !confirms) return 'timed-out'
  if (!destinations.has(shipTo)) return 'carrier-refused'
  return 'delivered'
}

/** Adds up orders. @param ending - How each has ended. */
export function tallyOf(orders: Iterable<Order>, ending: (order: Order) => Outcome | undefined = outcomeOf): Tally {
  const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>
  const sold = new Map(Object.keys(potions).map((potion) => [potion, 0]))
  let earnedCents = 0
  let refundedCents = 0
  for (const order of orders) {
    const outcome = ending(order)
    if (outcome === undefined) continue
    counts[outcome] += 1
    // Only who was charged and then found no carrier gets money back.
    if (outcome === 'carrier-refused') refundedCents += worth(order)
    if (outcome !== 'delivered') continue
    earnedCents += worth(order)
    for (const { potion, quantity } of order.lines) sold.set(potion, (sold.get(potion) ?? 0) + quantity)
  }
  return { outcomes: counts, chargedCents: earnedCents + refundedCents, refundedCents, earnedCents, sold }
}

/** Potions of which more was ordered than there is: who gets them depends on who comes first, and no one can foretell it. */
export function contested(orders: Iterable<Order>): readonly string[] {
  const wanted = new Map<string, number>()
  for (const { lines } of orders) {
    for (const { potion, quantity } of lines) wanted.set(potion, (wanted.get(potion) ?? 0) + quantity)
  }
  return Object.entries(potions)
    .filter(([potion, { bottles }]) => bottles > 0 && (wanted.get(potion) ?? 0) > bottles)
    .map(([potion]) => potion)
}

// The machines have their own sum; an accountant who copied it would find nothing.
function worth({ lines }: Order): number {
  let cents = 0
  for (const { potion, quantity } of lines) cents += quantity * (potions[potion]?.cents ?? Number.NaN)
  return cents
}
