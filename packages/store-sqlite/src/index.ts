// @interstate/store-sqlite: the embedded store, one file on node:sqlite.
import type { StoreDriver } from '@interstate/core'
import { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'

export type { Durability } from './open.ts'
export type { SqliteStoreOptions } from './sqlite-store.ts'

/**
 * The embedded store: a file, with no server. One process owns it at a time; the lock ends with the process.
 * It is opened when a host probes it, and closed when the host stops.
 *
 * @throws When opened, InterstateError `STORE_IN_USE`: another process has it. `STORE_FOREIGN`, `STORE_NEWER`: the file is
 * left as it is. `STORE_FAILED`: its folder does not exist or can't be written.
 *
 * @example
 * ```ts
 * await using host = await createHost({ entities: [payment], store: sqliteStore({ path: 'shop.db' }) })
 * ```
 */
export function sqliteStore(options: SqliteStoreOptions): StoreDriver {
  return new SqliteStore(options)
}
