// delivery.ts: whoever hands messages over, however late and however often, the receiver takes each once and in order.
import assert from 'node:assert/strict'
import type { Consignment, Delivery, LaneMessage } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { messageId } from './hand.ts'
import { chained, ids, names, Traffic } from './traffic.ts'

type Sketch = Omit<StoreGuarantee, 'scope' | 'shards'>

/** Four messages on their way from shard 0 to shard 1. */
async function four(traffic: Traffic): Promise<Consignment> {
  await traffic.send(0, ['a', 1], ['b', 1], ['c', 1], ['d', 1])
  return traffic.lane(0, 1)
}

function part({ from, to, messages }: Consignment, begin: number, end?: number): Consignment {
  return { from, to, messages: messages.slice(begin, end) }
}

async function deliver(traffic: Traffic, consignment: Consignment): Promise<Delivery> {
  const [delivery, ...more] = await traffic.lanes.deliver([consignment])
  assert.deepEqual(more, [])
  assert.ok(delivery !== undefined)
  return delivery
}

const covered = (mark: number): Delivery => ({ outcome: 'delivered', mark, accepted: [] })

type Lane = (...names: readonly string[]) => readonly LaneMessage[]

/** What the receiver of a and b must not take. */
const histories = {
  'another message under the number of the mark': (lane: Lane) => lane('a', 'B'),
  'another message under the number of the mark, with more behind it,': (lane: Lane) => lane('a', 'B', 'c').slice(1),
  'a message that follows another one than the mark': (lane: Lane) => lane('a', 'B', 'c').slice(2),
  'a consignment of which the second message does not follow the first': (lane: Lane) => [
    ...lane('a', 'b', 'c').slice(2),
    ...lane('a', 'b', 'C', 'd').slice(3),
  ],
  'a message with the chain of another': (lane: Lane) =>
    lane('a', 'b', 'c').map((message) => ({ ...message, id: message.number === 3 ? messageId('C') : message.id })),
}

const sketches: readonly Sketch[] = [
  {
    guarantee: 'G2',
    holds: 'what is delivered waits for its receiver as it was sent, and the receiver says so, also after a restart',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const all = await four(traffic)
      const delivery = await deliver(traffic, all)
      for await (const at of overRestart(store, reopen)) {
        const items = await at.inbox([1], 0, 10)
        assert.deepEqual(delivery, { outcome: 'delivered', mark: 4, accepted: items })
        assert.deepEqual(
          items,
          all.messages.map(({ number: _, chain: __, ...message }, index) => ({ ...message, position: index + 1 })),
        )
      }
    },
  },
  {
    guarantee: 'G7',
    holds: 'a consignment that is delivered again, in whole or in part, brings nothing twice, also after a restart',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const all = await four(traffic)
      await deliver(traffic, part(all, 0, 2))
      assert.deepEqual(await deliver(traffic, part(all, 0, 2)), covered(2))
      assert.deepEqual(await deliver(traffic, part(all, 1, 2)), covered(2))
      assert.deepEqual(await deliver(traffic, part(all, 0, 1)), covered(2))
      const overlapping = await deliver(traffic, part(all, 1, 3))
      assert.deepEqual(overlapping.outcome === 'delivered' && [overlapping.mark, names(overlapping.accepted)], [
        3,
        ids('c'),
      ])
      const again = traffic.at(await reopen())
      const whole = await deliver(again, all)
      assert.deepEqual(whole.outcome === 'delivered' && [whole.mark, names(whole.accepted)], [4, ids('d')])
      assert.deepEqual(await again.waiting(1), ids('a', 'b', 'c', 'd'))
    },
  },
  {
    guarantee: 'G7',
    holds:
      'a copy that a zombie hands over days later is a duplicate, though all of it was handled and trimmed long ago',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store, 'zombie')
      const old = await four(traffic)
      await deliver(traffic, old)
      await traffic.handle(1)
      const current = await Traffic.over(store, 'host-b')
      // No clock is involved: days are other messages, other owners, another process.
      for (let day = 0; day < 60; day += 1) {
        await current.send(0, [day, 1])
        const lane = await current.lane(0, 1)
        await deliver(current, lane)
        await current.lanes.trim([{ from: 0, to: 1, number: lane.messages.at(-1)?.number ?? 0 }])
        await current.handle(1)
      }
      for await (const at of overRestart(store, reopen)) {
        const late = traffic.at(at)
        for (const consignment of [old, part(old, 0, 1), part(old, 3)])
          assert.deepEqual(await deliver(late, consignment), covered(64))
        assert.deepEqual(await late.waiting(1), [])
      }
    },
  },
  {
    guarantee: 'G7',
    holds: 'of many who hand over the same at the same time one is heard',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      const all = await four(traffic)
      const deliveries = await Promise.all(Array.from({ length: 8 }, () => deliver(traffic, all)))
      const accepted = deliveries.flatMap((each) => (each.outcome === 'delivered' ? each.accepted : []))
      assert.deepEqual(names(accepted), ids('a', 'b', 'c', 'd'))
      assert.ok(deliveries.every((each) => each.outcome === 'delivered' && each.mark === 4))
      assert.deepEqual(await traffic.waiting(1), ids('a', 'b', 'c', 'd'))
    },
  },
  {
    guarantee: 'G7',
    holds: 'a consignment twice in one call is taken once',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      const all = await four(traffic)
      const [first, second, third] = await traffic.lanes.deliver([part(all, 0, 3), part(all, 0, 3), all])
      assert.equal(first?.outcome === 'delivered' && first.accepted.length, 3)
      assert.deepEqual(second, covered(3))
      assert.deepEqual(third?.outcome === 'delivered' && names(third.accepted), ids('d'))
      assert.deepEqual(await traffic.waiting(1), ids('a', 'b', 'c', 'd'))
    },
  },
  {
    guarantee: 'G7',
    holds: 'a message whose id waits already is not put into the inbox a second time, and its lane goes on',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      await traffic.hand.write({ accepted: [traffic.message(['b', 1])] })
      const delivery = await deliver(traffic, await four(traffic))
      assert.deepEqual(delivery.outcome === 'delivered' && delivery.mark, 4)
      assert.deepEqual(await traffic.waiting(1), ids('b', 'a', 'c', 'd'))
    },
  },
  {
    guarantee: 'G6',
    holds: 'a gap is refused and nothing of it accepted, until what is missing has come',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const all = await four(traffic)
      assert.deepEqual(await deliver(traffic, part(all, 1)), { outcome: 'gap', mark: 0 })
      await deliver(traffic, part(all, 0, 1))
      for await (const at of overRestart(store, reopen)) {
        const there = traffic.at(at)
        assert.deepEqual(await deliver(there, part(all, 2)), { outcome: 'gap', mark: 1 })
        assert.deepEqual(await there.waiting(1), ids('a'))
      }
      const again = traffic.at(await reopen())
      await deliver(again, part(all, 1, 2))
      assert.equal((await deliver(again, part(all, 2))).outcome, 'delivered')
      assert.deepEqual(await again.waiting(1), ids('a', 'b', 'c', 'd'))
    },
  },
  {
    guarantee: 'G13',
    holds: 'consignments of one call stand alone: one that is refused touches no other, and each has its own answer',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      const all = await four(traffic)
      await traffic.send(2, ['e', 1], ['f', 0])
      await traffic.send(0, ['g', 2])
      const [e, f, g] = [await traffic.lane(2, 1), await traffic.lane(2, 0), await traffic.lane(0, 2)]
      const forged = { ...g, messages: g.messages.map((message) => ({ ...message, chain: 'another' })) }
      const deliveries = await traffic.lanes.deliver([e, part(all, 2), forged, f, part(all, 0, 2)])
      assert.deepEqual(
        deliveries.map(({ outcome }) => outcome),
        ['delivered', 'gap', 'broken', 'delivered', 'delivered'],
      )
      assert.deepEqual(await traffic.waiting(0), ids('f'))
      assert.deepEqual(await traffic.waiting(1), ids('e', 'a', 'b'))
      assert.deepEqual(await traffic.waiting(2), [])
      assert.deepEqual(await traffic.lanes.deliver([]), [])
    },
  },
  {
    guarantee: 'G5',
    holds: 'handing over needs no lease: it goes on between two owners, and whoever does it',
    async run({ store }) {
      const old = await Traffic.over(store, 'host-a')
      const all = await four(old)
      const next = await Traffic.over(store, 'host-b')
      assert.equal((await deliver(old, part(all, 0, 1))).outcome, 'delivered')
      await store.release(next.hand.leases)
      assert.equal((await deliver(old, part(all, 0, 3))).outcome, 'delivered')
      await old.lanes.trim([{ from: 0, to: 1, number: 3 }])
      const last = await Traffic.over(store, 'host-c')
      assert.deepEqual(names((await last.lane(0, 1)).messages), ids('d'))
      assert.deepEqual(await last.handle(1), ids('a', 'b', 'c'))
    },
  },
  {
    guarantee: 'G5',
    holds: 'of a lane that a paused owner would fill nothing is to be handed over: its commits are fenced',
    async run({ store }) {
      const old = await Traffic.over(store, 'host-a')
      const current = await Traffic.over(store, 'host-b')
      const [refused] = await old.hand.each(await old.commit(0, [['late', 1]]))
      assert.equal(refused?.outcome, 'fenced')
      await current.send(0, ['a', 1])
      const { messages } = await current.lane(0, 1)
      assert.deepEqual(messages, chained([current.message(['a', 1])]))
    },
  },
  {
    guarantee: 'G15',
    holds: 'both ends of a lane tell its number and its chain, also after a restart',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const all = await four(traffic)
      await traffic.send(2, ['x', 1])
      await deliver(traffic, part(all, 0, 3))
      await traffic.lanes.trim([{ from: 0, to: 1, number: 2 }])
      const chains = all.messages.map(({ chain }) => chain)
      const [x] = chained([traffic.message(['x', 1])])
      for await (const at of overRestart(store, reopen)) {
        const { heads, marks } = await traffic.at(at).picture()
        assert.deepEqual(heads, [
          { from: 0, to: 1, number: 4, chain: chains[3], trimmed: 2 },
          { from: 2, to: 1, number: 1, chain: x?.chain, trimmed: 0 },
        ])
        assert.deepEqual(marks, [{ from: 0, to: 1, number: 3, chain: chains[2] }])
        const { lanes } = traffic.at(at)
        assert.deepEqual(await lanes.heads([1]), [])
        assert.deepEqual(await lanes.marks([0, 2]), [])
      }
    },
  },
  ...(Object.keys(histories) as readonly (keyof typeof histories)[]).map(
    (what): Sketch => ({
      guarantee: 'G15',
      holds: `${what} is broken, and nothing of it accepted; the true history goes on`,
      async run({ store, reopen }) {
        const traffic = await Traffic.over(store)
        const all = await four(traffic)
        await deliver(traffic, part(all, 0, 2))
        const messages = histories[what]((...of) => chained(of.map((name) => traffic.message([name, 1]))))
        for await (const at of overRestart(store, reopen)) {
          const there = traffic.at(at)
          assert.deepEqual(await deliver(there, { from: 0, to: 1, messages }), { outcome: 'broken', mark: 2 })
          assert.deepEqual(await there.waiting(1), ids('a', 'b'))
          assert.equal((await there.lanes.marks([1]))[0]?.number, 2)
        }
        const last = traffic.at(await reopen())
        assert.equal((await deliver(last, all)).outcome, 'delivered')
        assert.deepEqual(await last.waiting(1), ids('a', 'b', 'c', 'd'))
      },
    }),
  ),
]

/** See the file head. */
export const delivery: readonly StoreGuarantee[] = sketches.map((each) => ({ ...each, scope: 'shard', shards: 3 }))
