// report.ts: holds what the entities say against what the input says.
import type { Audit } from './audit.ts'
import { potions } from './catalogue.ts'
import type { BadLine, Order } from './orders.ts'
import { type Outcome, outcomes } from './outcome.ts'
import { contested, outcomeOf, type Tally, tallyOf } from './tally.ts'

/** One thing that must agree. */
export interface Check {
  readonly agrees: boolean
  /** The figures, in words. */
  readonly says: string
}

/** What was done in this run. */
export interface Work {
  /** Messages that were handled. */
  readonly messages: number
  readonly seconds: number
  /** Messages from outside that were recognised by their idempotency key; nothing ran. */
  readonly duplicatesRefused: number
  readonly kills: number
  /** Kills while messages were being handled. */
  readonly killsAtWork: number
}

/** What `--json` prints. */
export interface Report {
  readonly orders: number
  readonly outcomes: Readonly<Record<Outcome | 'unfinished', number>>
  /** Whether all checks agree. */
  readonly conserved: boolean
  readonly messages: number
  readonly perSecond: number
  readonly seconds: number
  readonly duplicatesRefused: number
  readonly kills: number
  readonly killsAtWork: number
  /** Outcomes as the input alone gives them. */
  readonly expected: Readonly<Record<Outcome, number>>
  readonly checks: Readonly<Record<'outcomes' | 'money' | 'stock' | 'carrier' | 'nothingStuck', Check>>
  /** Orders in the store: those of this input and of earlier ones. */
  readonly ordersInShop: number
  readonly badLines: readonly BadLine[]
}

/** What a report is made of. */
export interface Findings {
  /** Of this input. */
  readonly orders: readonly Order[]
  /** All that the shop was ever given: money and stock are checked over these. */
  readonly book: ReadonlyMap<string, Order>
  readonly audit: Audit
  readonly work: Work
  readonly bad: readonly BadLine[]
}

/** Makes the report. */
export function reportOf({ orders, book, audit, work, bad }: Findings): Report {
  const doubtful = contested(book.values())
  const expected = tallyOf(book.values(), doubtful.length === 0 ? outcomeOf : ({ order }) => audit.endings.get(order))
  const checks = {
    outcomes: checkOutcomes(book, audit, doubtful),
    money: checkMoney(expected, audit),
    stock: checkStock(expected, audit),
    carrier: checkCarrier(book, audit),
    nothingStuck: { agrees: audit.stuck === 0, says: `${count(audit.stuck)} dead letters and parked entities` },
  }
  const { outcomes: ended } = tallyOf(orders, ({ order }) => audit.endings.get(order))
  const unfinished = orders.filter(({ order }) => !audit.endings.has(order)).length
  return {
    orders: orders.length,
    outcomes: { ...ended, unfinished },
    conserved: Object.values(checks).every(({ agrees }) => agrees),
    messages: work.messages,
    perSecond: Math.round(work.messages / Math.max(work.seconds, 0.001)),
    seconds: Number(work.seconds.toFixed(2)),
    duplicatesRefused: work.duplicatesRefused,
    kills: work.kills,
    killsAtWork: work.killsAtWork,
    expected: tallyOf(orders).outcomes,
    checks,
    ordersInShop: book.size,
    badLines: bad,
  }
}

function checkOutcomes(book: Findings['book'], { endings }: Audit, doubtful: readonly string[]): Check {
  const orders = [...book.values()]
  if (doubtful.length > 0) {
    const agrees = orders.every(({ order }) => endings.has(order))
    return { agrees, says: `not foreseeable: more ${doubtful.join(', ')} ordered than there is` }
  }
  const different = orders.filter((order) => endings.get(order.order) !== outcomeOf(order))
  return {
    agrees: different.length === 0,
    says: `${count(orders.length - different.length)} of ${count(orders.length)} orders ended as their input says`,
  }
}

function checkMoney({ chargedCents, refundedCents, earnedCents }: Tally, audit: Audit): Check {
  const left = audit.chargedCents - audit.refundedCents
  const agrees = audit.chargedCents === chargedCents && audit.refundedCents === refundedCents && left === earnedCents
  const says = `charged ${money(audit.chargedCents)} - refunded ${money(audit.refundedCents)} = ${money(left)}`
  return { agrees, says: `${says}; delivered orders cost ${money(earnedCents)}` }
}

function checkStock({ sold }: Tally, { shelves }: Audit): Check {
  const wrong = Object.entries(potions).filter(([potion, { bottles }]) => {
    const shelf = shelves.get(potion) ?? { delivered: 0, left: 0, reserved: 0, sold: 0 }
    const expected = sold.get(potion) ?? 0
    return (
      shelf.delivered !== bottles ||
      shelf.sold !== expected ||
      shelf.reserved !== 0 ||
      shelf.left !== bottles - expected
    )
  })
  const sum = (of: 'delivered' | 'sold' | 'reserved' | 'left') =>
    count([...shelves.values()].reduce((total, shelf) => total + shelf[of], 0))
  const says = `${sum('delivered')} came in = ${sum('sold')} sold + ${sum('reserved')} set aside + ${sum('left')} left`
  const names = wrong.map(([potion]) => potion).join(', ')
  return { agrees: wrong.length === 0, says: wrong.length === 0 ? says : `${says}; differs: ${names}` }
}

function checkCarrier(book: Findings['book'], { endings, bookings, repeatedCalls }: Audit): Check {
  const delivered = [...book.keys()].filter((order) => endings.get(order) === 'delivered')
  const once = delivered.filter((order) => bookings.get(order) === 1).length
  const made = [...bookings.values()].reduce((sum, number) => sum + number, 0)
  return {
    agrees: once === delivered.length && made === delivered.length,
    says: `${count(made)} bookings, one for each delivered order; ${count(repeatedCalls)} repeated calls recognised`,
  }
}

/** Every outcome that a report counts, in the order in which it shows them. */
export const rows: readonly (Outcome | 'unfinished')[] = [...outcomes, 'unfinished']

/** A number for people. */
export function count(number: number): string {
  return number.toLocaleString('en')
}

function money(cents: number): string {
  return (cents / 100).toLocaleString('en', { minimumFractionDigits: 2 })
}
