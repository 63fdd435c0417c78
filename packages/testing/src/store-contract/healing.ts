// healing.ts: after a store lost history and a person has decided to go on, lanes go on where their other ends are.
import assert from 'node:assert/strict'
import { chainAfter, type LaneEnd } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { chained, ids, names, Traffic } from './traffic.ts'

type Sketch = Omit<StoreGuarantee, 'scope' | 'shards'>

const lane = { from: 0, to: 1 }

/** The end of a lane that carried these. */
function endAfter(traffic: Traffic, ...of: readonly string[]): LaneEnd {
  const { number = 0, chain = '' } = chained(of.map((name) => traffic.message([name, 1]))).at(-1) ?? {}
  return { ...lane, number, chain }
}

/** A receiver that has more than its sender knows of: the sender's store is a backup of yesterday. */
async function afterLoss(traffic: Traffic): Promise<LaneEnd> {
  const forgotten = ['x', 'y', 'z']
  const messages = chained(forgotten.map((name) => traffic.message([name, 1])))
  const [delivery] = await traffic.lanes.deliver([{ ...lane, messages }])
  assert.equal(delivery?.outcome, 'delivered')
  return endAfter(traffic, ...forgotten)
}

const sketches: readonly Sketch[] = [
  {
    guarantee: 'G15',
    holds: 'a head that is set goes on after what its receiver has, and what stood in its lane goes behind that',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const mark = await afterLoss(traffic)
      await traffic.send(0, ['a', 1], ['b', 1], ['other', 2])
      const untouched = await traffic.lane(0, 2)
      await traffic.lanes.rebase({ heads: [mark], marks: [] })
      const again = traffic.at(await reopen())
      await again.send(0, ['c', 1])
      let { number, chain } = mark
      const expected = ['a', 'b', 'c'].map((name) => {
        const message = again.message([name, 1])
        chain = chainAfter(chain, message.id)
        number += 1
        return { ...message, number, chain }
      })
      for await (const at of overRestart(again.store, reopen)) {
        const there = traffic.at(at)
        assert.deepEqual((await there.lane(0, 1)).messages, expected)
        assert.deepEqual(await there.lane(0, 2), untouched)
        const [head] = (await there.lanes.heads([0])).filter(({ to }) => to === 1)
        assert.deepEqual(head, { ...lane, number, chain, trimmed: 3 })
        assert.deepEqual(await there.lanes.tails([0]), [{ shard: 0, position: 0, departing: 4 }])
      }
      const last = traffic.at(await reopen())
      const [delivery] = await last.lanes.deliver([await last.lane(0, 1)])
      assert.deepEqual(delivery?.outcome === 'delivered' && names(delivery.accepted), ids('a', 'b', 'c'))
      assert.deepEqual(await last.waiting(1), ids('x', 'y', 'z', 'a', 'b', 'c'))
    },
  },
  {
    guarantee: 'G15',
    holds: 'a mark that is set goes on after what its sender has forgotten',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      await traffic.send(0, ['a', 1], ['b', 1])
      await traffic.lanes.trim([{ ...lane, number: 2 }])
      await traffic.send(0, ['c', 1])
      const consignment = await traffic.lane(0, 1)
      assert.deepEqual(await traffic.lanes.deliver([consignment]), [{ outcome: 'gap', mark: 0 }])
      await traffic.lanes.rebase({ heads: [], marks: [endAfter(traffic, 'a', 'b')] })
      for await (const at of overRestart(store, reopen))
        assert.deepEqual(await traffic.at(at).lanes.marks([1]), [endAfter(traffic, 'a', 'b')])
      const again = traffic.at(await reopen())
      const [delivery] = await again.lanes.deliver([consignment])
      assert.deepEqual(delivery?.outcome === 'delivered' && [delivery.mark, names(delivery.accepted)], [3, ids('c')])
    },
  },
  {
    guarantee: 'G15',
    holds: 'ends of lanes that nobody knows yet can be set',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const end = endAfter(traffic, 'x', 'y')
      await traffic.lanes.rebase({ heads: [end], marks: [end] })
      const again = traffic.at(await reopen())
      await again.send(0, ['a', 1])
      const { messages } = await again.lane(0, 1)
      assert.deepEqual(
        messages.map(({ number, chain }) => [number, chain]),
        [[3, endAfter(again, 'x', 'y', 'a').chain]],
      )
      const [delivery] = await again.lanes.deliver([{ ...lane, messages }])
      assert.equal(delivery?.outcome, 'delivered')
    },
  },
  {
    guarantee: 'G15',
    holds: 'heads and marks only move forward: setting them back, or where they are, changes nothing',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      await traffic.send(0, ['a', 1], ['b', 1], ['c', 1])
      const { messages } = await traffic.lane(0, 1)
      await traffic.lanes.deliver([{ ...lane, messages: messages.slice(0, 2) }])
      await traffic.lanes.trim([{ ...lane, number: 1 }])
      const was = await traffic.picture()
      for (const number of [0, 1, 2]) {
        const end = { ...lane, number, chain: 'another' }
        await traffic.lanes.rebase({ heads: [end], marks: [end] })
      }
      await traffic.lanes.rebase({ heads: [{ ...lane, number: 3, chain: 'another' }], marks: [] })
      for await (const at of overRestart(store, reopen)) assert.deepEqual(await traffic.at(at).picture(), was)
    },
  },
]

/** See the file head. */
export const healing: readonly StoreGuarantee[] = sketches.map((each) => ({ ...each, scope: 'shard', shards: 3 }))
