// leases.ts: the shards that this host runs, and what it knows of those that others run.
import { InterstateError, type Lease, type ShardId } from '@interstate/core'

/** See the file head. */
export class Leases {
  readonly #own = new Map<ShardId, Lease>()
  /** As heard last. A stale one does no harm: what is let in by it is refused, and it is asked for again. */
  readonly #others = new Map<ShardId, Lease>()

  /** The shards that this host runs. */
  get shards(): readonly ShardId[] {
    return [...this.#own.keys()]
  }

  /** The leases of the shards that this host runs. */
  get all(): readonly Lease[] {
    return [...this.#own.values()]
  }

  has(shard: ShardId): boolean {
    return this.#own.has(shard)
  }

  /** @throws InterstateError `LEASE_LOST` when this host does not run the shard. */
  own(shard: ShardId): Lease {
    const lease = this.#own.get(shard)
    if (lease === undefined) throw new InterstateError('LEASE_LOST', `Shard ${shard} is not run here.`, { shard })
    return lease
  }

  /** The lease of a shard, whoever runs it. */
  known(shard: ShardId): Lease | undefined {
    return this.#own.get(shard) ?? this.#others.get(shard)
  }

  take(leases: readonly Lease[]): void {
    for (const lease of leases) this.#own.set(lease.shard, lease)
  }

  drop(shards: Iterable<ShardId>): void {
    for (const shard of shards) this.#own.delete(shard)
  }

  /** Notes the leases of shards that others run. */
  learn(leases: readonly Lease[]): void {
    for (const lease of leases) this.#others.set(lease.shard, lease)
  }

  /** What is known of a shard that others run is no longer so. */
  forget(shard: ShardId): void {
    this.#others.delete(shard)
  }
}
