// message-order.ts: what waits for an entity waits in the order in which it was committed.

import assert from 'node:assert/strict'
import type { EntityId, StoreDriver } from '@interstate/core'
import { partitionOf } from '@interstate/core'
import type { StoreGuarantee } from './guarantee.ts'
import { Hand, messageId, order } from './hand.ts'

const [one, other, receiver] = [order('one'), order('other'), order('receiver')]

async function lastPosition(store: StoreDriver, entity: EntityId): Promise<number> {
  const positions = (await store.inboxOf(partitionOf(entity, store.shards), 0, 1_000)).map(({ position }) => position)
  assert.deepEqual(
    positions,
    positions.toSorted((a, b) => a - b),
  )
  assert.equal(new Set(positions).size, positions.length)
  return positions.at(-1) ?? 0
}

/** See the file head. */
export const messageOrder: readonly StoreGuarantee[] = [
  ...(['each', 'together'] as const).map(
    (mode): StoreGuarantee => ({
      guarantee: 'G6',
      holds: `messages wait in the order in which commits sent them, within a group and over groups (${mode})`,
      // Order is promised from one sender to one receiver; here it is seen over all of them.
      shards: 1,
      ...(mode === 'together' && { scope: 'store' }),
      async run({ store, reopen }) {
        const hand = await Hand.over(store)
        const send = (from: EntityId, ...names: readonly string[]) =>
          hand.commit(from, { outbox: names.map((name) => hand.message(name, receiver)) })
        await hand.write({ mode, commits: [send(other, 'z', 'b'), send(one, 'y', 'a')] })
        await hand.write({ mode, accepted: ['x', 'c'].map((name) => hand.message(name, receiver)) })
        await hand.write({ mode, commits: [{ ...send(one, 'w', 'd'), expectedVersion: 1 }] })
        const inOrder = ['z', 'b', 'y', 'a', 'x', 'c', 'w', 'd'].map(messageId)
        assert.deepEqual(await hand.waiting(receiver), inOrder)
        const again = hand.at(await reopen())
        assert.deepEqual(await again.waiting(receiver), inOrder)
        await again.accept(receiver, 'e')
        assert.deepEqual(await again.waiting(receiver), [...inOrder, messageId('e')])
      },
    }),
  ),
  {
    guarantee: 'G6',
    holds: 'a position is never used again: not after its message is handled, not after a restart',
    async run({ store, reopen }) {
      let hand = await Hand.over(store)
      let last = 0
      for (let version = 0; version < 4; version += 1) {
        const consumed = await hand.accept(receiver, `a${version}`, `b${version}`)
        const position = await lastPosition(hand.store, receiver)
        assert.ok(position > last + 1, `position ${position} after ${last}`)
        last = position
        await hand.one(receiver, { expectedVersion: version, consumed })
        assert.deepEqual(await hand.waiting(receiver), [])
        if (version > 0) hand = hand.at(await reopen())
      }
    },
  },
  {
    guarantee: 'G6',
    holds: 'a dead letter that is requeued goes to the end, also after a restart',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const consumed = await hand.accept(receiver, 'a')
      const deadLetters = [{ ...hand.message('a', receiver), reason: '{}' }]
      await hand.accept(receiver, 'b')
      await hand.one(receiver, { consumed, deadLetters })
      const before = await lastPosition(store, receiver)
      const again = hand.at(await reopen())
      const item = await again.store.requeue(messageId('a'))
      assert.ok(item !== undefined && item.position > before)
      await again.accept(receiver, 'c')
      assert.deepEqual(await again.waiting(receiver), ['b', 'a', 'c'].map(messageId))
    },
  },
  {
    guarantee: 'G6',
    holds: 'a commit that was refused leaves no later message before an earlier one',
    scope: 'store',
    async run({ store }) {
      const hand = await Hand.over(store)
      const outbox = ['a', 'b', 'c'].map((name) => hand.message(name, receiver))
      await hand.together(hand.commit(one, { outbox }), hand.commit(one))
      await hand.accept(receiver, 'c', 'b', 'a')
      assert.deepEqual(await hand.waiting(receiver), ['c', 'b', 'a'].map(messageId))
    },
  },
]
