// assignments.ts: hosts that share a store agree on who shall run what, and none of them is asked alone.
import assert from 'node:assert/strict'
import type { HostId, HostRecord, StoreDriver } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand } from './hand.ts'
import { clusterOf } from './traffic.ts'

type Sketch = Omit<StoreGuarantee, 'scope' | 'shards'>

const host = (name: string): HostId => `host-${name}` as HostId
const [a, b, c] = [host('a'), host('b \u{1f680} {x}:*'), host('c')]

function record(of: HostId, parts: Partial<HostRecord> = {}): HostRecord {
  return { host: of, beat: 1, weight: 1, pins: [], runs: {}, ...parts }
}

async function view(store: StoreDriver) {
  const { hosts, ...rest } = await clusterOf(store).view()
  return { ...rest, hosts: hosts.toSorted((one, other) => (one.host < other.host ? -1 : 1)) }
}

const sketches: readonly Sketch[] = [
  {
    guarantee: 'G16',
    holds: 'of a new store nobody runs anything',
    async run({ store }) {
      assert.deepEqual(await view(store), { hosts: [], assignment: { version: 0, owners: [] }, halts: [] })
      const epochs = (await clusterOf(store).leases([2, 0])).map(({ shard, epoch }) => [shard, epoch])
      assert.deepEqual(epochs, [
        [2, 0],
        [0, 0],
      ])
    },
  },
  {
    guarantee: 'G16',
    holds: 'a host is seen by all as it said last, until it leaves, also after a restart',
    async run({ store, reopen }) {
      const cluster = clusterOf(store)
      const full = record(a, { beat: 7, weight: 0.5, pins: [2, 0], runs: { order: '3', 'saga~x': '' } })
      await cluster.beat(record(a))
      await cluster.beat(record(b))
      const told = await cluster.beat(full)
      assert.deepEqual(new Set(told.hosts), new Set([full, record(b)]))
      for await (const at of overRestart(store, reopen)) assert.deepEqual((await view(at)).hosts, [full, record(b)])
      const again = await reopen()
      await clusterOf(again).leave(b)
      await clusterOf(again).leave(c)
      assert.deepEqual((await view(again)).hosts, [full])
    },
  },
  {
    guarantee: 'G16',
    holds: 'an assignment is changed from the version that it has, and from no other, also after a restart',
    async run({ store, reopen }) {
      const cluster = clusterOf(store)
      assert.equal(await cluster.assign(1, [a, a, a], []), false)
      assert.equal(await cluster.assign(0, [a, null, b], []), true)
      for await (const at of overRestart(store, reopen)) {
        assert.equal(await clusterOf(at).assign(0, [b, b, b], []), false)
        assert.equal(await clusterOf(at).assign(2, [b, b, b], []), false)
        assert.deepEqual((await view(at)).assignment, { version: 1, owners: [a, null, b] })
      }
      const again = await reopen()
      assert.equal(await clusterOf(again).assign(1, [b], []), true)
      assert.deepEqual((await view(again)).assignment, { version: 2, owners: [b] })
    },
  },
  {
    guarantee: 'G16',
    holds: 'hosts are struck off with the change of the assignment, and only while they show the beat that was seen',
    async run({ store }) {
      const cluster = clusterOf(store)
      for (const each of [a, b, c]) await cluster.beat(record(each, { beat: 4 }))
      const seen = (of: HostId, beat = 4) => ({ host: of, beat })
      const was = await view(store)
      // One of them lives; one is not there; the version is another.
      assert.equal(await cluster.assign(0, [c, c, c], [seen(a), seen(b, 3)]), false)
      assert.equal(await cluster.assign(0, [c, c, c], [seen(a), seen(host('nobody'))]), false)
      assert.equal(await cluster.assign(1, [c, c, c], [seen(a)]), false)
      assert.deepEqual(await view(store), was)
      assert.equal(await cluster.assign(0, [c, c, c], [seen(a), seen(b)]), true)
      assert.deepEqual(await view(store), {
        hosts: [record(c, { beat: 4 })],
        assignment: { version: 1, owners: [c, c, c] },
        halts: [],
      })
      // A host that was struck off while it slept comes back with its next beat.
      await cluster.beat(record(a, { beat: 5 }))
      assert.deepEqual(
        (await view(store)).hosts.map((each) => each.host),
        [a, c],
      )
    },
  },
  {
    guarantee: 'G16',
    holds: 'of many who propose at the same time one is heard',
    async run({ store }) {
      const cluster = clusterOf(store)
      for (let version = 0; version < 5; version += 1) {
        const proposals = Array.from({ length: 8 }, (_, index) => [host(`${version}-${index}`), null, a])
        const gone = proposals.map((_, index) => ({ host: host(`gone-${index}`), beat: version }))
        for (const each of gone) await cluster.beat(record(each.host, each))
        const heard = await Promise.all(
          proposals.map((owners, index) => cluster.assign(version, owners, gone.slice(index, index + 1))),
        )
        assert.equal(heard.filter(Boolean).length, 1)
        const owners = proposals[heard.indexOf(true)]
        assert.deepEqual((await view(store)).assignment, { version: version + 1, owners })
        assert.equal((await view(store)).hosts.length, gone.length - 1)
      }
    },
  },
  {
    guarantee: 'G16',
    holds: 'the present lease of each shard is known to all, also after a restart',
    async run({ store, reopen }) {
      const first = await Hand.over(store, 'host-a')
      const { leases } = await store.acquire(b, [1])
      const expected = [leases[0], first.leaseOf(0), first.leaseOf(2)]
      for await (const at of overRestart(store, reopen))
        assert.deepEqual(await clusterOf(at).leases([1, 0, 2]), expected)
      const again = await reopen()
      await again.release(leases)
      const [given] = await clusterOf(again).leases([1])
      assert.deepEqual([given?.shard, given?.epoch], [1, leases[0]?.epoch])
    },
  },
  {
    guarantee: 'G15',
    holds: 'a shard that stands still does so for all, with its first finding, until it is resumed',
    async run({ store, reopen }) {
      const cluster = clusterOf(store)
      await cluster.halt({ shard: 2, finding: 'position 7 was 9' })
      await cluster.halt({ shard: 2, finding: 'another' })
      await cluster.halt({ shard: 0, finding: 'lane 0>1' })
      const halts = async (at: StoreDriver) => (await view(at)).halts.toSorted((one, other) => one.shard - other.shard)
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await halts(at), [
          { shard: 0, finding: 'lane 0>1' },
          { shard: 2, finding: 'position 7 was 9' },
        ])
      }
      const again = await reopen()
      await clusterOf(again).resume(2)
      await clusterOf(again).resume(1)
      assert.deepEqual(await halts(again), [{ shard: 0, finding: 'lane 0>1' }])
    },
  },
]

/** See the file head. */
export const assignments: readonly StoreGuarantee[] = sketches.map((each) => ({ ...each, scope: 'shard', shards: 3 }))
