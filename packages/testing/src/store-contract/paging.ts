// paging.ts: whoever reads page by page finds everything, however much there is.

import assert from 'node:assert/strict'
import type { DeadLetter, EntityId, InboxItem, ShardId, StoreDriver, StoredMessage } from '@interstate/core'
import { partitionOf } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, messageId, order } from './hand.ts'

const many = 2_500

/** Reads page after page until one comes back short. */
async function readAll<T>(limit: number, read: (last: T | undefined) => Promise<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = []
  for (;;) {
    const page = await read(all.at(-1))
    assert.ok(page.length <= limit, `a page of ${page.length} for ${limit}`)
    all.push(...page)
    if (page.length < limit) return all
  }
}

/** All that waits in shards, page by page: of each shard for itself where positions are of one shard. */
async function readInbox(store: StoreDriver, shards: readonly ShardId[], limit: number): Promise<readonly InboxItem[]> {
  const found: InboxItem[] = []
  for (const read of store.scope === 'store' ? [shards] : shards.map((shard) => [shard]))
    found.push(...(await readAll<InboxItem>(limit, (last) => store.inbox(read, last?.position ?? 0, limit))))
  return found
}

/** Messages in the order in which {@link readInbox} finds them. */
function inOrder(store: StoreDriver, messages: readonly StoredMessage[]): readonly StoredMessage[] {
  return store.scope === 'store' ? messages : messages.toSorted((one, other) => one.shard - other.shard)
}

/** See the file head. */
export const paging: readonly StoreGuarantee[] = [
  {
    guarantee: 'G16',
    holds: 'every waiting message is found, once and in order, page by page',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const messages = Array.from({ length: many }, (_, index) => hand.message(index, order(index % 97)))
      await hand.write({ accepted: messages.slice(0, 1_000) })
      await hand.write({ mode: hand.widest, accepted: messages.slice(1_000) })
      for await (const at of overRestart(store, reopen)) {
        const found = await readInbox(at, hand.shards, 256)
        assert.deepEqual(
          found.map(({ position: _, ...message }) => message),
          inOrder(at, messages),
        )
      }
    },
  },
  {
    guarantee: 'G16',
    holds: 'an owner of some shards finds what waits in these, and nothing else',
    async run({ store }) {
      const hand = await Hand.over(store)
      const messages = Array.from({ length: 500 }, (_, index) => hand.message(index, order(index)))
      await hand.write({ accepted: messages })
      const mine = hand.shards.filter((shard) => shard % 3 === 0)
      const found = await readInbox(store, mine, 50)
      assert.deepEqual(
        found.map(({ id }) => id),
        inOrder(
          store,
          messages.filter(({ shard }) => mine.includes(shard)),
        ).map(({ id }) => id),
      )
      assert.deepEqual(await store.inbox([], 0, 50), [])
    },
  },
  {
    guarantee: 'G16',
    holds: 'every waiting message of one entity is found, whoever else has messages',
    async run({ store }) {
      const hand = await Hand.over(store)
      const busy = order('busy')
      const names = Array.from({ length: many }, (_, index) => index)
      await hand.write({ accepted: names.map((name) => hand.message(name, name % 5 === 0 ? order(name) : busy)) })
      const found = await readAll<InboxItem>(100, (last) =>
        store.inboxOf(partitionOf(busy, store.shards), last?.position ?? 0, 100),
      )
      assert.deepEqual(
        found.map(({ id }) => id),
        names.filter((name) => name % 5 !== 0).map(messageId),
      )
    },
  },
  {
    guarantee: 'G16',
    holds: 'what is consumed while somebody reads page by page makes nobody miss the rest',
    async run({ store }) {
      const hand = await Hand.over(store)
      const entity = order('read')
      const ids = await hand.accept(entity, ...Array.from({ length: 100 }, (_, index) => index))
      let version = 0
      const found = await readAll<InboxItem>(10, async (last) => {
        const page = await store.inboxOf(partitionOf(entity, store.shards), last?.position ?? 0, 10)
        await hand.one(entity, { expectedVersion: version, consumed: page.map(({ id }) => id) })
        version += 1
        return page
      })
      assert.deepEqual(
        found.map(({ id }) => id),
        ids,
      )
    },
  },
  {
    guarantee: 'G16',
    holds: 'every unsettled entity, every one that is due and every dead letter is found',
    async run({ store }) {
      const hand = await Hand.over(store)
      const entities = Array.from({ length: 600 }, (_, index) => order(index))
      const names = entities.map((_, index) => messageId(index))
      await hand.each(
        ...entities.map((entity, index) =>
          hand.commit(entity, {
            unsettled: true,
            wakeAt: 1 + (index % 50),
            deadLetters: [{ ...hand.message(index, entity), reason: '{}' }],
          }),
        ),
      )
      const unsettled = await readAll<EntityId>(64, (last) => store.unsettled(hand.shards, last, 64))
      assert.deepEqual(unsettled, entities.toSorted())
      const dead = await readAll<DeadLetter>(64, (last) => store.deadLetters(last?.id, 64))
      assert.deepEqual(
        dead.map(({ id }) => id),
        names.toSorted(),
      )
      const due = await store.due(hand.shards, 50, 1_000)
      assert.deepEqual(new Set(due.map(({ entity }) => entity)), new Set(entities))
      assert.deepEqual(
        due.map(({ wakeAt }) => wakeAt),
        due.map(({ wakeAt }) => wakeAt).toSorted((a, b) => a - b),
      )
    },
  },
]
