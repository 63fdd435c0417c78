// ownership.ts: who runs each shard, and under which epoch.
import type { Acquired, HostId, Lease, ShardId } from '@interstate/core'
import { type Journal, Table } from './journal.ts'

interface ShardRow {
  readonly epoch: number
  /** Who acquired it, and has not given it back. */
  readonly runner: HostId | undefined
  /** Runners in a row, before this one, that ended without giving it back. */
  readonly crashes: number
}

const nobody: ShardRow = { epoch: 0, runner: undefined, crashes: 0 }

/** See the file head. */
export class Ownership {
  readonly #rows: Table<ShardId, ShardRow>

  constructor(journal: Journal) {
    this.#rows = new Table(journal)
  }

  epoch(shard: ShardId): number {
    return this.#row(shard).epoch
  }

  /** Who runs a shard. */
  lease(shard: ShardId): Lease {
    const { epoch, runner } = this.#row(shard)
    return { shard, epoch, owner: runner ?? ('' as HostId) }
  }

  acquire(owner: HostId, shards: readonly ShardId[], handover: readonly ShardId[]): Acquired {
    let most = 0
    const leases = shards.map((shard): Lease => {
      const { epoch, runner, crashes } = this.#row(shard)
      const crashed = runner === undefined ? 0 : handover.includes(shard) ? crashes : crashes + 1
      const row = { epoch: epoch + 1, runner: owner, crashes: crashed }
      // Even the same owner gets a new epoch: its old process may still be writing after a pause.
      this.#rows.set(shard, row)
      most = Math.max(most, row.crashes)
      return { shard, epoch: row.epoch, owner }
    })
    return { leases, crashes: most }
  }

  survived(owner: HostId): void {
    for (const [shard, row] of this.#rows.entries()) {
      if (row.runner === owner) this.#rows.set(shard, { ...row, crashes: 0 })
    }
  }

  release(leases: readonly Lease[]): void {
    for (const { shard, epoch } of leases) {
      const row = this.#row(shard)
      // A lease that passed on is not the old owner's to give back.
      if (row.epoch === epoch) this.#rows.set(shard, { ...row, runner: undefined, crashes: 0 })
    }
  }

  #row(shard: ShardId): ShardRow {
    return this.#rows.get(shard) ?? nobody
  }
}
