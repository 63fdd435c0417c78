// generate-orders.ts: made orders.jsonl. The same seed gives the same file, to the byte.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { destinations, potions, priceOf } from './catalogue.ts'
import type { Order } from './orders.ts'

const seed = 20_260_102
const firstAt = Date.UTC(2026, 0, 2, 8)
const onShelf = namesWhere((bottles) => bottles > 0)
const soldOut = namesWhere((bottles) => bottles === 0)
const reachable = [...destinations]
const unreachable = ['Dragonspire', 'the Moon']

/** Makes orders. No order's outcome depends on another: a potion is ample or sold out. */
export function generateOrders(count: number): readonly Order[] {
  const chance = mulberry32(seed)
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T
  let placedAt = firstAt
  return Array.from({ length: count }, (_, index) => {
    placedAt += 50 + Math.floor(chance() * 12_000)
    const wanted = new Set(Array.from({ length: 1 + Math.floor(chance() * 3) }, () => oneOf(onShelf)))
    // A sold-out potion stands anywhere in the order, so that what was set aside before it must go back.
    const names = chance() < 0.06 ? insert([...wanted], oneOf(soldOut), chance()) : [...wanted]
    const lines = names.map((potion) => ({ potion, quantity: 1 + Math.floor(chance() ** 3 * 6) }))
    const cents = priceOf(lines)
    const limitCents = chance() < 0.07 ? Math.floor(cents * chance()) : cents + Math.floor(chance() * 20_000)
    const confirms = chance() >= 0.12
    const shipTo = chance() < 0.05 ? oneOf(unreachable) : oneOf(reachable)
    const order = `o-${String(index + 1).padStart(5, '0')}`
    return { order, placedAt: new Date(placedAt).toISOString(), lines, limitCents, confirms, shipTo }
  })
}

/** The text of a file of orders. */
export function toText(orders: readonly Order[]): string {
  return orders.map((order) => `${JSON.stringify(order)}\n`).join('')
}

function namesWhere(fits: (bottles: number) => boolean): readonly string[] {
  return Object.keys(potions).filter((name) => fits(potions[name]?.bottles ?? 0))
}

function insert(names: readonly string[], name: string, where: number): string[] {
  return names.toSpliced(Math.floor(where * (names.length + 1)), 0, name)
}

/** A small random number generator whose sequence its seed decides: https://github.com/bryc/code/blob/master/jshash/PRNGs.md */
function mulberry32(start: number): () => number {
  let state = start | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('../orders.jsonl', import.meta.url), toText(generateOrders(6_000)))
}
