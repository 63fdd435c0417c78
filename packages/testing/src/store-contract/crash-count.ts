// crash-count.ts: a store counts owners that end without a word, so that a message that kills hosts is found.
import assert from 'node:assert/strict'
import type { HostId, StoreDriver } from '@interstate/core'
import type { StoreGuarantee } from './guarantee.ts'

const shards = [0, 1, 2]
const host = (name: string): HostId => `host-${name}` as HostId

async function crashesAt(store: StoreDriver, owner: HostId): Promise<number> {
  return (await store.acquire(owner, shards)).crashes
}

/** See the file head. */
export const crashCount: readonly StoreGuarantee[] = [
  {
    guarantee: 'G11',
    holds: 'owners in a row that ended without giving their shards back are counted, over restarts',
    async run({ store, reopen }) {
      assert.equal(await crashesAt(store, host('a')), 0)
      assert.equal(await crashesAt(await reopen(), host('b')), 1)
      assert.equal(await crashesAt(await reopen(), host('c')), 2)
    },
  },
  {
    guarantee: 'G11',
    holds: 'an owner that gives its shards back ends the row',
    async run({ store, reopen }) {
      await store.acquire(host('a'), shards)
      const { leases } = await store.acquire(host('b'), shards)
      await store.release(leases)
      assert.equal(await crashesAt(await reopen(), host('c')), 0)
    },
  },
  {
    guarantee: 'G11',
    holds: 'an owner that survives starts the row anew',
    async run({ store, reopen }) {
      await store.acquire(host('a'), shards)
      await store.acquire(host('b'), shards)
      await store.survived(host('b'))
      assert.equal(await crashesAt(await reopen(), host('c')), 1)
    },
  },
  {
    guarantee: 'G11',
    holds: 'an owner that no longer runs the shards survives for nobody',
    async run({ store }) {
      await store.acquire(host('a'), shards)
      await store.acquire(host('b'), shards)
      await store.survived(host('a'))
      assert.equal(await crashesAt(store, host('c')), 2)
    },
  },
  {
    guarantee: 'G11',
    holds: 'a shard that a living owner hands over is no crash: the row neither grows nor ends',
    scope: 'shard',
    async run({ store, reopen }) {
      await store.acquire(host('a'), shards)
      assert.equal((await store.acquire(host('b'), shards, shards)).crashes, 0)
      assert.equal(await crashesAt(store, host('c')), 1)
      const again = await reopen()
      assert.equal((await again.acquire(host('d'), shards, shards)).crashes, 1)
      // Only those that were handed over.
      assert.equal((await again.acquire(host('e'), shards, shards.slice(1))).crashes, 2)
    },
  },
]
