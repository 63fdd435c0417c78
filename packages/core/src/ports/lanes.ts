// ports/lanes.ts: how messages get from shard to shard where no write covers both.
// What a turn sends to another shard stays in its own, under a number without gaps and a chain over all ids so far. The
// receiver keeps one number and one chain for each shard that ever sent to it, and never forgets them (G7). Whoever finds
// a message there may carry it over, however late and however often.
import type { Chain } from '../lane.ts'
import type { ShardId } from '../routing.ts'
import type { InboxItem, StoredMessage } from './store.ts'

/** Where a message stands after a write: in an inbox, or in a lane. */
export type Placed = { readonly position: number } | LanePlace

/** A place in a lane. */
export interface LanePlace {
  /** From 1, without gaps. */
  readonly number: number
  /** Over this message and all before it. */
  readonly chain: Chain
}

/** A message on its way to another shard. */
export interface LaneMessage extends StoredMessage, LanePlace {}

/** Messages that follow each other in a lane; at least one. */
export interface Consignment {
  readonly from: ShardId
  readonly to: ShardId
  readonly messages: readonly LaneMessage[]
}

/** What became of a consignment: a value, not an exception. */
export type Delivery =
  /**
   * The receiver has all of it, and everything up to `mark`. `accepted` holds what was new, as it waits now, in order.
   */
  | { readonly outcome: 'delivered'; readonly mark: number; readonly accepted: readonly InboxItem[] }
  /** The receiver misses something before it. Nothing was accepted. */
  | { readonly outcome: 'gap'; readonly mark: number }
  /** The receiver has another history under the same numbers (G15). Nothing was accepted. */
  | { readonly outcome: 'broken'; readonly mark: number }
  /** The receiver's shard has lost its record (G15). Nothing was accepted. */
  | { readonly outcome: 'lost'; readonly finding: string }

/** One end of a lane. */
export interface LaneEnd extends LanePlace {
  readonly from: ShardId
  readonly to: ShardId
}

/** The sender's end of a lane. */
export interface LaneHead extends LaneEnd {
  /** Up to this number the receiver has it, and the sender has forgotten it. */
  readonly trimmed: number
}

/** How far a shard has come. */
export interface Tail {
  readonly shard: ShardId
  /** Of the message that was put into its inbox last; 0 for none. Positions of a shard have no gaps. */
  readonly position: number
  /** Messages in its lanes to others. */
  readonly departing: number
}

/** See the file head. All methods reject as those of a `StoreDriver` do. */
export interface Lanes {
  /** What shards have sent and have not trimmed, in order within each lane; about `limit` messages. */
  departures(shards: readonly ShardId[], limit: number): Promise<readonly Consignment[]>
  /**
   * Hands consignments over; one result for each. What the receiver's mark covers is a duplicate and counts as delivered.
   * The part of a consignment behind the mark is accepted, if its chain fits.
   */
  deliver(consignments: readonly Consignment[]): Promise<readonly Delivery[]>
  /** Forgets what receivers durably have, up to a number (G2). Never more than that: see {@link deliver}. */
  trim(ends: readonly Omit<LaneEnd, 'chain'>[]): Promise<void>
  /** How far shards have come, in the order asked. */
  tails(shards: readonly ShardId[]): Promise<readonly Tail[]>
  /** The sender's ends of all lanes from these shards. */
  heads(from: readonly ShardId[]): Promise<readonly LaneHead[]>
  /** The receiver's ends of all lanes to these shards. */
  marks(to: readonly ShardId[]): Promise<readonly LaneEnd[]>
  /**
   * Sets ends after history was lost and a person has decided to go on: a head goes on after what its receiver has, a
   * mark after what its sender has forgotten. Heads and marks only move forward.
   */
  rebase(ends: { readonly heads: readonly LaneEnd[]; readonly marks: readonly LaneEnd[] }): Promise<void>
}
