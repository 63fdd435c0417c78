// @interstate/store-memory: the store for tests, and the one to read before you write another.
import type { StoreDriver } from '@interstate/core'
import { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'

export { MemoryCluster } from './cluster.ts'
export { MemoryLanes } from './lanes.ts'
export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'

/**
 * A store in memory: all guarantees but durability. Nothing survives the process; `close` forgets nothing, so a test may
 * stop a host and start another on the same store. Hosts that share one instance fence each other as they would on a
 * database.
 *
 * @example
 * ```ts
 * import { createHost } from '@interstate/runtime'
 * import { memoryStore } from '@interstate/store-memory'
 *
 * await using host = await createHost({ entities: [payment], store: memoryStore() })
 * ```
 */
export function memoryStore(options?: MemoryStoreOptions): StoreDriver {
  return new MemoryStore(options)
}
