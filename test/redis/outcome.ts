// outcome.ts: what became of every hand, counted from what stands in the store, what clients were told and what the carrier
// heard. No host is asked: what a host believes proves nothing.
import {
  decodeSnapshot,
  type EntityId,
  partitionsOf,
  type ShardId,
  type StoreDriver,
  shardOf,
  Wiring,
} from '@interstate/core'
import { readLedger } from '../crash/carrier.ts'
import { restOf } from '../crash/rest.ts'
import {
  type CounterContext,
  counterOf,
  type DeskContext,
  deskOf,
  handsPerDesk,
  hasErrand,
  systemWith,
} from '../crash/system.ts'
import type { Clients } from './clients.ts'

/** Faults by kind, each with where it was found. All empty: exactly-once effect, in order. */
export interface Outcome {
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly disordered: readonly string[]
  /** What nobody has handled: inboxes, lanes, timers, effects, dead letters. */
  readonly left: readonly string[]
}

export const nothingAmiss: Outcome = { lost: [], doubled: [], disordered: [], left: [] }

const loadedAtOnce = 1_000

type Findings = { [K in keyof Outcome]: string[] }
type Seen = { readonly value: unknown; readonly context: unknown }

const { entities } = systemWith({ book: () => Promise.reject(new Error('There is nothing left to book.')) })
const wiring = new Wiring(entities)

/**
 * Looks at the store of a system at rest.
 *
 * @param halted - Shards that stand still: nothing is expected of their entities.
 */
export async function outcomeOf(
  store: StoreDriver,
  clients: Clients,
  ledger: string,
  halted: ReadonlySet<ShardId> = new Set(),
): Promise<Outcome> {
  const findings: Findings = { lost: [], doubled: [], disordered: [], left: [...(await restOf(store, halted))] }
  const isWell = (entity: string): boolean => !halted.has(shardOf(entity as EntityId, store.shards))
  const hands = [...clients.offered].filter((n) => isWell(`desk/${deskOf(n)}`))
  const desks = await look<DeskContext>(store, 'desk', hands.map(deskOf))
  const counters = await look<CounterContext>(store, 'counter', hands.map(counterOf))
  const errands = await look<{ booking: string }>(store, 'errand', hands.filter(hasErrand).map(String))
  const bookings = readLedger(ledger)
  const times = (tally: string | undefined, n: number): number => Number(tally?.[n % handsPerDesk] ?? 0)
  for (const n of hands) {
    const desk = desks.get(deskOf(n))?.context
    const handled = times(desk?.handed, n)
    if (handled === 0 && clients.acknowledged.has(n)) findings.lost.push(`hand ${n}`)
    if (handled === 0) continue
    once(findings, `hand ${n}`, handled)
    once(findings, `stamp ${n}`, times(desk?.stamped, n))
    if (!isWell(`errand/${n}`)) continue
    once(findings, `end of errand ${n}`, times(desk?.done, n), hasErrand(n) ? 1 : 0)
    const errand = errands.get(String(n))
    const booked = [...(bookings.get(n) ?? [])]
    if (errand?.value !== 'delivered') once(findings, `booking of errand ${n}, ${errand?.value}`, booked.length, 0)
    else once(findings, `booking of errand ${n}`, booked.filter((key) => key === errand.context.booking).length)
    // A second key is a second errand to whoever is outside.
    if (booked.length > 1) findings.doubled.push(`booking of errand ${n}, under ${booked.join(' and ')}`)
  }
  for (const [key, { context }] of desks) {
    findings.disordered.push(...context.faults.map((fault) => `${key}: ${fault}`))
    for (const [to, sent] of Object.entries(context.sent)) {
      if (!isWell(`counter/${to}`)) continue
      once(findings, `messages from ${key} to ${to}`, counters.get(to)?.context.last[key] ?? 0, sent)
      once(findings, `replies of ${to} to ${key}`, context.back[to] ?? 0, sent)
    }
  }
  for (const [key, { context }] of counters) {
    if (isWell(`counter/${key}`)) findings.disordered.push(...context.faults.map((fault) => `${key}: ${fault}`))
  }
  return findings
}

/** Asks again for what was acknowledged: the same key has the same reply (G10). Gives those that have not. */
export async function forgottenBy(
  clients: Clients,
  most: number,
  asks: (n: number) => boolean,
): Promise<readonly string[]> {
  const known = [...clients.acknowledged].filter(([n]) => asks(n))
  const some = known.filter((_, index, all) => index % Math.ceil(all.length / most) === 0)
  const found = await Promise.all(
    some.map(async ([n, place]) => {
      const answer = await clients.hand(n)
      return 'place' in answer && answer.place === place ? [] : [`${n}: ${place} and then ${JSON.stringify(answer)}`]
    }),
  )
  return found.flat()
}

/** What a hand has caused, against what it should have. */
function once(findings: Findings, what: string, times: number, expected = 1): void {
  if (times < expected) findings.lost.push(`${what}, ${times} of ${expected}`)
  if (times > expected) findings.doubled.push(`${what}, ${times} times instead of ${expected}`)
}

async function look<C>(
  store: StoreDriver,
  type: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Seen & { readonly context: C }>> {
  const names = [...new Set(keys)]
  const found = new Map<string, Seen & { readonly context: C }>()
  const ids = names.map((key) => `${type}/${key}` as EntityId)
  for (let first = 0; first < ids.length; first += loadedAtOnce) {
    const rows = await store.load(partitionsOf(ids.slice(first, first + loadedAtOnce), store.shards))
    for (const [index, row] of rows.entries()) {
      if (row?.snapshot === undefined) continue
      const { snapshot } = decodeSnapshot(wiring.definitionOf(row.entity), row.entity, row.snapshot)
      found.set(names[first + index] as string, snapshot as unknown as Seen & { readonly context: C })
    }
  }
  return found
}
