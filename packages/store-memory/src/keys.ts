// keys.ts: what is known of clients' idempotency keys (G10).
import { type KeyPlace, type KeyState, type Registration, type Scope, timeOfKey } from '@interstate/core'
import { type Journal, Table } from './journal.ts'

interface KeyRow {
  readonly registration: Registration
  readonly reply: string | undefined
}

/** See the file head. */
export class Keys {
  readonly #rows: Table<string, KeyRow>
  readonly #scope: Scope
  /** One number stands for all keys that were forgotten. */
  #mark = 0

  constructor(journal: Journal, scope: Scope) {
    this.#rows = new Table(journal)
    this.#scope = scope
  }

  /** `false` when the key is taken, or too old to be known. */
  register(registration: Registration): boolean {
    const place = this.#place(registration)
    if (registration.at < this.#mark || this.#rows.has(place)) return false
    this.#rows.set(place, { registration, reply: undefined })
    return true
  }

  /** The first reply stands. */
  reply(at: KeyPlace, reply: string): void {
    const place = this.#place(at)
    const row = this.#rows.get(place)
    if (row !== undefined && row.reply === undefined) this.#rows.set(place, { ...row, reply })
  }

  state(at: KeyPlace): KeyState {
    if (timeOfKey(at.key) < this.#mark) return { state: 'purged' }
    const row = this.#rows.get(this.#place(at))
    if (row === undefined) return { state: 'new' }
    const { message, fingerprint } = row.registration
    return { state: 'known', message, fingerprint, reply: row.reply }
  }

  purge(before: number): number {
    this.#mark = Math.max(this.#mark, before)
    let forgotten = 0
    for (const [place, { registration }] of this.#rows.entries()) {
      if (registration.at >= this.#mark) continue
      this.#rows.delete(place)
      forgotten += 1
    }
    return forgotten
  }

  /** A key is known where it entered: where the scope is the store, that is everywhere. */
  #place({ key, shard }: KeyPlace): string {
    return this.#scope === 'store' ? key : `${shard}:${key}`
  }
}
