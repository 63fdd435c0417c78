// fencing.ts: after a shard is acquired under a newer epoch, no commit of an older one succeeds.
import assert from 'node:assert/strict'
import type { HostId } from '@interstate/core'
import type { StoreGuarantee } from './guarantee.ts'
import { Hand, order } from './hand.ts'
import { picture } from './picture.ts'

const entity = order('fenced')

/** See the file head. */
export const fencing: readonly StoreGuarantee[] = [
  {
    guarantee: 'G5',
    holds: 'a paused owner cannot write after its shards passed on',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      await old.one(entity)
      const current = await Hand.over(store, 'host-b')
      const before = await picture(store, [entity])
      const result = await old.one(entity, { expectedVersion: 1, snapshot: 'late' })
      assert.deepEqual(result, { outcome: 'fenced', epoch: current.lease(entity).epoch })
      assert.deepEqual(await picture(store, [entity]), before)
    },
  },
  {
    guarantee: 'G5',
    holds: 'a paused owner cannot write to an entity after its new owner did',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      const current = await Hand.over(store, 'host-b')
      await current.one(entity, { snapshot: 'new' })
      const result = await old.one(entity, { expectedVersion: 1, snapshot: 'late' })
      assert.equal(result.outcome, 'fenced')
      assert.equal((await store.load([entity]))[0]?.snapshot, 'new')
    },
  },
  {
    guarantee: 'G5',
    holds: 'a group written together by a paused owner changes nothing',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      await Hand.over(store, 'host-b')
      const results = await old.together(old.commit(entity), old.commit(order('other')))
      assert.ok(results.every(({ outcome }) => outcome === 'fenced' || outcome === 'rolled back'))
      assert.ok(results.some(({ outcome }) => outcome === 'fenced'))
      assert.deepEqual(await store.load([entity, order('other')]), [undefined, undefined])
    },
  },
  {
    guarantee: 'G5',
    holds: 'an owner that takes its own shards again fences its former self',
    async run({ store }) {
      const before = await Hand.over(store)
      const after = await Hand.over(store)
      assert.equal((await before.one(entity)).outcome, 'fenced')
      assert.equal((await after.one(entity)).outcome, 'committed')
    },
  },
  {
    guarantee: 'G5',
    holds: 'an owner of other shards goes on',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      const elsewhere = Array.from({ length: 100 }, (_, index) => order(index)).find(
        (each) => old.shard(each) !== old.shard(entity),
      )
      assert.ok(elsewhere !== undefined, 'all entities are in one shard')
      await store.acquire('host-b' as HostId, [old.shard(entity)])
      const [lost, kept] = await old.each(old.commit(entity), old.commit(elsewhere))
      assert.equal(lost?.outcome, 'fenced')
      assert.deepEqual(kept, { outcome: 'committed', version: 1 })
    },
  },
  {
    guarantee: 'G5',
    holds: 'epochs grow over releases and restarts, and a lease outlives a restart that nobody acquired after',
    async run({ store, reopen }) {
      const first = await Hand.over(store)
      await store.release(first.leases)
      const second = await Hand.over(store)
      const reopened = await reopen()
      assert.equal((await second.at(reopened).one(entity)).outcome, 'committed')
      const third = await Hand.over(reopened, 'host-b')
      const epochs = [first, second, third].map((hand) => hand.lease(entity).epoch)
      assert.ok(
        epochs.every((epoch, index) => epoch > (epochs[index - 1] ?? 0)),
        `epochs ${epochs.join()}`,
      )
      assert.equal((await second.at(reopened).one(entity, { expectedVersion: 1 })).outcome, 'fenced')
    },
  },
  {
    guarantee: 'G5',
    holds: 'an epoch that nobody was given writes nothing',
    async run({ store }) {
      const hand = await Hand.over(store)
      const lease = hand.lease(entity)
      const forged = hand.commit(entity)
      const results = await hand.each({ ...forged, lease: { ...lease, epoch: lease.epoch + 1 } })
      assert.deepEqual(results, [{ outcome: 'fenced', epoch: lease.epoch }])
      assert.deepEqual(await store.load([entity]), [undefined])
    },
  },
  {
    guarantee: 'G5',
    holds: 'a lease that passed on cannot be given back for its new owner',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      const current = await Hand.over(store, 'host-b')
      await store.release(old.leases)
      assert.equal((await current.one(entity)).outcome, 'committed')
      const { crashes } = await store.acquire('host-c' as HostId, current.shards)
      assert.ok(crashes > 0, 'host-b counts as stopped in good order')
    },
  },
]
