// watermarks.ts: how far each shard is known to have come, so that one that has less is found (G15).
// Two hosts that share a store have one of these each: it holds what this driver was told, and no more.
import type { ShardId } from '@interstate/core'

/** See the file head. */
export class Watermarks {
  readonly #seqs = new Map<ShardId, number>()

  known(shard: ShardId): number {
    return this.#seqs.get(shard) ?? 0
  }

  /** A shard was acknowledged to be that far. Answers may overtake each other. */
  saw(shard: ShardId, seq: number): void {
    if (seq > this.known(shard)) this.#seqs.set(shard, seq)
  }

  /** A person has decided to go on with less. */
  forget(shard: ShardId): void {
    this.#seqs.delete(shard)
  }
}
