// open.ts: opens a store file, or leaves it untouched.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { InterstateError } from '@interstate/core'
import { applicationId, migrate, migrations } from './schema.ts'

/** What survives what: see `SqliteStoreOptions`. */
export type Durability = 'full' | 'process-crash-only'

/**
 * Opens the file for this process alone and brings it to the present form.
 *
 * @throws InterstateError `STORE_FOREIGN` or `STORE_NEWER`, with the file untouched; what SQLite throws.
 */
export function openFile(path: string, durability: Durability): DatabaseSync {
  const version = path === ':memory:' ? 0 : checkHeader(path)
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // The lock is taken with the first read and kept until close; the operating system frees it after a crash.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    database.exec('BEGIN EXCLUSIVE; COMMIT')
    // A new file gets its header before it gets a write-ahead log, so that the header alone tells whose it is.
    if (version === 0) migrate(database, 0)
    database.exec('PRAGMA journal_mode = WAL')
    const present = Number((database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version)
    if (present > migrations.length) throw newer(path, present)
    if (present < migrations.length) {
      migrate(database, present)
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    }
    database.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
    // 32 MiB of pages; a checkpoint after 16 MiB of log, so that it is rare and still short.
    database.exec('PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4096; PRAGMA temp_store = MEMORY')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Reads the file's header as bytes: SQLite itself would leave traces. 0 for a file that is not there yet. */
function checkHeader(path: string): number {
  if (!existsSync(path)) return 0
  const header = Buffer.alloc(100)
  const file = openSync(path, 'r')
  const length = readSync(file, header)
  closeSync(file)
  if (length === 0) return 0
  // https://sqlite.org/fileformat2.html#the_database_header
  const ours = header.toString('latin1', 0, 16) === 'SQLite format 3\0' && header.readUInt32BE(68) === applicationId
  if (!ours) throw new InterstateError('STORE_FOREIGN', `"${path}" is no store of ours.`, { path })
  const version = header.readUInt32BE(60)
  if (version > migrations.length) throw newer(path, version)
  return version
}

function newer(path: string, version: number): InterstateError {
  const what = `"${path}" has schema ${version}; this version knows ${migrations.length}.`
  return new InterstateError('STORE_NEWER', what, { path, version, known: migrations.length })
}
