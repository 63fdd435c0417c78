// carrier.ts: the outside world: a carrier with a ledger of its own, in a file that no store of ours knows of.
// It may be called again after a crash, with the same key; a key that it has seen gets the same booking and no new one.
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { destinations } from './catalogue.ts'

/** What is to be carried. */
export interface Parcel {
  readonly order: string
  readonly shipTo: string
}

/** What the carrier says: a refusal is an answer like any other. */
export type CarrierAnswer =
  | { readonly says: 'booked'; readonly booking: string }
  | { readonly says: 'refused'; readonly why: string }

/** A line of the ledger: a call that booked, or one that was a repeat. */
export type LedgerEntry = { readonly key: string; readonly order: string } & (
  | { readonly booking: string }
  | { readonly repeated: string }
)

/** Takes bookings. */
export interface Carrier {
  book(parcel: Parcel, key: string): Promise<CarrierAnswer>
}

/** Milliseconds on the way to the carrier and back, at most: a host that dies in between has booked and doesn't know it. */
const wayMs = 3

/** A carrier whose ledger is a file. */
export function openCarrier(path: string): Carrier {
  const bookings = new Map<string, string>()
  for (const entry of readLedger(path)) if ('booking' in entry) bookings.set(entry.key, entry.booking)
  const note = (entry: LedgerEntry): void => appendFileSync(path, `${JSON.stringify(entry)}\n`)
  return {
    async book({ order, shipTo }, key) {
      await setTimeout(Math.random() * wayMs)
      if (!destinations.has(shipTo)) return { says: 'refused', why: `no way to ${shipTo}` }
      const known = bookings.get(key)
      const booking = known ?? `b-${bookings.size + 1}`
      note(known === undefined ? { key, order, booking } : { key, order, repeated: known })
      bookings.set(key, booking)
      await setTimeout(Math.random() * wayMs)
      return { says: 'booked', booking }
    },
  }
}

/** The ledger as it stands. A last line that a killed process left half written booked nothing; it is cut off. */
export function readLedger(path: string): readonly LedgerEntry[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  const end = text.lastIndexOf('\n') + 1
  if (end < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, end)))
  return text
    .slice(0, end)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LedgerEntry)
}
