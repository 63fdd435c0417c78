// probes.ts: a store tests itself before it is used.
import assert from 'node:assert/strict'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, order } from './hand.ts'
import { picture } from './picture.ts'
import { scene } from './spoiled.ts'

/** See the file head. */
export const probes: readonly StoreGuarantee[] = [
  {
    guarantee: 'G18',
    holds: 'a fit store passes its own probes, each with a name and a finding',
    async run({ store, reopen }) {
      for await (const at of overRestart(store, reopen)) {
        const found = await at.probe()
        assert.ok(found.length > 0)
        assert.equal(new Set(found.map(({ name }) => name)).size, found.length)
        for (const { name, passed, finding } of found) {
          assert.ok(name.length > 0 && finding.length > 0)
          assert.ok(passed, `${name}: ${finding}`)
        }
      }
    },
  },
  {
    guarantee: 'G18',
    holds: 'probing changes nothing, also while the store is in use',
    async run({ store }) {
      const { hand, whole, entities, keys } = await scene(store)
      await hand.each(whole)
      const before = await picture(store, entities, keys)
      await store.probe()
      assert.deepEqual(await picture(store, entities, keys), before)
      assert.equal((await hand.one(order('actor'), { expectedVersion: 2 })).outcome, 'committed')
    },
  },
  {
    guarantee: 'G18',
    holds: 'a store says what it is',
    async run({ store }) {
      const { name, shards, limits } = store
      assert.ok(name.length > 0)
      assert.ok(['store', 'shard', 'entity'].includes(store.scope))
      assert.ok(Number.isInteger(shards) && shards > 0)
      for (const limit of Object.values(limits)) assert.ok(Number.isInteger(limit) && limit > 0)
    },
  },
  {
    guarantee: 'G18',
    holds: 'an empty store shows nothing',
    async run({ store }) {
      const hand = await Hand.over(store)
      const empty = { entities: [undefined], inbox: [], due: [], unsettled: [], deadLetters: [], keys: [] }
      assert.deepEqual(await picture(store, [order('nobody')]), empty)
      assert.deepEqual(await hand.write({}), { taken: [], fenced: [], results: [] })
      assert.deepEqual(await hand.write({ mode: hand.widest }), { taken: [], fenced: [], results: [] })
      assert.deepEqual(await picture(store, [order('nobody')]), empty)
    },
  },
]
