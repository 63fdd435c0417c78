// keys.ts: what is known of clients' idempotency keys (G10).
import { type IdempotencyKey, type KeyState, type Registration, timeOfKey } from '@interstate/core'
import { type Journal, Table } from './journal.ts'

interface KeyRow {
  readonly registration: Registration
  readonly reply: string | undefined
}

/** See the file head. */
export class Keys {
  readonly #rows: Table<IdempotencyKey, KeyRow>
  /** One number stands for all keys that were forgotten. */
  #mark = 0

  constructor(journal: Journal) {
    this.#rows = new Table(journal)
  }

  /** `false` when the key is taken, or too old to be known. */
  register(registration: Registration): boolean {
    const { key, at } = registration
    if (at < this.#mark || this.#rows.has(key)) return false
    this.#rows.set(key, { registration, reply: undefined })
    return true
  }

  /** The first reply stands. */
  reply(key: IdempotencyKey, reply: string): void {
    const row = this.#rows.get(key)
    if (row !== undefined && row.reply === undefined) this.#rows.set(key, { ...row, reply })
  }

  state(key: IdempotencyKey): KeyState {
    if (timeOfKey(key) < this.#mark) return { state: 'purged' }
    const row = this.#rows.get(key)
    if (row === undefined) return { state: 'new' }
    const { message, fingerprint } = row.registration
    return { state: 'known', message, fingerprint, reply: row.reply }
  }

  purge(before: number): number {
    this.#mark = Math.max(this.#mark, before)
    let forgotten = 0
    for (const [key, { registration }] of this.#rows.entries()) {
      if (registration.at >= this.#mark) continue
      this.#rows.delete(key)
      forgotten += 1
    }
    return forgotten
  }
}
