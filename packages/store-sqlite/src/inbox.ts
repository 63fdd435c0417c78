// inbox.ts: messages that wait, in the order in which they will be handled.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { EntityId, InboxItem, MessageId, ShardId, StoredMessage } from '@interstate/core'
import type { Positions } from './positions.ts'

const columns = 'id, entity AS "to", shard, body, position'

/** See the file head. */
export class Inbox {
  readonly #positions: Positions
  readonly #insert: StatementSync
  readonly #delete: StatementSync
  readonly #find: StatementSync
  readonly #ofShards: StatementSync
  readonly #ofEntity: StatementSync

  constructor(db: DatabaseSync, positions: Positions) {
    this.#positions = positions
    this.#insert = db.prepare(`
      INSERT INTO inbox (position, id, entity, shard, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`)
    this.#delete = db.prepare('DELETE FROM inbox WHERE id = ? AND entity = ?')
    this.#find = db.prepare(`SELECT ${columns} FROM inbox WHERE id = ?`)
    this.#ofShards = db.prepare(`
      SELECT ${columns} FROM inbox
      WHERE position > ? AND shard IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?`)
    this.#ofEntity = db.prepare(`
      SELECT ${columns} FROM inbox WHERE entity = ? AND position > ? ORDER BY position LIMIT ?`)
  }

  /** Puts a message at the end; one that waits already stays where it is. */
  add({ id, to, shard, body }: StoredMessage): void {
    this.#insert.run(this.#positions.next(), id, to, shard, body)
  }

  /** Says whether the message was there. */
  remove(id: MessageId, entity: EntityId): boolean {
    return this.#delete.run(id, entity).changes === 1
  }

  find(id: MessageId): InboxItem | undefined {
    return items(this.#find.all(id))[0]
  }

  ofShards(shards: readonly ShardId[], after: number, limit: number): readonly InboxItem[] {
    return items(this.#ofShards.all(after, JSON.stringify(shards), limit))
  }

  ofEntity(entity: EntityId, after: number, limit: number): readonly InboxItem[] {
    return items(this.#ofEntity.all(entity, after, limit))
  }
}

function items(rows: unknown): readonly InboxItem[] {
  return (rows as readonly InboxItem[]).map(({ id, to, shard, body, position }) => ({ id, to, shard, body, position }))
}
