// outcome.ts: what became of every message, counted from what entities, clients and the carrier know.
import { DatabaseSync } from 'node:sqlite'
import { createHost, type Host } from '@interstate/runtime'
import { readLedger } from './carrier.ts'
import type { Files } from './files.ts'
import { type Notes, readNotes } from './notes.ts'
import { restOf } from './rest.ts'
import { isFile, openStore } from './stores.ts'
import {
  type CounterContext,
  counter,
  counterOf,
  type DeskContext,
  desk,
  deskOf,
  guest,
  handsPerDesk,
  hasErrand,
  systemWith,
} from './system.ts'

/** Faults by kind, each with where it was found. All empty: exactly-once effect, in order. */
export interface Outcome {
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly disordered: readonly string[]
  /** What nobody will handle: inbox, dead letters, parked entities, timers, effects. */
  readonly left: readonly string[]
  /** A file that SQLite itself complains about. */
  readonly damaged: readonly string[]
}

export const nothingAmiss: Outcome = { lost: [], doubled: [], disordered: [], left: [], damaged: [] }

class Findings implements Outcome {
  readonly lost: string[] = []
  readonly doubled: string[] = []
  readonly disordered: string[] = []
  readonly left: string[] = []
  readonly damaged: string[] = []

  /** Something that must have happened exactly once. */
  once(what: string, times: number): void {
    if (times < 1) this.lost.push(what)
    if (times > 1) this.doubled.push(`${what}, ${times} times`)
  }
}

/** Looks at the store and the files of processes that have ended, after all of the first `hands` hands have come to their end. */
export async function outcomeOf(files: Files, hands: number): Promise<Outcome> {
  const findings = new Findings()
  if (isFile(files.store)) checkFile(files, findings)
  const { store, disconnect } = await openStore(files.store)
  await using stack = new AsyncDisposableStack()
  stack.defer(disconnect)
  if (!isFile(files.store)) findings.left.push(...(await restOf(store)))
  const carrier = { book: () => Promise.reject(new Error('There is nothing left to book.')) }
  const { entities, errand } = systemWith(carrier)
  const host = stack.use(await createHost({ entities, store, policies: { hangMs: false } }))
  const notes = readNotes(files)
  await checkDesks(host, hands, findings)
  await checkGuests(host, notes, findings)
  await checkErrands(host, errand, files, hands, findings)
  checkNotes(notes, findings)
  return { ...findings }
}

/** What of a desk's hands has not come to its end. */
export function unfinished(key: string, context: DeskContext | undefined, hands: number): readonly string[] {
  const found: string[] = []
  for (const n of handsOf(key, hands)) {
    const index = n % handsPerDesk
    if (context?.handed[index] === '0' || context === undefined) found.push(`hand ${n}`)
    if (context?.stamped[index] === '0') found.push(`stamp ${n}`)
    if (context?.done[index] === '0' && hasErrand(n)) found.push(`end of errand ${n}`)
    const to = counterOf(n)
    if ((context?.sent[to] ?? 0) > (context?.back[to] ?? 0)) found.push(`reply of ${to} to ${key}`)
  }
  return found
}

function handsOf(key: string, hands: number): readonly number[] {
  const first = Number(key.slice(1)) * handsPerDesk
  return Array.from({ length: Math.min(handsPerDesk, hands - first) }, (_, index) => first + index)
}

function checkFile({ store }: Files, findings: Findings): void {
  const db = new DatabaseSync(store, { readOnly: true })
  const count = (what: string, of: string): void => {
    const found = Number(db.prepare(`SELECT count(*) AS found FROM ${of}`).get()?.found)
    if (found > 0) findings.left.push(`${found} ${what}`)
  }
  try {
    for (const { integrity_check: said } of db.prepare('PRAGMA integrity_check').all()) {
      if (said !== 'ok') findings.damaged.push(String(said))
    }
    count('waiting messages', 'inbox')
    // Nothing in this system fails, so whatever is here is an innocent that was put away (G11).
    count('dead letters', 'dead_letter')
    count('entities in trouble or with effects', 'entity WHERE unsettled = 1')
    count('entities with timers', 'entity WHERE wake_at IS NOT NULL')
  } finally {
    db.close()
  }
}

async function checkDesks(host: Host, hands: number, findings: Findings): Promise<void> {
  const expected = new Map<string, Map<string, number>>()
  for (let n = 0; n < hands; n += 1) {
    const ofCounter = expected.get(counterOf(n)) ?? new Map<string, number>()
    expected.set(counterOf(n), ofCounter.set(deskOf(n), (ofCounter.get(deskOf(n)) ?? 0) + 1))
  }
  for (let number = 0; number * handsPerDesk < hands; number += 1) {
    const key = `d${number}`
    const context = (await host.read(desk.at(key)))?.context
    findings.lost.push(...unfinished(key, context, hands))
    if (context === undefined) continue
    for (const n of handsOf(key, hands)) checkHand(n, context, findings)
    findings.disordered.push(...context.faults.map((fault) => `${key}: ${fault}`))
  }
  for (const [key, ofDesks] of expected)
    checkCounter(key, (await host.read(counter.at(key)))?.context, ofDesks, findings)
}

function checkHand(n: number, { handed, stamped, done }: DeskContext, findings: Findings): void {
  const index = n % handsPerDesk
  const times = { hand: handed[index], stamp: stamped[index], 'end of errand': done[index] }
  for (const [what, count] of Object.entries(times)) {
    if (Number(count) > 1) findings.doubled.push(`${what} ${n}, ${count} times`)
  }
  if (!hasErrand(n) && done[index] !== '0') findings.doubled.push(`an errand ${n} that nobody sent`)
}

function checkCounter(
  key: string,
  context: CounterContext | undefined,
  ofDesks: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  for (const [from, count] of ofDesks) {
    const last = context?.last[from] ?? 0
    if (last < count) findings.lost.push(`${count - last} messages from ${from} to ${key}`)
    if (last > count) findings.doubled.push(`${last - count} messages from ${from} to ${key}`)
  }
  findings.disordered.push(...(context?.faults ?? []).map((fault) => `${key}: ${fault}`))
}

/** The carrier was told of an errand under one key, and the errand knows that key; of a recalled one it never heard. */
async function checkErrands(
  host: Host,
  errand: ReturnType<typeof systemWith>['errand'],
  { ledger }: Files,
  hands: number,
  findings: Findings,
): Promise<void> {
  const bookings = readLedger(ledger)
  for (let n = 0; n < hands; n += 1) {
    const keys = [...(bookings.get(n) ?? [])]
    const view = hasErrand(n) ? await host.read(errand.at(String(n))) : undefined
    if (view?.value === 'delivered') {
      findings.once(`booking of errand ${n}`, keys.length)
      if (keys.length === 1 && keys[0] !== view.context.booking) findings.lost.push(`the right booking of errand ${n}`)
    } else if (keys.length > 0) {
      findings.doubled.push(`a booking of errand ${n}, which is ${view?.value ?? 'unknown'}`)
    }
  }
}

/** A message without a key: handled once if it was acknowledged, else once or never. */
async function checkGuests(host: Host, { signatures }: Notes, findings: Findings): Promise<void> {
  for (const [name, acknowledged] of signatures) {
    const signed = (await host.read(guest.at(name)))?.context.signed ?? {}
    for (const n of acknowledged) findings.once(`signature ${n} of ${name}`, signed[n] ?? 0)
    for (const [n, times] of Object.entries(signed)) {
      if (times > 1 && !acknowledged.has(Number(n))) findings.doubled.push(`signature ${n} of ${name}, ${times} times`)
    }
  }
}

function checkNotes({ hands, forgotten }: Notes, findings: Findings): void {
  findings.lost.push(...forgotten.map((n) => `the key of hand ${n}`))
  for (const [n, places] of hands) {
    if (places.has('undefined')) findings.lost.push(`the reply to hand ${n}`)
    else if (places.size > 1) findings.doubled.push(`hand ${n}, at the places ${[...places].join(' and ')}`)
  }
}
