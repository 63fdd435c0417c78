// dead-letters.ts: messages given up and kept for a person.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { DeadLetter, MessageId } from '@interstate/core'

const columns = 'id, entity AS "to", shard, body, reason'

/** See the file head. */
export class DeadLetters {
  readonly #insert: StatementSync
  readonly #delete: StatementSync
  readonly #find: StatementSync
  readonly #list: StatementSync

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      'INSERT OR REPLACE INTO dead_letter (id, entity, shard, body, reason) VALUES (?, ?, ?, ?, ?)',
    )
    this.#delete = db.prepare('DELETE FROM dead_letter WHERE id = ?')
    this.#find = db.prepare(`SELECT ${columns} FROM dead_letter WHERE id = ?`)
    this.#list = db.prepare(`SELECT ${columns} FROM dead_letter WHERE id > ? ORDER BY id LIMIT ?`)
  }

  add({ id, to, shard, body, reason }: DeadLetter): void {
    this.#insert.run(id, to, shard, body, reason)
  }

  remove(id: MessageId): void {
    this.#delete.run(id)
  }

  find(id: MessageId): DeadLetter | undefined {
    return letters(this.#find.all(id))[0]
  }

  list(after: MessageId | undefined, limit: number): readonly DeadLetter[] {
    return letters(this.#list.all(after ?? '', limit))
  }
}

function letters(rows: unknown): readonly DeadLetter[] {
  return (rows as readonly DeadLetter[]).map(({ id, to, shard, body, reason }) => ({ id, to, shard, body, reason }))
}
