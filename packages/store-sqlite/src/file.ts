// file.ts: opens the store's file, or says why not. A file that isn't ours, or isn't for this version, is not touched.
//   F1  A new file appears at its path whole: it is made beside it and renamed.
//   F2  Identity and version change only while the file has no write-ahead log, so that its header always tells the truth.
//   F3  The lock is taken before anything is written and given back last.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { InterstateError } from '@interstate/core'
import { identify } from './identity.ts'
import { type Lock, takeLock } from './lock.ts'
import { applicationId, migrations } from './schema.ts'

/**
 * What an acknowledged write survives.
 *
 * - `full`: the loss of power. Every group is synced to the disk before it is acknowledged.
 * - `process-crash-only`: the end of the process, but not of the machine. When power fails, groups that were acknowledged
 *   in the last moments are lost; the file stays intact. About six times as fast for groups of one commit, and hardly
 *   faster for large ones.
 */
export type Durability = 'full' | 'process-crash-only'

/** What is needed to open a file. */
export interface FileOptions {
  readonly path: string
  readonly shards: number | undefined
  readonly durability: Durability
  /** Opens a connection; tests give one that fails. */
  readonly connect: (path: string) => DatabaseSync
}

/** A file that is open, and owned. */
export interface StoreFile {
  readonly path: string
  readonly db: DatabaseSync
  readonly lock: Lock
  readonly shards: number
}

const defaultShards = 64
const maxShards = 65_536

/** @throws InterstateError `STORE_FAILED`, `STORE_FOREIGN`, `STORE_IN_USE`, `STORE_NEWER`, `STORE_UNFIT`. */
export function openFile({ path: given, shards, durability, connect }: FileOptions): StoreFile {
  checkShards(shards)
  checkPath(given)
  const path = resolve(given)
  const folder = dirname(path)
  if (!existsSync(folder)) {
    throw new InterstateError('STORE_FAILED', `The folder ${folder} does not exist; create it first.`, { path, folder })
  }
  identify(path)
  const lock = takeLock(path)
  try {
    // Once more: it may have been made while nobody held the lock.
    if (identify(path) === 'nothing') create(path, shards ?? defaultShards)
    const db = connect(path)
    try {
      own(db)
      migrate(db, migrations)
      configure(db, durability)
      const opened = { path, db, lock, shards: storedShards(db, path, shards) }
      // By now the log has its name, and a new file too. SQLite syncs the folder as well, but keeps a failure to itself.
      syncFolder(folder)
      return opened
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Brings a file up to date, all steps or none. Leaves it without a write-ahead log (F2). @internal */
export function migrate(db: DatabaseSync, steps: readonly string[]): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version >= steps.length) return
  db.exec('PRAGMA journal_mode = DELETE')
  // Whoever catches an error closes the connection, which takes everything back.
  db.exec('BEGIN EXCLUSIVE')
  for (const step of steps.slice(version)) db.exec(step)
  db.exec(`PRAGMA user_version = ${steps.length}; COMMIT`)
}

function checkShards(shards: number | undefined): void {
  if (shards === undefined || (Number.isInteger(shards) && shards >= 1 && shards <= maxShards)) return
  const what = `${shards} shards are not possible; give a whole number from 1 to ${maxShards}.`
  throw new InterstateError('STORE_UNFIT', what, { probe: 'shards', shards })
}

/** SQLite has stores that are no files; they would have none of the promised durability. */
function checkPath(path: string): void {
  if (path !== '' && path !== ':memory:') return
  const what = `"${path}" is no file. For a store that ends with its process use memoryStore().`
  throw new InterstateError('STORE_UNFIT', what, { probe: 'path', path })
}

function create(path: string, shards: number): void {
  const beside = `${path}-new`
  for (const file of [beside, `${beside}-journal`, `${beside}-wal`]) rmSync(file, { force: true })
  const db = new DatabaseSync(beside)
  try {
    db.exec(`PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA application_id = ${applicationId}`)
    migrate(db, migrations)
    db.prepare('INSERT INTO store (one, shards, purged_before, positions) VALUES (1, ?, 0, 0)').run(shards)
  } finally {
    db.close()
  }
  renameSync(beside, path)
}

/** Makes new names in it survive a loss of power. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/**
 * Takes the file for this connection alone: nobody else can write, whatever tool they use, and the index of the log is in
 * memory instead of a third file.
 */
function own(db: DatabaseSync): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT')
}

/** The settings that the promises rest on. */
function configure(db: DatabaseSync, durability: Durability): void {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
  // On macOS fsync does not reach the disk; elsewhere this changes nothing.
  db.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
  // Checkpoints are connection.ts's, because SQLite's own ones keep a failed sync to themselves.
  db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864')
  db.exec('PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF')
}

function storedShards(db: DatabaseSync, path: string, wanted: number | undefined): number {
  const shards = Number(db.prepare('SELECT shards FROM store').get()?.shards)
  if (wanted === undefined || wanted === shards) return shards
  const what = `${path} was made with ${shards} shards and cannot be opened with ${wanted}: entities would not be found.`
  throw new InterstateError('STORE_UNFIT', what, { probe: 'shards', path, stored: shards, wanted })
}
