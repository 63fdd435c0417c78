// bounded-memory.ts: of what was handled nothing remains.
import assert from 'node:assert/strict'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, key, messageId, order, placesOf } from './hand.ts'
import { picture } from './picture.ts'

const entity = order('bounded')
const nothing = { inbox: [], due: [], unsettled: [], deadLetters: [] }

/** See the file head. */
export const boundedMemory: readonly StoreGuarantee[] = [
  {
    guarantee: 'G17',
    holds: 'of messages that were handled nothing is left but the entity that handled them',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      for (let version = 0; version < 100; version += 1) {
        const names = [`${version}a`, `${version}b`]
        const consumed = version % 2 === 0 ? await hand.accept(entity, ...names) : await hand.waiting(entity)
        const outbox = version % 2 === 0 ? [hand.message(`${version}c`, entity)] : []
        const result = await hand.one(entity, { expectedVersion: version, consumed, outbox })
        assert.equal(result.outcome, 'committed')
      }
      for await (const at of overRestart(store, reopen)) {
        const { entities, keys: _, ...rest } = await picture(at, [entity])
        assert.equal(entities[0]?.version, 100)
        assert.deepEqual(rest, nothing)
      }
    },
  },
  {
    guarantee: 'G17',
    holds: 'of keys that were purged one mark is left',
    shards: 1,
    async run({ store }) {
      const hand = await Hand.over(store)
      const keys = Array.from({ length: 300 }, (_, index) => key('k', index))
      await hand.write({ registrations: keys.map((each) => hand.registration(each, messageId(each))) })
      await hand.one(entity, { replies: keys.map((each) => ({ key: each, reply: 'r' })) })
      assert.equal(await store.purge(200), 200)
      assert.equal(await store.purge(200), 0)
      assert.equal(await store.purge(300), 100)
      assert.deepEqual(new Set((await store.keys(placesOf(keys))).map(({ state }) => state)), new Set(['purged']))
    },
  },
]
