// bells.ts: words that hosts leave for each other are collected once, and whoever listens is called.
import assert from 'node:assert/strict'
import type { HostId, StoreDriver } from '@interstate/core'
import type { StoreGuarantee } from './guarantee.ts'
import { clusterOf } from './traffic.ts'

type Sketch = Omit<StoreGuarantee, 'scope'>

const [a, b] = ['host-a' as HostId, 'host-b' as HostId]
/** A bell goes over a network, and machines are slow at times. */
const patienceMs = 5_000

async function hosts(store: StoreDriver) {
  const cluster = clusterOf(store)
  for (const host of [a, b]) await cluster.beat({ host, beat: 1, weight: 1, pins: [], runs: {} })
  return cluster
}

/** Waits for a call, as often as one is awaited. */
function bell() {
  let rung = 0
  let heard: () => void = () => {}
  return {
    ring: () => {
      rung += 1
      heard()
    },
    async called(): Promise<void> {
      if (rung > 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      heard = resolve
      const timer = setTimeout(resolve, patienceMs)
      await promise
      clearTimeout(timer)
      assert.ok(rung > 0, `no ring within ${patienceMs} ms`)
    },
    get rung() {
      return rung
    },
  }
}

const sketches: readonly Sketch[] = [
  {
    guarantee: 'G16',
    holds: 'words are collected once, by whom they were left for, oldest first',
    async run({ store, reopen }) {
      const cluster = await hosts(store)
      const texts = ['', '{"text":1}', '\u{1f680}\u0000', 'x'.repeat(10_000)]
      await cluster.notify([...texts.map((text) => ({ to: a, text })), { to: b, text: 'for b' }])
      await cluster.notify([{ to: a, text: 'last' }])
      const again = clusterOf(await reopen())
      assert.deepEqual(await again.collect(a), [...texts, 'last'])
      assert.deepEqual(await again.collect(a), [])
      assert.deepEqual(await again.collect(b), ['for b'])
      await again.notify([])
    },
  },
  {
    guarantee: 'G16',
    holds: 'of many who collect at the same time each word is given to one',
    async run({ store }) {
      const cluster = await hosts(store)
      const texts = Array.from({ length: 100 }, (_, index) => `${index}`)
      await cluster.notify(texts.map((text) => ({ to: a, text })))
      const collected = await Promise.all(Array.from({ length: 8 }, () => cluster.collect(a)))
      assert.deepEqual(collected.flat().toSorted(), texts.toSorted())
    },
  },
  {
    guarantee: 'G16',
    holds: 'who listens is called when there is something to collect, until it stops to listen',
    async run({ store }) {
      const cluster = await hosts(store)
      const [mine, another] = [bell(), bell()]
      const stop = await cluster.listen(a, mine.ring)
      const stopAnother = await cluster.listen(b, another.ring)
      await cluster.notify([{ to: a, text: 'one' }])
      await mine.called()
      assert.deepEqual(await cluster.collect(a), ['one'])
      assert.equal(another.rung, 0)
      await stop()
      const rung = mine.rung
      await cluster.notify([
        { to: a, text: 'two' },
        { to: b, text: 'three' },
      ])
      // What comes after has come: a ring for the one that stopped would have come before.
      await another.called()
      assert.equal(mine.rung, rung)
      assert.deepEqual(await cluster.collect(a), ['two'])
      await stopAnother()
    },
  },
]

/** See the file head. */
export const bells: readonly StoreGuarantee[] = sketches.map((each) => ({ ...each, scope: 'shard', shards: 1 }))
