// effects-once.ts: a message has its effect once, however often it is committed.

import assert from 'node:assert/strict'
import { partitionsOf } from '@interstate/core'
import type { StoreGuarantee } from './guarantee.ts'
import { Hand, messageId, order } from './hand.ts'
import { picture } from './picture.ts'

const entity = order('once')

/** See the file head. */
export const effectsOnce: readonly StoreGuarantee[] = [
  {
    guarantee: 'G1',
    holds: 'a second commit that consumes a message is a duplicate and changes nothing',
    async run({ store }) {
      const hand = await Hand.over(store)
      const consumed = await hand.accept(entity, 'a', 'b')
      assert.deepEqual(await hand.one(entity, { consumed: consumed.slice(0, 1) }), { outcome: 'committed', version: 1 })
      const before = await picture(store, [entity])
      const again = await hand.one(entity, { expectedVersion: 1, consumed, outbox: [hand.message('c', entity)] })
      assert.deepEqual(again, { outcome: 'duplicate', message: messageId('a') })
      assert.deepEqual(await picture(store, [entity]), before)
    },
  },
  {
    guarantee: 'G1',
    holds: 'of two commits in one group that consume one message the second is a duplicate',
    async run({ store }) {
      const hand = await Hand.over(store)
      const consumed = await hand.accept(entity, 'a')
      const [first, second] = await hand.each(
        hand.commit(entity, { consumed, snapshot: 'first' }),
        hand.commit(entity, { consumed, snapshot: 'second', expectedVersion: 1 }),
      )
      assert.deepEqual(first, { outcome: 'committed', version: 1 })
      assert.deepEqual(second, { outcome: 'duplicate', message: messageId('a') })
      assert.equal((await store.load(partitionsOf([entity], store.shards)))[0]?.snapshot, 'first')
    },
  },
  {
    guarantee: 'G1',
    holds: 'a group written together that consumes a message twice changes nothing',
    scope: 'store',
    async run({ store }) {
      const hand = await Hand.over(store)
      const consumed = await hand.accept(entity, 'a')
      const before = await picture(store, [entity])
      const results = await hand.together(
        hand.commit(entity, { consumed }),
        hand.commit(entity, { consumed, expectedVersion: 1 }),
      )
      assert.deepEqual(results, [{ outcome: 'rolled back' }, { outcome: 'duplicate', message: messageId('a') }])
      assert.deepEqual(await picture(store, [entity]), before)
    },
  },
  {
    guarantee: 'G1',
    holds: 'a commit that consumes one message twice is a duplicate',
    async run({ store }) {
      const hand = await Hand.over(store)
      const [a] = await hand.accept(entity, 'a')
      const result = await hand.one(entity, { consumed: [a, a].flatMap((id) => id ?? []) })
      assert.deepEqual(result, { outcome: 'duplicate', message: messageId('a') })
      assert.deepEqual(await hand.waiting(entity), [messageId('a')])
    },
  },
  {
    guarantee: 'G1',
    holds: 'an entity cannot consume a message that waits for another one',
    async run({ store }) {
      const hand = await Hand.over(store)
      const consumed = await hand.accept(order('other'), 'a')
      assert.deepEqual(await hand.one(entity, { consumed }), { outcome: 'duplicate', message: messageId('a') })
      assert.deepEqual(await hand.waiting(order('other')), consumed)
    },
  },
  {
    guarantee: 'G1',
    holds: 'a message that waits already is not put into the inbox a second time',
    async run({ store }) {
      const hand = await Hand.over(store)
      await hand.accept(entity, 'a', 'b')
      await hand.accept(entity, 'a', 'a')
      assert.deepEqual(await hand.waiting(entity), [messageId('a'), messageId('b')])
    },
  },
  {
    guarantee: 'G7',
    holds: 'a copy of a commit that arrives days later, under a newer owner and after a restart, is a duplicate',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const consumed = await hand.accept(entity, 'a')
      await hand.one(entity, { consumed })
      // No clock is involved: days are other messages, other owners, another process.
      for (let version = 1; version < 200; version += 1) {
        const others = await hand.accept(entity, version)
        await hand.one(entity, { expectedVersion: version, consumed: others })
      }
      const next = await Hand.over(await reopen(), 'host-b')
      const late = await next.one(entity, { expectedVersion: 200, consumed })
      assert.deepEqual(late, { outcome: 'duplicate', message: messageId('a') })
    },
  },
]
