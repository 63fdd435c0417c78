// statements.ts: every statement of the store, prepared once.
import type { DatabaseSync, StatementSync } from 'node:sqlite'

const ofShards = 'shard IN (SELECT value FROM json_each(?))'
const inboxItem = 'position, id, entity AS "to", shard, body'

/** See the file head. */
export class Statements {
  readonly begin: StatementSync
  readonly commit: StatementSync
  readonly rollback: StatementSync
  readonly savepoint: StatementSync
  readonly releaseSavepoint: StatementSync
  readonly rollbackToSavepoint: StatementSync
  readonly insert: StatementSync
  readonly update: StatementSync
  readonly version: StatementSync
  readonly entity: StatementSync
  readonly due: StatementSync
  readonly nextDue: StatementSync
  readonly unsettled: StatementSync
  readonly put: StatementSync
  readonly consume: StatementSync
  readonly inbox: StatementSync
  readonly inboxOf: StatementSync
  readonly register: StatementSync
  readonly reply: StatementSync
  readonly key: StatementSync
  readonly forgetKeys: StatementSync
  readonly bury: StatementSync
  readonly deadLetters: StatementSync
  readonly deadLetter: StatementSync
  readonly forgetDeadLetter: StatementSync
  readonly setEpoch: StatementSync
  readonly epochs: StatementSync
  readonly setMeta: StatementSync
  readonly #meta: StatementSync

  constructor(database: DatabaseSync) {
    const prepare = (sql: string): StatementSync => database.prepare(sql)
    this.begin = prepare('BEGIN IMMEDIATE')
    this.commit = prepare('COMMIT')
    this.rollback = prepare('ROLLBACK')
    this.savepoint = prepare('SAVEPOINT entity')
    this.releaseSavepoint = prepare('RELEASE entity')
    this.rollbackToSavepoint = prepare('ROLLBACK TO entity')
    this.insert = prepare(
      'INSERT INTO entities (id, shard, version, tag, snapshot, trouble, wake_at, unsettled) VALUES (?, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.update = prepare(
      'UPDATE entities SET version = ?, tag = ?, snapshot = ?, trouble = ?, wake_at = ?, unsettled = ? WHERE id = ? AND version = ?',
    )
    this.version = prepare('SELECT version, tag FROM entities WHERE id = ?')
    this.entity = prepare('SELECT id, version, tag, snapshot, trouble, wake_at FROM entities WHERE id = ?')
    this.due = prepare(
      `SELECT id AS entity, wake_at AS wakeAt FROM entities WHERE wake_at <= ? AND ${ofShards} ORDER BY wake_at, id LIMIT ?`,
    )
    this.nextDue = prepare(
      `SELECT wake_at AS at FROM entities WHERE wake_at > ? AND ${ofShards} ORDER BY wake_at LIMIT 1`,
    )
    this.unsettled = prepare(
      `SELECT id FROM entities WHERE unsettled = 1 AND id > ? AND ${ofShards} ORDER BY id LIMIT ?`,
    )
    this.put = prepare('INSERT INTO inbox (position, id, entity, shard, body) VALUES (?, ?, ?, ?, ?)')
    this.consume = prepare('DELETE FROM inbox WHERE id = ?')
    this.inbox = prepare(`SELECT ${inboxItem} FROM inbox WHERE position > ? AND ${ofShards} ORDER BY position LIMIT ?`)
    this.inboxOf = prepare(`SELECT ${inboxItem} FROM inbox WHERE entity = ? AND position > ? ORDER BY position LIMIT ?`)
    this.register = prepare(
      'INSERT INTO keys (key, at, message, fingerprint) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.reply = prepare('UPDATE keys SET reply = ? WHERE key = ?')
    this.key = prepare('SELECT message, fingerprint, reply FROM keys WHERE key = ?')
    this.forgetKeys = prepare('DELETE FROM keys WHERE at < ?')
    this.bury = prepare('INSERT INTO dead_letters (id, entity, shard, body, reason) VALUES (?, ?, ?, ?, ?)')
    this.deadLetters = prepare(
      'SELECT id, entity AS "to", shard, body, reason FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?',
    )
    this.deadLetter = prepare('SELECT id, entity AS "to", shard, body, reason FROM dead_letters WHERE id = ?')
    this.forgetDeadLetter = prepare('DELETE FROM dead_letters WHERE id = ?')
    this.setEpoch = prepare(
      'INSERT INTO epochs VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET epoch = excluded.epoch, owner = excluded.owner',
    )
    this.epochs = prepare('SELECT shard, epoch FROM epochs')
    this.setMeta = prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
    this.#meta = prepare('SELECT value FROM meta WHERE name = ?')
  }

  /** A number of the store's own; 0 before it was set. */
  number(name: 'crashes' | 'positions' | 'purge mark' | 'running' | 'shards'): number {
    return Number((this.#meta.get(name) as { value: number } | undefined)?.value ?? 0)
  }

  /** A text of the store's own. */
  text(name: 'latest'): string | undefined {
    return (this.#meta.get(name) as { value: string } | undefined)?.value
  }
}
