// wake-ups.ts: a store finds who wants a turn without a message, and never too early.
import assert from 'node:assert/strict'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, messageId, order } from './hand.ts'

const [a, b, c] = [order('a'), order('b'), order('c')]

/** See the file head. */
export const wakeUps: readonly StoreGuarantee[] = [
  {
    guarantee: 'G9',
    holds: 'those who are due are found soonest first, and nobody before its time',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      await hand.each(
        hand.commit(a, { wakeAt: 300 }),
        hand.commit(b, { wakeAt: 100 }),
        hand.commit(c, { wakeAt: 1_769_900_000_000 }),
        hand.commit(order('never')),
      )
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await at.due(hand.shards, 99, 10), [])
        assert.deepEqual(await at.due(hand.shards, 100, 10), [{ entity: b, wakeAt: 100 }])
        const all = [b, a, c].map((entity) => entity)
        assert.deepEqual(
          (await at.due(hand.shards, 2e12, 10)).map(({ entity }) => entity),
          all,
        )
        assert.deepEqual(
          (await at.due(hand.shards, 2e12, 2)).map(({ entity }) => entity),
          all.slice(0, 2),
        )
        assert.deepEqual(
          await at.due([hand.shard(a)], 299, 10),
          hand.shard(a) === hand.shard(b) ? [{ entity: b, wakeAt: 100 }] : [],
        )
      }
    },
  },
  {
    guarantee: 'G9',
    holds: 'the next one who wants to wake is found',
    async run({ store }) {
      const hand = await Hand.over(store)
      assert.equal(await store.nextDue(hand.shards, 0), undefined)
      await hand.each(hand.commit(a, { wakeAt: 300 }), hand.commit(b, { wakeAt: 100 }))
      assert.equal(await store.nextDue(hand.shards, 0), 100)
      assert.equal(await store.nextDue(hand.shards, 99), 100)
      assert.equal(await store.nextDue(hand.shards, 100), 300)
      assert.equal(await store.nextDue(hand.shards, 300), undefined)
      assert.equal(await store.nextDue([], 0), undefined)
    },
  },
  {
    guarantee: 'G9',
    holds: 'a later commit moves a wake-up, or clears it',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      await hand.each(hand.commit(a, { wakeAt: 100 }), hand.commit(b, { wakeAt: 100 }))
      await hand.each(
        hand.commit(a, { expectedVersion: 1, wakeAt: 200 }),
        hand.commit(b, { expectedVersion: 1, wakeAt: undefined }),
      )
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await at.due(hand.shards, 199, 10), [])
        assert.deepEqual(await at.due(hand.shards, 200, 10), [{ entity: a, wakeAt: 200 }])
      }
    },
  },
  {
    guarantee: 'G9',
    holds: 'a commit that was refused moves no wake-up',
    async run({ store }) {
      const hand = await Hand.over(store)
      await hand.one(a, { wakeAt: 100 })
      await hand.one(a, { expectedVersion: 0, wakeAt: 5 })
      await hand.one(a, { expectedVersion: 1, wakeAt: undefined, consumed: [messageId('absent')] })
      assert.deepEqual(await store.due(hand.shards, 1_000, 10), [{ entity: a, wakeAt: 100 }])
    },
  },
  {
    guarantee: 'G9',
    holds: 'those who are unsettled are found by name, until they are settled',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      await hand.each(...[c, a, b].map((entity) => hand.commit(entity, { unsettled: true })), hand.commit(order('d')))
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await at.unsettled(hand.shards, undefined, 10), [a, b, c])
        assert.deepEqual(await at.unsettled(hand.shards, undefined, 2), [a, b])
        assert.deepEqual(await at.unsettled(hand.shards, b, 2), [c])
        assert.deepEqual(await at.unsettled([], undefined, 10), [])
      }
      const again = hand.at(await reopen())
      await again.one(b, { expectedVersion: 1 })
      assert.deepEqual(await again.store.unsettled(hand.shards, undefined, 10), [a, c])
    },
  },
]
