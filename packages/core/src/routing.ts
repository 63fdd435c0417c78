// routing.ts: where an entity lives. The hash is a persisted format: a change would lose every stored entity.
import { hash } from 'node:crypto'
import type { EntityId } from './address.ts'
import { InterstateError } from './errors.ts'

/** A number from 0 to P - 1: the unit of ownership. */
export type ShardId = number

/** All that is stored for one entity, by where it is. */
export interface LogicalPartition {
  readonly entity: EntityId
  readonly shard: ShardId
}

/** Chooses a shard for chosen entities; `undefined` leaves the entity to the hash. */
export type PlacementRule = (entity: EntityId, shards: number) => ShardId | undefined

/**
 * The shard of an entity: the first 48 bits of SHA-256 over its UTF-8 name, big-endian, modulo P. Tenant and type are
 * part of the name and so of the hash.
 *
 * @param shards - P, fixed when a store is created; a power of two up to 65,536.
 * @param place - Optional rule that pins chosen entities. It must be pure and must never change for a stored entity.
 * @throws InterstateError `DEFINITION_INVALID` when the rule names a shard that does not exist.
 */
export function shardOf(entity: EntityId, shards: number, place?: PlacementRule): ShardId {
  const pinned = place?.(entity, shards)
  if (pinned !== undefined) {
    if (Number.isInteger(pinned) && pinned >= 0 && pinned < shards) return pinned
    const what = `The placement rule puts ${entity} on shard ${pinned} of ${shards}.`
    throw new InterstateError('DEFINITION_INVALID', what, { entity, shard: pinned, shards })
  }
  return Number.parseInt(hash('sha256', entity, 'hex').slice(0, 12), 16) % shards
}

/** The logical partitions of entities, see {@link shardOf}. */
export function partitionsOf(
  entities: readonly EntityId[],
  shards: number,
  place?: PlacementRule,
): readonly LogicalPartition[] {
  return entities.map((entity) => ({ entity, shard: shardOf(entity, shards, place) }))
}

/** The logical partition of an entity, see {@link shardOf}. */
export function partitionOf(entity: EntityId, shards: number, place?: PlacementRule): LogicalPartition {
  return { entity, shard: shardOf(entity, shards, place) }
}
