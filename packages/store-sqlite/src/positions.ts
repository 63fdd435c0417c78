// positions.ts: numbers that only ever grow, also over deleted rows and restarts (G6).
// A block of them is written off in the file before any of it is used, so that using one writes nothing. What is left of a
// block at the end of the process is lost; with a million for each process they last for eight billion of them. SQLite's
// AUTOINCREMENT would do as well and costs a fourth of an insert more (2.3 and 3.0 µs).
import type { StatementSync } from 'node:sqlite'
import type { Connection } from './connection.ts'

const block = 1 << 20

/** See the file head. */
export class Positions {
  readonly #connection: Connection
  readonly #writeOff: StatementSync
  #last: number
  #end: number

  constructor(connection: Connection) {
    this.#connection = connection
    this.#writeOff = connection.db.prepare('UPDATE store SET positions = ?')
    this.#last = Number(connection.db.prepare('SELECT positions FROM store').get()?.positions)
    this.#end = this.#last
  }

  /** Makes sure of so many numbers. Not inside a transaction: if that were rolled back, the block would not be ours. */
  reserve(count: number): void {
    if (this.#last + count <= this.#end) return
    const end = this.#end + Math.max(block, count)
    this.#connection.transact(1, () => this.#writeOff.run(end))
    this.#end = end
  }

  next(): number {
    this.#last += 1
    return this.#last
  }
}
