// carrier.ts: the outside world: it keeps a ledger in a file that no store of ours knows of.
import { appendFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { linesOf } from './files.ts'

/** Is told of errands, perhaps twice: a key that it has seen is a repeat and books nothing. */
export interface Carrier {
  book(n: number, key: string): Promise<string>
}

/** Milliseconds on the way there and back, at most: who dies in between has booked and doesn't know it. */
const wayMs = 3

/** A carrier whose ledger is a file. */
export function openCarrier(path: string): Carrier {
  return {
    async book(n, key) {
      await setTimeout(Math.random() * wayMs)
      appendFileSync(path, `${n} ${key}\n`)
      await setTimeout(Math.random() * wayMs)
      return key
    },
  }
}

/** The bookings of each errand: the different keys under which the carrier was told of it. */
export function readLedger(path: string): ReadonlyMap<number, ReadonlySet<string>> {
  const bookings = new Map<number, Set<string>>()
  for (const line of linesOf(path)) {
    const [n, key] = line.split(' ') as [string, string]
    const keys = bookings.get(Number(n)) ?? new Set()
    bookings.set(Number(n), keys.add(key))
  }
  return bookings
}
