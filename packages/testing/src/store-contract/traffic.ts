// traffic.ts: shards that write to each other: one entity in each, in as few words as a test can bear.
import assert from 'node:assert/strict'
import {
  type Cluster,
  type Commit,
  type CommitResult,
  type Consignment,
  chainAfter,
  type EntityId,
  emptyChain,
  type LaneMessage,
  type Lanes,
  type MessageId,
  partitionsOf,
  type ShardId,
  type StoreDriver,
  type StoredMessage,
} from '@interstate/core'
import { entityIn, Hand, messageId, type Parts } from './hand.ts'

/** A message by its name, and the shard that it goes to. */
export type Sent = readonly [name: string | number, to: ShardId]

/** What a store shows of its lanes. */
export interface LanePicture {
  readonly departures: readonly Consignment[]
  readonly heads: Awaited<ReturnType<Lanes['heads']>>
  readonly marks: Awaited<ReturnType<Lanes['marks']>>
  readonly tails: Awaited<ReturnType<Lanes['tails']>>
}

/** The lanes of a store. */
export function lanesOf({ lanes }: StoreDriver): Lanes {
  assert.ok(lanes !== undefined, 'a store of scope shard has lanes')
  return lanes
}

/** What hosts of a store know of each other. */
export function clusterOf({ cluster }: StoreDriver): Cluster {
  assert.ok(cluster !== undefined, 'a store that several hosts share has a cluster')
  return cluster
}

/** Messages of a lane that carried nothing before, as a sender would number and chain them. */
export function chained(messages: readonly StoredMessage[]): readonly LaneMessage[] {
  let chain = emptyChain
  return messages.map((message, index) => {
    chain = chainAfter(chain, message.id)
    return { ...message, number: index + 1, chain }
  })
}

/** See the file head. */
export class Traffic {
  readonly hand: Hand
  readonly store: StoreDriver
  readonly lanes: Lanes

  static async over(store: StoreDriver, owner?: string): Promise<Traffic> {
    return new Traffic(await Hand.over(store, owner))
  }

  constructor(hand: Hand) {
    this.hand = hand
    this.store = hand.store
    this.lanes = lanesOf(hand.store)
  }

  at(store: StoreDriver): Traffic {
    return new Traffic(this.hand.at(store))
  }

  entity(shard: ShardId): EntityId {
    return entityIn(this.store, shard)
  }

  message([name, to]: Sent): StoredMessage {
    return this.hand.message(name, this.entity(to), `body of ${name}`)
  }

  /** A commit of the entity of a shard, on the version that is stored. */
  async commit(from: ShardId, sent: readonly Sent[], parts: Parts = {}): Promise<Commit> {
    const entity = this.entity(from)
    const [row] = await this.store.load(partitionsOf([entity], this.store.shards))
    const outbox = sent.map((each) => this.message(each))
    return this.hand.commit(entity, { expectedVersion: row?.version ?? 0, outbox, ...parts })
  }

  /** Writes a commit that sends. */
  async send(from: ShardId, ...sent: readonly Sent[]): Promise<CommitResult> {
    const [result] = await this.hand.each(await this.commit(from, sent))
    assert.equal(result?.outcome, 'committed')
    return result as CommitResult
  }

  /** What is on its way from one shard to another. */
  async lane(from: ShardId, to: ShardId): Promise<Consignment> {
    const found = (await this.lanes.departures([from], 1_000)).filter((each) => each.to === to)
    const messages = found.flatMap((each) => each.messages)
    return { from, to, messages }
  }

  /** The names of what waits for the entity of a shard. */
  waiting(shard: ShardId): Promise<readonly MessageId[]> {
    return this.hand.waiting(this.entity(shard))
  }

  /** Consumes all that waits for the entity of a shard. */
  async handle(shard: ShardId): Promise<readonly MessageId[]> {
    const consumed = await this.waiting(shard)
    const [result] = await this.hand.each(await this.commit(shard, [], { consumed }))
    assert.equal(result?.outcome, 'committed')
    return consumed
  }

  async picture(): Promise<LanePicture> {
    const { shards } = this.hand
    const byLane = <T extends { readonly from: ShardId; readonly to: ShardId }>(ends: readonly T[]) =>
      ends.toSorted((one, other) => one.from - other.from || one.to - other.to)
    return {
      departures: byLane(await this.lanes.departures(shards, 10_000)),
      heads: byLane(await this.lanes.heads(shards)),
      marks: byLane(await this.lanes.marks(shards)),
      tails: await this.lanes.tails(shards),
    }
  }
}

/** The names of a lane's messages. */
export function names(messages: readonly { readonly id: MessageId }[]): readonly MessageId[] {
  return messages.map(({ id }) => id)
}

/** Message ids of names. */
export function ids(...of: readonly (string | number)[]): readonly MessageId[] {
  return of.map(messageId)
}
