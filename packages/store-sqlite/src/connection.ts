// connection.ts: the one connection to the file: transactions, checkpoints, and the end of trust.
//   C1  Whatever throws inside a transaction takes all of it back.
//   C2  After an I/O error this store never answers again: no acknowledgement after a failed sync.
//   C3  Checkpoints run before a write, not after it: an acknowledged group doesn't wait for one.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { InterstateError } from '@interstate/core'
import { failure, resultCode } from './failure.ts'

/** A log that long makes a checkpoint due: 4 to 40 MB, as an estimate counts rows that share a page one by one. */
const checkpointAtPages = 10_000
/** SQLITE_ERROR: what was asked for makes no sense here. */
const noTransaction = 1

/** See the file head. */
export class Connection {
  readonly db: DatabaseSync
  readonly #path: string
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #checkpoint: StatementSync
  #fence: InterstateError | undefined
  #pages = 0

  constructor(db: DatabaseSync, path: string) {
    this.db = db
    this.#path = path
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  }

  /** Reads. */
  read<T>(work: () => T): T {
    this.#trust()
    try {
      return work()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /**
   * Writes, all or nothing. What it returns is durable.
   * @param pages - About how many pages of the file this changes.
   */
  transact<T>(pages: number, work: () => T): T {
    this.#trust()
    try {
      if (this.#pages > checkpointAtPages) this.#checkpointLog()
      this.#begin.run()
      const result = work()
      this.#commit.run()
      this.#pages += pages
      return result
    } catch (error) {
      const failed = this.#failed(error)
      // After an I/O error there is nothing left to put in order.
      if (this.#fence === undefined) this.#rollBack()
      throw failed
    }
  }

  /** Moves everything from the log into the file and lets go of it. */
  close(): void {
    try {
      if (this.#fence === undefined) this.read(() => this.#checkpointLog())
    } finally {
      this.db.close()
    }
  }

  #trust(): void {
    if (this.#fence === undefined) return
    const what = `${this.#path} is closed for good.`
    throw new InterstateError('STORE_FENCED', what, { path: this.#path }, { cause: this.#fence })
  }

  #checkpointLog(): void {
    try {
      this.#checkpoint.get()
      this.#pages = 0
    } catch (error) {
      // Without room in the file all stays in the log; whether there is room in the log a write will see for itself.
      if (failure(error, this.#path).code !== 'STORE_FULL') throw error
    }
  }

  #failed(error: unknown): InterstateError {
    const failed = failure(error, this.#path)
    if (failed.code === 'STORE_FENCED') this.#fence ??= failed
    return failed
  }

  #rollBack(): void {
    try {
      this.db.exec('ROLLBACK')
    } catch (error) {
      // SQLite takes some failed transactions back by itself, and then says that there is none.
      if (resultCode(error) !== noTransaction) throw this.#failed(error)
    }
  }
}
