// @interstate/store-sqlite: the embedded default store: one file, many turns in one sync.
import type { StoreDriver } from '@interstate/core'
import { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'

export type { Durability } from './file.ts'
export type { SqliteStoreOptions } from './sqlite-store.ts'

/**
 * A store in one SQLite file, owned by one process. What a host has acknowledged is on the disk and survives the loss of
 * power, see {@link SqliteStoreOptions.durability}; a process that was killed loses nothing and its file needs no repair.
 *
 * The file is opened on first use, by `createHost`. That rejects with `STORE_FOREIGN` and `STORE_NEWER` (the file is left
 * as it was), `STORE_IN_USE`, `STORE_UNFIT` for another number of shards than the stored one, and `STORE_FAILED` when the
 * folder is missing. Later calls reject with `STORE_FULL` while the disk is full (nothing of that write is stored, and it
 * works again once there is room), and with `STORE_FENCED` for good after an I/O error. Beside the file stand a `-wal`
 * and a `-lock` while it is open; a backup needs the file and its `-wal`, copied while it is closed.
 *
 * @example
 * ```ts
 * import { createHost } from '@interstate/runtime'
 * import { sqliteStore } from '@interstate/store-sqlite'
 *
 * await using host = await createHost({ entities: [payment], store: sqliteStore({ path: 'shop.db' }) })
 * ```
 */
export function sqliteStore(options: SqliteStoreOptions): StoreDriver {
  return new SqliteStore(options)
}
