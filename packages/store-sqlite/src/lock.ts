// lock.ts: one process owns the store, and holds a lock on a file of its own beside it.
// SQLite locks the store's file as well, but that lock is lost without a word when anyone in this process copies or reads
// the file, for a backup say: POSIX drops all locks on a file when the process closes any handle on it. Nobody reads this one.
import { rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { InterstateError } from '@interstate/core'
import { resultCode } from './failure.ts'

/** A lock that is held. It ends with the process, however that ends. */
export interface Lock {
  release(): void
}

/** @throws InterstateError `STORE_IN_USE`. */
export function takeLock(path: string): Lock {
  const lockPath = `${path}-lock`
  const db = new DatabaseSync(lockPath)
  try {
    // Nothing is ever written, so the file stays empty and needs no journal on the disk.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    db.close()
    if (resultCode(cause) !== 5) throw cause
    throw new InterstateError('STORE_IN_USE', `${path} is open elsewhere.`, { path }, { cause })
  }
  return { release: () => release(db, lockPath) }
}

function release(db: DatabaseSync, lockPath: string): void {
  try {
    // While it is held. Someone who opened the old file and someone who makes a new one then still meet at the store's own.
    if (statSync(lockPath).size === 0) rmSync(lockPath)
  } catch {
    // Windows keeps files that are open. An empty file that stays is no lock.
  }
  db.close()
}
