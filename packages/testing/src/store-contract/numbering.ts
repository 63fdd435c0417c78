// numbering.ts: places in lanes and inboxes are numbers without gaps, and a write says which ones it took.
import assert from 'node:assert/strict'
import type { CommitResult, Placed } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { messageId } from './hand.ts'
import { chained, names, Traffic } from './traffic.ts'

type Sketch = Omit<StoreGuarantee, 'scope' | 'shards'>

function placesIn(result: CommitResult | undefined): readonly Placed[] | undefined {
  return result?.outcome === 'committed' ? result.placed : undefined
}

const sketches: readonly Sketch[] = [
  {
    guarantee: 'G6',
    holds:
      'the numbers of a lane have no gaps, and its chain is over all ids, in the order of commits, also around one that fails',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const sent = ['a', 'b', 'c', 'd', 'e', 'f'] as const
      const expected = chained(sent.map((name) => traffic.message([name, 1])))
      const first = await traffic.commit(0, [
        ['a', 1],
        ['other', 2],
        ['b', 1],
      ])
      const next = { ...first, tag: 'next', expectedVersion: 1, outbox: [traffic.message(['c', 1])] }
      const results = await traffic.hand.each(
        first,
        await traffic.commit(0, [['never', 1]], { consumed: [messageId('absent')] }),
        await traffic.commit(0, [['never', 1]], { expectedVersion: 9 }),
        next,
      )
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        ['committed', 'conflict', 'conflict', 'committed'],
      )
      const again = traffic.at(await reopen())
      await again.hand.write({
        accepted: [{ ...again.message(['d', 1]), entry: 0 }],
        commits: [await again.commit(0, [['e', 1]])],
      })
      await again.lanes.trim([{ from: 0, to: 1, number: 5 }])
      await again.send(0, ['f', 1])
      assert.deepEqual((await again.lane(0, 1)).messages, expected.slice(5))
      const last = expected.at(-1)
      const [head] = (await again.lanes.heads([0])).filter(({ to }) => to === 1)
      assert.deepEqual(head, { from: 0, to: 1, number: 6, chain: last?.chain, trimmed: 5 })
    },
  },
  {
    guarantee: 'G6',
    holds: 'each lane counts for itself: who else sends, or is sent to, takes none of its numbers',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      const lanes = [
        [0, 1],
        [0, 2],
        [1, 0],
        [2, 1],
      ] as const
      for (const round of [1, 2, 3])
        for (const [from, to] of lanes) await traffic.send(from, [`${from}>${to} ${round}`, to])
      for (const [from, to] of lanes) {
        const messages = [1, 2, 3].map((round) => traffic.message([`${from}>${to} ${round}`, to]))
        assert.deepEqual((await traffic.lane(from, to)).messages, chained(messages))
      }
      assert.deepEqual((await traffic.lanes.heads([0])).map(({ to, number }) => [to, number]).toSorted(), [
        [1, 3],
        [2, 3],
      ])
    },
  },
  {
    guarantee: 'G6',
    holds: 'positions of a shard have no gaps, whoever fills its inbox and whatever is refused',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      const { hand, lanes } = traffic
      await hand.write({ accepted: [traffic.message(['a', 0]), traffic.message(['b', 0]), traffic.message(['c', 1])] })
      // Those that wait already, and those that are refused, take no position.
      await hand.write({ accepted: [traffic.message(['b', 0]), traffic.message(['a', 0])] })
      await hand.each(await traffic.commit(0, [['never', 0]], { expectedVersion: 9 }))
      await traffic.send(0, ['d', 0])
      await traffic.send(1, ['e', 0], ['a', 0])
      const e = await traffic.lane(1, 0)
      await lanes.deliver([e])
      await lanes.deliver([e])
      const gap = chained(['x', 'y'].map((name) => traffic.message([name, 0]))).slice(1)
      await lanes.deliver([{ from: 2, to: 0, messages: gap }])
      await traffic.handle(0)
      const again = traffic.at(await reopen())
      await again.hand.write({ accepted: [again.message(['f', 0])] })
      const [item, ...rest] = await again.store.inbox([0], 0, 10)
      assert.deepEqual([item?.id, item?.position, rest], [messageId('f'), 5, []])
      assert.deepEqual(await again.lanes.tails([1, 0, 2]), [
        { shard: 1, position: 1, departing: 2 },
        { shard: 0, position: 5, departing: 0 },
        { shard: 2, position: 0, departing: 0 },
      ])
    },
  },
  {
    guarantee: 'G6',
    holds: 'a tail tells how far a shard has come: its last position, also when nothing waits, and what departs',
    async run({ store, reopen }) {
      const traffic = await Traffic.over(store)
      assert.deepEqual(await traffic.lanes.tails([2]), [{ shard: 2, position: 0, departing: 0 }])
      await traffic.send(0, ['a', 1], ['b', 2], ['c', 1], ['d', 0])
      await traffic.handle(0)
      await traffic.lanes.trim([{ from: 0, to: 1, number: 1 }])
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await traffic.at(at).lanes.tails([0, 1]), [
          { shard: 0, position: 1, departing: 2 },
          { shard: 1, position: 0, departing: 0 },
        ])
      }
    },
  },
  {
    guarantee: 'G2',
    holds: 'a write tells the truth of where each of its messages stands',
    async run({ store }) {
      const traffic = await Traffic.over(store)
      const { hand } = traffic
      const commits = [
        await traffic.commit(0, [
          ['a', 0],
          ['b', 1],
          ['c', 2],
          ['d', 1],
          ['e', 0],
        ]),
        await traffic.commit(1, [['f', 0]], { expectedVersion: 9 }),
        await traffic.commit(2, []),
        await traffic.commit(1, [['g', 1]]),
      ]
      const accepted = [
        traffic.message(['h', 0]),
        { ...traffic.message(['i', 1]), lease: { ...hand.leaseOf(1), epoch: 0 } },
        { ...traffic.message(['j', 1]), entry: 0 },
      ]
      const { placed = [], results } = await hand.write({ accepted, commits })
      const inbox = async (shard: number) =>
        (await store.inbox([shard], 0, 10)).map(({ id, position }) => [id, { position }])
      const lane = async (from: number, to: number) =>
        (await traffic.lane(from, to)).messages.map(({ id, number, chain }) => [id, { number, chain }])
      const found = new Map(
        [await inbox(0), await inbox(1), await inbox(2), await lane(0, 1), await lane(0, 2)].flat() as [
          string,
          Placed,
        ][],
      )
      const told = new Map<string, Placed | undefined>()
      for (const [index, { id }] of accepted.entries()) told.set(id, placed[index])
      for (const [index, { outbox }] of commits.entries()) {
        const places = placesIn(results[index])
        assert.equal(places?.length, results[index]?.outcome === 'committed' ? outbox.length : undefined)
        for (const [nth, { id }] of outbox.entries()) if (places !== undefined) told.set(id, places[nth])
      }
      assert.equal(told.get(messageId('i')), undefined)
      told.delete(messageId('i'))
      assert.deepEqual(told, found)
      assert.deepEqual(names(accepted).length, placed.length)
    },
  },
]

/** See the file head. */
export const numbering: readonly StoreGuarantee[] = sketches.map((each) => ({ ...each, scope: 'shard', shards: 3 }))
