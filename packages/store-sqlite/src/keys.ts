// keys.ts: what is known of clients' idempotency keys (G10).
import type { StatementSync } from 'node:sqlite'
import { type IdempotencyKey, type KeyState, type MessageId, type Registration, timeOfKey } from '@interstate/core'
import type { Connection } from './connection.ts'

interface Row {
  readonly message: MessageId
  readonly fingerprint: string
  readonly reply: string | null
}

/** See the file head. */
export class Keys {
  readonly #connection: Connection
  readonly #insert: StatementSync
  readonly #reply: StatementSync
  readonly #find: StatementSync
  readonly #moveMark: StatementSync
  readonly #forget: StatementSync
  /** One number stands for all keys that were forgotten. */
  #mark: number

  constructor(connection: Connection) {
    const { db } = connection
    this.#connection = connection
    this.#insert = db.prepare(`
      INSERT INTO idempotency_key (at, key, message, fingerprint) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`)
    this.#reply = db.prepare('UPDATE idempotency_key SET reply = ? WHERE at = ? AND key = ? AND reply IS NULL')
    this.#find = db.prepare('SELECT message, fingerprint, reply FROM idempotency_key WHERE at = ? AND key = ?')
    this.#moveMark = db.prepare('UPDATE store SET purged_before = ?')
    this.#forget = db.prepare('DELETE FROM idempotency_key WHERE at < ?')
    this.#mark = Number(db.prepare('SELECT purged_before FROM store').get()?.purged_before)
  }

  /** `false` when the key is taken, or too old to be known. */
  register({ key, at, message, fingerprint }: Registration): boolean {
    return at >= this.#mark && this.#insert.run(at, key, message, fingerprint).changes === 1
  }

  /** The first reply stands. */
  reply(key: IdempotencyKey, reply: string): void {
    this.#reply.run(reply, timeOfKey(key), key)
  }

  state(key: IdempotencyKey): KeyState {
    const at = timeOfKey(key)
    if (at < this.#mark) return { state: 'purged' }
    const row = this.#find.get(at, key) as unknown as Row | undefined
    if (row === undefined) return { state: 'new' }
    return { state: 'known', message: row.message, fingerprint: row.fingerprint, reply: row.reply ?? undefined }
  }

  purge(before: number): number {
    const mark = Math.max(this.#mark, before)
    const forgotten = this.#connection.transact(1, () => {
      this.#moveMark.run(mark)
      return Number(this.#forget.run(mark).changes)
    })
    this.#mark = mark
    return forgotten
  }
}
