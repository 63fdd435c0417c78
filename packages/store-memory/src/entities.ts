// entities.ts: the latest committed state of each entity.
import type { Commit, EntityId, ShardId, StoredEntity } from '@interstate/core'
import { type Journal, Table } from './journal.ts'

interface EntityRow {
  readonly stored: StoredEntity
  readonly shard: ShardId
  readonly unsettled: boolean
}

/** An entity that wants a turn without a message. */
export interface Due {
  readonly entity: EntityId
  readonly wakeAt: number
}

/** See the file head. */
export class Entities {
  readonly #rows: Table<EntityId, EntityRow>

  constructor(journal: Journal) {
    this.#rows = new Table(journal)
  }

  get(entity: EntityId): StoredEntity | undefined {
    return this.#rows.get(entity)?.stored
  }

  /** Puts the state of a commit in the place of the one before. */
  replace({ entity, lease, tag, snapshot, trouble, wakeAt, unsettled }: Commit): number {
    const version = (this.get(entity)?.version ?? 0) + 1
    const stored = { entity, version, tag, snapshot, trouble, wakeAt }
    this.#rows.set(entity, { stored, shard: lease.shard, unsettled })
    return version
  }

  due(shards: readonly ShardId[], until: number, limit: number): readonly Due[] {
    return this.#waking(shards)
      .filter(({ wakeAt }) => wakeAt <= until)
      .slice(0, limit)
  }

  nextDue(shards: readonly ShardId[], after: number): number | undefined {
    return this.#waking(shards).find(({ wakeAt }) => wakeAt > after)?.wakeAt
  }

  unsettled(shards: readonly ShardId[], after: EntityId | undefined, limit: number): readonly EntityId[] {
    return this.#of(shards)
      .filter(({ unsettled, stored }) => unsettled && (after === undefined || stored.entity > after))
      .map(({ stored }) => stored.entity)
      .sort()
      .slice(0, limit)
  }

  /** Soonest first. */
  #waking(shards: readonly ShardId[]): readonly Due[] {
    return this.#of(shards)
      .flatMap(({ stored: { entity, wakeAt } }) => (wakeAt === undefined ? [] : [{ entity, wakeAt }]))
      .sort((one, other) => one.wakeAt - other.wakeAt)
  }

  #of(shards: readonly ShardId[]): readonly EntityRow[] {
    const wanted = new Set(shards)
    return this.#rows
      .entries()
      .map(([, row]) => row)
      .filter(({ shard }) => wanted.has(shard))
  }
}
