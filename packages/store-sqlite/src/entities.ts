// entities.ts: the latest committed state of each entity.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Commit, EntityId, ShardId, StoredEntity } from '@interstate/core'

/** An entity that wants a turn without a message. */
export interface Due {
  readonly entity: EntityId
  readonly wakeAt: number
}

interface Row {
  readonly asked: number
  readonly version: number
  readonly tag: string
  readonly snapshot: string | null
  readonly trouble: string | null
  readonly wakeAt: number | null
}

/** See the file head. */
export class Entities {
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #version: StatementSync
  readonly #load: StatementSync
  readonly #due: StatementSync
  readonly #nextDue: StatementSync
  readonly #unsettled: StatementSync

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(`
      INSERT INTO entity (tag, snapshot, trouble, wake_at, unsettled, name, shard, version) VALUES (?, ?, ?, ?, ?, ?, ?, 1)
      ON CONFLICT (name) DO NOTHING`)
    this.#update = db.prepare(`
      UPDATE entity SET version = version + 1, tag = ?, snapshot = ?, trouble = ?, wake_at = ?, unsettled = ?
      WHERE name = ? AND version = ?`)
    this.#version = db.prepare('SELECT version, tag FROM entity WHERE name = ?')
    this.#load = db.prepare(`
      SELECT asked.key AS asked, version, tag, snapshot, trouble, wake_at AS wakeAt
      FROM json_each(?) AS asked CROSS JOIN entity ON name = asked.value`)
    this.#due = db.prepare(`
      SELECT name AS entity, wake_at AS wakeAt FROM entity
      WHERE wake_at <= ? AND shard IN (SELECT value FROM json_each(?)) ORDER BY wake_at LIMIT ?`)
    this.#nextDue = db.prepare(`
      SELECT wake_at AS wakeAt FROM entity
      WHERE wake_at > ? AND shard IN (SELECT value FROM json_each(?)) ORDER BY wake_at LIMIT 1`)
    this.#unsettled = db.prepare(`
      SELECT name FROM entity
      WHERE unsettled = 1 AND name > ? AND shard IN (SELECT value FROM json_each(?)) ORDER BY name LIMIT ?`)
  }

  /** Writes the state of a commit if the stored version is the expected one, and says whether it was. */
  replace({ entity, lease, expectedVersion, tag, snapshot, trouble, wakeAt, unsettled }: Commit): boolean {
    const state = [tag, snapshot ?? null, trouble ?? null, wakeAt ?? null, unsettled ? 1 : 0, entity] as const
    const { changes } =
      expectedVersion === 0 ? this.#insert.run(...state, lease.shard) : this.#update.run(...state, expectedVersion)
    return changes === 1
  }

  /** The version and the tag of its last commit; 0 for an entity that isn't stored. */
  version(entity: EntityId): { readonly version: number; readonly tag: string | undefined } {
    const row = this.#version.get(entity) as unknown as Pick<Row, 'version' | 'tag'> | undefined
    return row ?? { version: 0, tag: undefined }
  }

  load(entities: readonly EntityId[]): readonly (StoredEntity | undefined)[] {
    const found: (StoredEntity | undefined)[] = entities.map(() => undefined)
    for (const row of this.#load.all(JSON.stringify(entities)) as unknown as readonly Row[]) {
      found[row.asked] = {
        entity: entities[row.asked] as EntityId,
        version: row.version,
        tag: row.tag,
        snapshot: row.snapshot ?? undefined,
        trouble: row.trouble ?? undefined,
        wakeAt: row.wakeAt ?? undefined,
      }
    }
    return found
  }

  due(shards: readonly ShardId[], until: number, limit: number): readonly Due[] {
    const rows = this.#due.all(until, JSON.stringify(shards), limit) as unknown as readonly Due[]
    return rows.map(({ entity, wakeAt }) => ({ entity, wakeAt }))
  }

  nextDue(shards: readonly ShardId[], after: number): number | undefined {
    const row = this.#nextDue.get(after, JSON.stringify(shards)) as unknown as Pick<Due, 'wakeAt'> | undefined
    return row?.wakeAt
  }

  unsettled(shards: readonly ShardId[], after: EntityId | undefined, limit: number): readonly EntityId[] {
    const rows = this.#unsettled.all(after ?? '', JSON.stringify(shards), limit)
    return rows.map(({ name }) => name as EntityId)
  }
}
