// ownership.ts: who runs each shard, and under which epoch.
import type { StatementSync } from 'node:sqlite'
import type { Acquired, HostId, Lease, ShardId } from '@interstate/core'
import type { Connection } from './connection.ts'

interface Row {
  readonly shard: ShardId
  readonly epoch: number
  readonly crashes: number
}

/** See the file head. */
export class Ownership {
  readonly #connection: Connection
  readonly #acquire: StatementSync
  readonly #survived: StatementSync
  readonly #release: StatementSync
  /** As in the file, which nobody else writes: fencing a commit reads nothing. */
  readonly #epochs: Map<ShardId, number>

  constructor(connection: Connection) {
    const { db } = connection
    this.#connection = connection
    // Even the same owner gets a new epoch: its old process may still be writing after a pause.
    this.#acquire = db.prepare(`
      INSERT INTO shard (shard, epoch, runner, crashes) VALUES (?, 1, ?, 0)
      ON CONFLICT (shard) DO UPDATE SET
        epoch = epoch + 1, runner = excluded.runner, crashes = iif(runner IS NULL, 0, crashes + 1)
      RETURNING shard, epoch, crashes`)
    this.#survived = db.prepare('UPDATE shard SET crashes = 0 WHERE runner = ?')
    // A lease that passed on is not the old owner's to give back.
    this.#release = db.prepare('UPDATE shard SET runner = NULL, crashes = 0 WHERE shard = ? AND epoch = ?')
    const rows = db.prepare('SELECT shard, epoch FROM shard').all() as unknown as readonly Row[]
    this.#epochs = new Map(rows.map(({ shard, epoch }) => [shard, epoch]))
  }

  epoch(shard: ShardId): number {
    return this.#epochs.get(shard) ?? 0
  }

  acquire(owner: HostId, shards: readonly ShardId[], also: () => void): Acquired {
    const rows = this.#connection.transact(1, () => {
      also()
      return shards.map((shard) => this.#acquire.get(shard, owner) as unknown as Row)
    })
    for (const { shard, epoch } of rows) this.#epochs.set(shard, epoch)
    const leases = rows.map(({ shard, epoch }): Lease => ({ shard, epoch, owner }))
    return { leases, crashes: Math.max(0, ...rows.map(({ crashes }) => crashes)) }
  }

  survived(owner: HostId): void {
    this.#connection.transact(1, () => this.#survived.run(owner))
  }

  release(leases: readonly Lease[]): void {
    this.#connection.transact(1, () => {
      for (const { shard, epoch } of leases) this.#release.run(shard, epoch)
    })
  }
}
