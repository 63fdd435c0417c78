// outbox.ts: what a commit sends is in the inbox of its receiver if and only if the commit was written.

import assert from 'node:assert/strict'
import { partitionOf } from '@interstate/core'
import type { StoreGuarantee } from './guarantee.ts'
import { Hand, messageId, order } from './hand.ts'
import { causes, scene } from './spoiled.ts'

const [sender, receiver] = [order('sender'), order('receiver')]

/** See the file head. */
export const outbox: readonly StoreGuarantee[] = [
  {
    guarantee: 'G2',
    holds: 'what a commit sends waits for its receiver as soon as the commit is written, also after a restart',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const sent = [hand.message('a', receiver, 'body of a'), hand.message('b', receiver, 'body of b')]
      await hand.one(sender, { outbox: sent })
      const arrived = await store.inboxOf(partitionOf(receiver, store.shards), 0, 10)
      assert.deepEqual(
        arrived.map(({ position: _, ...message }) => message),
        sent,
      )
      assert.deepEqual(await (await reopen()).inboxOf(partitionOf(receiver, store.shards), 0, 10), arrived)
    },
  },
  ...causes.flatMap((cause): readonly StoreGuarantee[] => [
    {
      guarantee: 'G2',
      holds: `a commit that ends as ${cause} sends nothing`,
      async run({ store }) {
        const { hand, spoiled } = await scene(store)
        const [result] = await hand.each(spoiled[cause])
        assert.equal(result?.outcome, cause)
        assert.deepEqual(await hand.waiting(receiver), [])
      },
    },
    {
      guarantee: 'G2',
      holds: `a message stays in the inbox when the commit that would consume it ends as ${cause}`,
      async run({ store }) {
        const { hand, spoiled } = await scene(store)
        await hand.each(spoiled[cause])
        assert.deepEqual(await hand.waiting(order('actor')), [messageId('first'), messageId('second')])
      },
    },
  ]),
  {
    guarantee: 'G2',
    holds: 'what one commit of a group sends can be consumed by the next group',
    async run({ store }) {
      const hand = await Hand.over(store)
      const commits = [hand.commit(sender, { outbox: [hand.message('a', receiver)] }), hand.commit(receiver)]
      await hand.write({ mode: hand.widest, commits })
      const result = await hand.one(receiver, { expectedVersion: 1, consumed: [messageId('a')] })
      assert.deepEqual(result, { outcome: 'committed', version: 2 })
    },
  },
]
