// departures.ts: what a commit sends to another shard is there for whoever carries it over, until the receiver has it.
import assert from 'node:assert/strict'
import type { HostId } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { messageId } from './hand.ts'
import { type Cause, causes } from './spoiled.ts'
import { chained, ids, names, Traffic } from './traffic.ts'

type Sketch = Omit<StoreGuarantee, 'scope' | 'shards'>

const sketches: readonly Sketch[] = [
  {
    guarantee: 'G2',
    holds: 'a message to another shard departs with its commit and stays until it is trimmed, whatever is delivered',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      await traffic.send(0, ['a', 1], ['b', 1])
      const messages = chained([traffic.message(['a', 1]), traffic.message(['b', 1])])
      const expected = [{ from: 0, to: 1, messages }]
      for await (const at of overRestart(store, reopen)) {
        const there = traffic.at(at)
        assert.deepEqual(await there.lanes.departures([0, 1, 2], 100), expected)
        assert.deepEqual(await there.lanes.departures([1, 2], 100), [])
        assert.deepEqual(await there.waiting(1), [])
      }
      const again = traffic.at(await reopen())
      await again.lanes.deliver(expected)
      assert.deepEqual(await again.lanes.departures([0], 100), expected)
      await again.lanes.trim([{ from: 0, to: 1, number: 1 }])
      for await (const at of overRestart(again.store, reopen)) {
        const left = [{ from: 0, to: 1, messages: messages.slice(1) }]
        assert.deepEqual(await traffic.at(at).lanes.departures([0], 100), left)
      }
      const last = traffic.at(await reopen())
      await last.lanes.trim([{ from: 0, to: 1, number: 2 }])
      assert.deepEqual(await last.lanes.departures([0, 1, 2], 100), [])
    },
  },
  {
    guarantee: 'G2',
    holds:
      'trimming takes what it is told from the lane it is told, moves never back, and never beyond the last message',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const { lanes } = traffic
      await traffic.send(0, ['a', 1], ['b', 1], ['c', 1], ['x', 2])
      await lanes.trim([
        { from: 0, to: 1, number: 2 },
        { from: 2, to: 0, number: 5 },
      ])
      await lanes.trim([{ from: 0, to: 1, number: 1 }])
      assert.deepEqual(names((await traffic.lane(0, 1)).messages), ids('c'))
      assert.deepEqual(names((await traffic.lane(0, 2)).messages), ids('x'))
      await lanes.trim([{ from: 0, to: 1, number: 99 }])
      await traffic.send(0, ['d', 1])
      const again = traffic.at(await reopen())
      const [head] = (await again.lanes.heads([0])).filter(({ to }) => to === 1)
      assert.deepEqual([head?.number, head?.trimmed], [4, 3])
      const [, , , d] = chained((['a', 'b', 'c', 'd'] as const).map((name) => traffic.message([name, 1])))
      assert.deepEqual((await again.lane(0, 1)).messages, [d])
      await again.send(2, ['y', 0])
      assert.deepEqual(names((await again.lane(2, 0)).messages), ids('y'))
    },
  },
  {
    guarantee: 'G16',
    holds: 'who carries a few messages at a time carries all of them, those of each lane in order',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      const lanes = [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => ({ from, to })))
      for (let round = 0; round < 4; round += 1)
        for (const { from, to } of lanes)
          await traffic.send(from, ...[0, 1, 2].map((nth) => [`${from}>${to} ${round}.${nth}`, to] as const))
      for (let calls = 0; ; calls += 1) {
        const found = await traffic.lanes.departures([0, 1, 2], 7)
        if (found.length === 0) break
        assert.ok(calls < 72, 'nothing gets on')
        const count = found.flatMap(({ messages }) => messages).length
        assert.ok(count > 0 && count <= 14, `${count} messages for about 7`)
        for (const delivery of await traffic.lanes.deliver(found)) assert.equal(delivery.outcome, 'delivered')
        await traffic.lanes.trim(
          found.map(({ from, to, messages }) => ({ from, to, number: messages.at(-1)?.number ?? 0 })),
        )
      }
      for (const { from, to } of lanes) {
        const arrived = (await traffic.waiting(to)).filter((id) => id.startsWith(messageId(`${from}>${to}`)))
        const inOrder = [0, 1, 2, 3].flatMap((round) => [0, 1, 2].map((nth) => `${from}>${to} ${round}.${nth}`))
        assert.deepEqual(arrived, ids(...inOrder))
      }
    },
  },
  ...causes.map(
    (cause): Sketch => ({
      guarantee: cause === 'fenced' ? 'G5' : 'G3',
      holds: `a commit that ends as ${cause} puts nothing into a lane`,
      async run({ store, reopen }) {
        const zombie = await Traffic.over(store, 'zombie' as HostId)
        const traffic = await Traffic.over(store)
        await traffic.send(0, ['before', 1])
        const was = await traffic.picture()
        const sent = [
          ['a', 1],
          ['b', 2],
          ['c', 0],
        ] as const
        const spoiled = {
          conflict: () => traffic.commit(0, sent, { expectedVersion: 7 }),
          duplicate: () => traffic.commit(0, sent, { consumed: [messageId('absent')] }),
          fenced: () => zombie.commit(0, sent),
        } satisfies Record<Cause, unknown>
        const [result] = await traffic.hand.each(await spoiled[cause]())
        assert.equal(result?.outcome, cause)
        for await (const at of overRestart(store, reopen)) assert.deepEqual(await traffic.at(at).picture(), was)
      },
    }),
  ),
  {
    guarantee: 'G7',
    holds: 'the same attempt, alone or with its group, puts nothing into a lane a second time',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const { hand } = traffic
      const attempt = await traffic.commit(0, [
        ['a', 1],
        ['b', 0],
      ])
      const accepted = [{ ...traffic.message(['c', 2]), entry: 0, lease: hand.leaseOf(0) }]
      const group = hand.group({ accepted, commits: [attempt] })
      await store.write(group)
      const was = await traffic.picture()
      for await (const at of overRestart(store, reopen)) {
        const again = await at.write(group)
        assert.deepEqual(again.results, [{ outcome: 'already applied', version: 1 }])
        assert.deepEqual(await traffic.at(at).picture(), was)
      }
      const last = traffic.at(await reopen())
      assert.deepEqual(await last.hand.each(attempt), [{ outcome: 'already applied', version: 1 }])
      assert.deepEqual(await last.picture(), was)
    },
  },
  {
    guarantee: 'G17',
    holds: 'of messages that were carried over, trimmed and handled nothing is left but both ends of their lane',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      for (let round = 0; round < 25; round += 1) {
        await traffic.send(0, [`${round}a`, 1], [`${round}b`, 1])
        const { messages } = await traffic.lane(0, 1)
        await traffic.lanes.deliver([{ from: 0, to: 1, messages }])
        await traffic.lanes.trim([{ from: 0, to: 1, number: messages.at(-1)?.number ?? 0 }])
        await traffic.handle(1)
      }
      for await (const at of overRestart(store, reopen)) {
        const { departures, heads, marks, tails } = await traffic.at(at).picture()
        assert.deepEqual(departures, [])
        const chain = heads[0]?.chain
        assert.deepEqual(heads, [{ from: 0, to: 1, number: 50, chain, trimmed: 50 }])
        assert.deepEqual(marks, [{ from: 0, to: 1, number: 50, chain }])
        assert.deepEqual(
          tails.map(({ position, departing }) => [position, departing]),
          [
            [0, 0],
            [50, 0],
            [0, 0],
          ],
        )
        assert.deepEqual(await at.inbox([0, 1, 2], 0, 10), [])
      }
    },
  },
]

/** See the file head. */
export const departures: readonly StoreGuarantee[] = sketches.map((each) => ({ ...each, scope: 'shard', shards: 3 }))
