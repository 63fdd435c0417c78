// one-shard-writes.ts: where one write covers one shard, a group that wants more is refused.
import assert from 'node:assert/strict'
import type { StoreGuarantee } from './guarantee.ts'
import { order } from './hand.ts'
import { picture } from './picture.ts'
import { scene } from './spoiled.ts'

/** See the file head. */
export const oneShardWrites: readonly StoreGuarantee[] = [
  {
    guarantee: 'G18',
    holds: 'a group that is to be written together is refused with STORE_FAILED, and nothing of it is there',
    scope: 'shard',
    async run({ store }) {
      const { hand, whole, entities, keys } = await scene(store)
      const before = await picture(store, entities, keys)
      const accepted = [hand.message('came with it', order('actor'))]
      const group = hand.group({ mode: 'together', accepted, commits: [whole] })
      await assert.rejects(store.write(group), { code: 'STORE_FAILED' })
      assert.deepEqual(await picture(store, entities, keys), before)
      const [result] = await hand.each(whole)
      assert.equal(result?.outcome, 'committed')
    },
  },
  {
    guarantee: 'G18',
    holds: 'a store of scope shard has lanes, and lets several hosts share its shards',
    scope: 'shard',
    async run({ store }) {
      assert.ok(store.lanes !== undefined && store.cluster !== undefined)
    },
  },
]
