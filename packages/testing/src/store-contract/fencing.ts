// fencing.ts: after a shard is acquired under a newer epoch, nothing of an older one is committed or accepted.

import assert from 'node:assert/strict'
import type { EntityId, HostId } from '@interstate/core'
import { partitionsOf } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, key, messageId, order, placesOf } from './hand.ts'
import { picture } from './picture.ts'

const [entity, other] = [order('fenced'), order('other')]
const [k, fresh] = [key('late'), key('fresh')]

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
      assert.equal((await store.load(partitionsOf([entity], store.shards)))[0]?.snapshot, 'new')
    },
  },
  {
    guarantee: 'G5',
    holds: 'a group written together by a paused owner changes nothing',
    scope: 'store',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      await Hand.over(store, 'host-b')
      const results = await old.together(old.commit(entity), old.commit(other))
      assert.ok(results.every(({ outcome }) => outcome === 'fenced' || outcome === 'rolled back'))
      assert.ok(results.some(({ outcome }) => outcome === 'fenced'))
      assert.deepEqual(await store.load(partitionsOf([entity, other], store.shards)), [undefined, undefined])
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
      const elsewhere = anotherShard(old)
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
      // A newer epoch than the stored one: a store may know that its shard lost history, or just refuse.
      const [told] = results
      assert.ok(told?.outcome === 'lost' || (store.scope === 'store' && told?.outcome === 'fenced'), told?.outcome)
      assert.deepEqual(await store.load(partitionsOf([entity], store.shards)), [undefined])
    },
  },
  ...(['each', 'together'] as const).map(
    (mode): StoreGuarantee => ({
      guarantee: 'G5',
      holds: `a paused owner accepts nothing after its shards passed on, however often it tries (${mode})`,
      ...(mode === 'together' && { scope: 'store' }),
      async run({ store, reopen }) {
        const old = await Hand.over(store, 'host-a')
        await Hand.over(store, 'host-b')
        const places = placesOf([k], old.shard(entity))
        const before = await picture(store, [entity], places)
        const group = old.group({
          mode,
          accepted: [old.message('a', entity), old.message('b', other)],
          registrations: [old.registration(k, messageId('a'), [], old.shard(entity))],
        })
        const result = { taken: [], fenced: [messageId('a'), messageId('b')], results: [] }
        for await (const at of overRestart(store, reopen)) {
          assert.deepEqual(await at.write(group), result)
          assert.deepEqual(await at.write({ ...group, tag: `${group.tag} once more` }), result)
          assert.deepEqual(await picture(at, [entity], places), before)
        }
      },
    }),
  ),
  {
    guarantee: 'G5',
    holds: 'an epoch that nobody was given lets nothing in',
    async run({ store }) {
      const hand = await Hand.over(store)
      const lease = hand.lease(entity)
      const forged = { ...hand.message('a', entity), lease: { ...lease, epoch: lease.epoch + 1 } }
      assert.deepEqual((await hand.write({ accepted: [forged] })).fenced, [forged.id])
      assert.deepEqual(await hand.waiting(entity), [])
    },
  },
  {
    guarantee: 'G10',
    holds: 'a key is not registered for a message that was fenced: the present owner takes the call as new',
    async run({ store, reopen }) {
      const old = await Hand.over(store, 'host-a')
      const current = await Hand.over(store, 'host-b')
      const call = (hand: Hand) => ({
        accepted: [hand.message('a', entity)],
        registrations: [hand.registration(k, messageId('a'), [], hand.shard(entity))],
      })
      await old.write(call(old))
      for await (const at of overRestart(store, reopen))
        assert.deepEqual(await at.keys(placesOf([k], current.shard(entity))), [{ state: 'new' }])
      const again = current.at(await reopen())
      assert.deepEqual(await again.write(call(again)), { taken: [], fenced: [], results: [] })
      assert.deepEqual(await again.waiting(entity), [messageId('a')])
    },
  },
  {
    guarantee: 'G13',
    holds: 'a message that is fenced keeps out nobody else: other messages, their keys and all commits stand',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      const elsewhere = anotherShard(old)
      await store.acquire('host-b' as HostId, [old.shard(entity)])
      const result = await old.write({
        accepted: [old.message('late', entity), old.message('in time', elsewhere)],
        registrations: [
          old.registration(k, messageId('late'), [], old.shard(entity)),
          old.registration(fresh, messageId('in time'), [], old.shard(elsewhere)),
        ],
        commits: [old.commit(elsewhere)],
      })
      const results = [{ outcome: 'committed', version: 1 }]
      assert.deepEqual(result, { taken: [], fenced: [messageId('late')], results })
      assert.deepEqual([await old.waiting(entity), await old.waiting(elsewhere)], [[], [messageId('in time')]])
      assert.deepEqual(
        (await store.keys([...placesOf([k], old.shard(entity)), ...placesOf([fresh], old.shard(elsewhere))])).map(
          ({ state }) => state,
        ),
        ['new', 'known'],
      )
    },
  },
  {
    guarantee: 'G3',
    holds: 'of the messages that one key stands for all are accepted, or, where one is fenced, none',
    scope: 'store',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      const elsewhere = anotherShard(old)
      await store.acquire('host-b' as HostId, [old.shard(entity)])
      const [first, second] = [old.message('first', elsewhere), old.message('second', entity)]
      const { fenced } = await old.write({
        accepted: [first, second],
        registrations: [old.registration(k, first.id, [second.id])],
      })
      assert.deepEqual(fenced, [first.id, second.id])
      assert.deepEqual([await old.waiting(elsewhere), await old.waiting(entity)], [[], []])
      assert.deepEqual(await store.keys(placesOf([k])), [{ state: 'new' }])
    },
  },
  {
    guarantee: 'G3',
    holds: 'a message that is fenced rolls back a group written together, also with commits that are not',
    scope: 'store',
    async run({ store, reopen }) {
      const old = await Hand.over(store, 'host-a')
      const elsewhere = anotherShard(old)
      await store.acquire('host-b' as HostId, [old.shard(entity)])
      const before = await picture(store, [entity, elsewhere], placesOf([fresh]))
      const group = old.group({
        mode: 'together',
        accepted: [old.message('in time', elsewhere), old.message('late', entity)],
        registrations: [old.registration(fresh, messageId('in time'))],
        commits: [old.commit(elsewhere)],
      })
      for await (const at of overRestart(store, reopen)) {
        const result = { taken: [], fenced: [messageId('late')], results: [{ outcome: 'rolled back' }] }
        assert.deepEqual(await at.write(group), result)
        assert.deepEqual(await picture(at, [entity, elsewhere], placesOf([fresh])), before)
      }
    },
  },
  {
    guarantee: 'G7',
    holds: 'a group with a message that was fenced tells the same when it is written again',
    async run({ store, reopen }) {
      const old = await Hand.over(store, 'host-a')
      const elsewhere = anotherShard(old)
      await store.acquire('host-b' as HostId, [old.shard(entity)])
      const group = old.group({
        accepted: [old.message('late', entity), old.message('in time', elsewhere)],
        commits: [old.commit(elsewhere)],
      })
      await store.write(group)
      const results = [{ outcome: 'already applied', version: 1 }]
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await at.write(group), { taken: [], fenced: [messageId('late')], results })
        assert.deepEqual(await old.at(at).waiting(elsewhere), [messageId('in time')])
      }
    },
  },
  {
    guarantee: 'G7',
    holds: 'a group of messages that was written is not called fenced when its shard has passed on since',
    async run({ store }) {
      const old = await Hand.over(store, 'host-a')
      const group = old.group({ accepted: [old.message('a', entity)] })
      await store.write(group)
      const current = await Hand.over(store, 'host-b')
      assert.deepEqual(await store.write(group), { taken: [], fenced: [], results: [] })
      assert.deepEqual(await current.waiting(entity), [messageId('a')])
    },
  },
  {
    guarantee: 'G16',
    holds: 'a message that is let in under no lease waits for whoever runs its shard',
    async run({ store }) {
      const owner = await Hand.over(store, 'host-a')
      const current = await Hand.over(store, 'host-b')
      const modes = [...new Set(['each', owner.widest] as const)]
      for (const mode of modes) {
        const message = { ...owner.message(mode, entity), lease: undefined }
        assert.deepEqual(await owner.write({ mode, accepted: [message] }), { taken: [], fenced: [], results: [] })
      }
      const waiting = (await store.inbox(current.shards, 0, 10)).map(({ id }) => id)
      assert.deepEqual(waiting, modes.map(messageId))
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

/** An entity that is in another shard than the fenced one. */
function anotherShard(hand: Hand): EntityId {
  const found = Array.from({ length: 100 }, (_, index) => order(index)).find(
    (each) => hand.shard(each) !== hand.shard(entity),
  )
  assert.ok(found !== undefined, 'all entities are in one shard')
  return found
}
