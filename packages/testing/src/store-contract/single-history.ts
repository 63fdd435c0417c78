// single-history.ts: each version of an entity has at most one successor.

import assert from 'node:assert/strict'
import { partitionsOf } from '@interstate/core'
import type { StoreGuarantee } from './guarantee.ts'
import { Hand, order } from './hand.ts'
import { picture } from './picture.ts'

const entity = order('history')

/** See the file head. */
export const singleHistory: readonly StoreGuarantee[] = [
  {
    guarantee: 'G4',
    holds: 'a commit on another version than the stored one changes nothing',
    async run({ store }) {
      const hand = await Hand.over(store)
      for (const expectedVersion of [1, 7]) {
        assert.deepEqual(await hand.one(entity, { expectedVersion }), { outcome: 'conflict', version: 0 })
      }
      assert.deepEqual(await store.load(partitionsOf([entity], store.shards)), [undefined])
      await hand.one(entity, { snapshot: 'one' })
      await hand.one(entity, { snapshot: 'two', expectedVersion: 1 })
      const before = await picture(store, [entity])
      for (const expectedVersion of [0, 1, 3]) {
        const result = await hand.one(entity, { expectedVersion, snapshot: 'other' })
        assert.deepEqual(result, { outcome: 'conflict', version: 2 })
      }
      assert.deepEqual(await picture(store, [entity]), before)
    },
  },
  {
    guarantee: 'G4',
    holds: 'of two commits on one version in one group one is written',
    async run({ store }) {
      const hand = await Hand.over(store)
      const results = await hand.each(
        hand.commit(entity, { snapshot: 'first' }),
        hand.commit(entity, { snapshot: 'second' }),
      )
      assert.deepEqual(results, [
        { outcome: 'committed', version: 1 },
        { outcome: 'conflict', version: 1 },
      ])
      assert.equal((await store.load(partitionsOf([entity], store.shards)))[0]?.snapshot, 'first')
    },
  },
  {
    guarantee: 'G4',
    holds: 'of two commits on one version in one group written together none is written',
    scope: 'store',
    async run({ store }) {
      const hand = await Hand.over(store)
      const results = await hand.together(hand.commit(entity), hand.commit(entity))
      assert.equal(results[0]?.outcome, 'rolled back')
      assert.equal(results[1]?.outcome, 'conflict')
      assert.deepEqual(await store.load(partitionsOf([entity], store.shards)), [undefined])
    },
  },
  {
    guarantee: 'G4',
    holds: 'of many writers on one version at the same time one is written',
    async run({ store }) {
      const hand = await Hand.over(store)
      for (let expectedVersion = 0; expectedVersion < 5; expectedVersion += 1) {
        const writers = Array.from({ length: 8 }, (_, writer) =>
          hand.commit(entity, { expectedVersion, snapshot: `${expectedVersion} by ${writer}` }),
        )
        const results = (await Promise.all(writers.map((commit) => hand.each(commit)))).flat()
        const winners = writers.filter((_, index) => results[index]?.outcome === 'committed')
        assert.equal(winners.length, 1)
        assert.equal((await store.load(partitionsOf([entity], store.shards)))[0]?.snapshot, winners[0]?.snapshot)
      }
    },
  },
  {
    guarantee: 'G4',
    holds: 'an entity that is left without a snapshot keeps its version, also after a restart',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      await hand.one(entity)
      const last = hand.commit(entity, { expectedVersion: 1, snapshot: undefined })
      assert.deepEqual(await hand.each(last), [{ outcome: 'committed', version: 2 }])
      const again = hand.at(await reopen())
      const bare = { snapshot: undefined, trouble: undefined, wakeAt: undefined }
      assert.deepEqual(await again.store.load(partitionsOf([entity], again.store.shards)), [
        { entity, version: 2, tag: last.tag, ...bare },
      ])
      assert.deepEqual(await again.one(entity, { expectedVersion: 0 }), { outcome: 'conflict', version: 2 })
    },
  },
  {
    guarantee: 'G4',
    holds: 'entities are loaded in the order asked, those that are not stored as undefined',
    async run({ store }) {
      const hand = await Hand.over(store)
      const stored = Array.from({ length: 300 }, (_, index) => order(index))
      await hand.each(...stored.map((each, index) => hand.commit(each, { snapshot: `${index}` })))
      const asked = [...stored.toReversed(), order('missing'), ...stored.slice(7, 9)]
      const loaded = await store.load(partitionsOf(asked, store.shards))
      assert.deepEqual(
        loaded.map((row) => row?.entity),
        asked.map((each) => (each === order('missing') ? undefined : each)),
      )
      assert.equal(loaded[0]?.snapshot, '299')
      assert.deepEqual(await store.load(partitionsOf([], store.shards)), [])
    },
  },
]
