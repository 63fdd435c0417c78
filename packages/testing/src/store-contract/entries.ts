// entries.ts: what enters from outside by one shard and goes on to others: all of it at once, or none.
import assert from 'node:assert/strict'
import type { AcceptedMessage, HostId, ShardId } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { entityIn, Hand, key, messageId, placesOf } from './hand.ts'
import { ids, names, Traffic } from './traffic.ts'

type Sketch = Omit<StoreGuarantee, 'scope' | 'shards'>

const k = key('event', 2_000)

/** An event that enters by shard 0, and goes to followers in all three. */
function eventOf(traffic: Traffic) {
  const { hand } = traffic
  const followers = Object.entries({ a: 0, b: 1, c: 2 })
  const accepted = followers.map(
    (each): AcceptedMessage => ({ ...traffic.message(each), entry: 0, lease: hand.leaseOf(0) }),
  )
  return { accepted, registrations: [hand.registration(k, messageId('a'), ids('b', 'c'))] }
}

const sketches: readonly Sketch[] = [
  {
    guarantee: 'G3',
    holds:
      'an event for followers in several shards enters by one: its own message waits, the others depart, its key is known',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const { placed, ...told } = await traffic.hand.write(eventOf(traffic))
      assert.deepEqual(told, { taken: [], fenced: [], results: [] })
      assert.deepEqual(
        placed?.map((place) => place !== undefined && ('position' in place ? place.position : place.number)),
        [1, 1, 1],
      )
      for await (const at of overRestart(store, reopen)) {
        const there = traffic.at(at)
        assert.deepEqual(await there.waiting(0), ids('a'))
        assert.deepEqual(names((await there.lane(0, 1)).messages), ids('b'))
        assert.deepEqual(names((await there.lane(0, 2)).messages), ids('c'))
        const [state] = await at.keys(placesOf([k], 0))
        assert.equal(state?.state === 'known' && state.message, messageId('a'))
      }
      const again = traffic.at(await reopen())
      await again.lanes.deliver([await again.lane(0, 1), await again.lane(0, 2)])
      assert.deepEqual([await again.waiting(1), await again.waiting(2)], [ids('b'), ids('c')])
    },
  },
  {
    guarantee: 'G5',
    holds: 'an event is fenced as one, by the shard by which it enters: nothing waits, departs or is known',
    async run({ store, reopen }) {
      const old = await Traffic.over(store, 'host-a')
      await store.acquire('host-b' as HostId, [0])
      const was = await old.picture()
      const { placed, ...told } = await old.hand.write(eventOf(old))
      assert.deepEqual(told, { taken: [], fenced: ids('a', 'b', 'c'), results: [] })
      assert.deepEqual(placed, [undefined, undefined, undefined])
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await old.at(at).picture(), was)
        assert.deepEqual(await at.inbox([0], 0, 10), [])
        assert.deepEqual(await at.keys(placesOf([k], 0)), [{ state: 'new' }])
      }
    },
  },
  {
    guarantee: 'G5',
    holds: 'an event enters also when the shards of its followers have passed on',
    async run({ store }) {
      const traffic = await Traffic.over(store, 'host-a')
      await store.acquire('host-b' as HostId, [1, 2])
      const { fenced } = await traffic.hand.write(eventOf(traffic))
      assert.deepEqual(fenced, [])
      assert.deepEqual(names((await traffic.lane(0, 2)).messages), ids('c'))
    },
  },
  {
    guarantee: 'G3',
    holds: 'of an event of which one message is fenced none is accepted, and others that enter by the same shard are',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      const { accepted, registrations } = eventOf(traffic)
      const forged = accepted.map((message, index) =>
        index === 1 ? { ...message, lease: { ...traffic.hand.leaseOf(0), epoch: 0 } } : message,
      )
      const bystander = { ...traffic.message(['bystander', 1]), entry: 0 }
      const { fenced, placed } = await traffic.hand.write({ accepted: [...forged, bystander], registrations })
      assert.deepEqual(fenced, ids('a', 'b', 'c'))
      assert.deepEqual(
        placed?.map((place) => place !== undefined),
        [false, false, false, true],
      )
      assert.deepEqual(names((await traffic.lane(0, 1)).messages), ids('bystander'))
      assert.deepEqual((await traffic.lane(0, 2)).messages, [])
      assert.deepEqual(await traffic.waiting(0), [])
      assert.deepEqual(await store.keys(placesOf([k], 0)), [{ state: 'new' }])
    },
  },
  {
    guarantee: 'G10',
    holds: 'an event whose key is taken, or purged, puts nothing into an inbox or a lane',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      await traffic.hand.write({ registrations: [traffic.hand.registration(k, messageId('first'))] })
      const was = await traffic.picture()
      const { taken, fenced, placed } = await traffic.hand.write(eventOf(traffic))
      assert.deepEqual([taken, fenced, placed], [[k], [], [undefined, undefined, undefined]])
      await store.purge(2_001)
      assert.deepEqual((await traffic.hand.write(eventOf(traffic))).taken, [k])
      for await (const at of overRestart(store, reopen)) assert.deepEqual(await traffic.at(at).picture(), was)
    },
  },
  {
    guarantee: 'G7',
    holds: 'an event whose write is repeated, because nobody heard of its end, enters once',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const group = traffic.hand.group(eventOf(traffic))
      await store.write(group)
      const other = await Traffic.over(store, 'host-b')
      await other.lanes.deliver([await other.lane(0, 1)])
      await other.lanes.trim([{ from: 0, to: 1, number: 1 }])
      await other.handle(1)
      const was = await traffic.picture()
      for await (const at of overRestart(store, reopen)) {
        const { taken, fenced } = await at.write(group)
        assert.deepEqual([taken, fenced], [[], []])
        assert.deepEqual(await traffic.at(at).picture(), was)
        assert.deepEqual(await traffic.at(at).waiting(1), [])
      }
    },
  },
  {
    guarantee: 'G10',
    holds: 'a key is known in the shard by which its call entered, and nowhere else',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const call = (name: string, shard: ShardId) => {
        const message = hand.message(name, entityIn(store, shard))
        return { message, registration: hand.registration(k, message.id, [], shard) }
      }
      const [first, second] = [call('first', 0), call('second', 1)]
      const { taken } = await hand.write({ accepted: [first.message], registrations: [first.registration] })
      assert.deepEqual(taken, [])
      const states = async (at = store) =>
        (await at.keys([...placesOf([k], 0), ...placesOf([k], 1)])).map(
          (each) => each.state === 'known' && each.message,
        )
      assert.deepEqual(await states(), [messageId('first'), false])
      const other = await hand.write({ accepted: [second.message], registrations: [second.registration] })
      assert.deepEqual(other.taken, [])
      const replies = [{ key: k, reply: 'of the second' }]
      await hand.one(second.message.to, { consumed: [second.message.id], replies })
      const again = await reopen()
      assert.deepEqual(await states(again), [messageId('first'), messageId('second')])
      const found = await again.keys([...placesOf([k], 0), ...placesOf([k], 1)])
      assert.deepEqual(
        found.map((each) => each.state === 'known' && each.reply),
        [undefined, 'of the second'],
      )
      assert.equal(await again.purge(2_001), 2)
      assert.deepEqual(
        (await again.keys([...placesOf([k], 0), ...placesOf([k], 1)])).map(({ state }) => state),
        ['purged', 'purged'],
      )
    },
  },
]

/** See the file head. */
export const entries: readonly StoreGuarantee[] = sketches.map((each) => ({ ...each, scope: 'shard', shards: 3 }))
