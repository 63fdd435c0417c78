// @interstate/store-redis: the store for many hosts, on Redis, Sentinel or Redis Cluster.
import type { StoreDriver } from '@interstate/core'
import { RedisStore, type RedisStoreOptions } from './redis-store.ts'

export type {
  RedisClient,
  RedisClusterClient,
  RedisConnection,
  RedisPipeline,
  RedisSubscriber,
} from './client.ts'
export type { Clock } from './clock.ts'
export type { WhenAbsent } from './opening.ts'
export type { Trust } from './probes.ts'
export type { RedisStoreOptions } from './redis-store.ts'
export type { Durability } from './writer.ts'

/**
 * A store on Redis 7.0 or later, shared by as many hosts as you like. Everything of a shard stands under one hash tag, and
 * each turn is one script there: all or nothing, fenced. What an acknowledged write survives is a named level, see
 * {@link RedisStoreOptions.durability}; where the servers lose one nevertheless it is noticed before anything is built on it.
 *
 * It opens on first use, by `createHost`. That rejects with `STORE_FAILED` where no server answers, `STORE_FOREIGN` and
 * `STORE_NEWER` for keys that are not this store's, `STORE_UNFIT` for another number of shards or servers that evict, and
 * `STORE_LOST_HISTORY`. Later calls reject with `STORE_FULL` while memory is full, `STORE_FAILED` where nothing was
 * written, and `STORE_UNCERTAIN` where nobody knows.
 *
 * @example
 * ```ts
 * import { createHost } from '@interstate/runtime'
 * import { redisStore } from '@interstate/store-redis'
 * import { Redis } from 'ioredis'
 *
 * const client = new Redis('redis://localhost:6379')
 * await using host = await createHost({ entities: [payment], store: redisStore({ client }) })
 * ```
 */
export function redisStore(options: RedisStoreOptions): StoreDriver {
  return new RedisStore(options)
}
