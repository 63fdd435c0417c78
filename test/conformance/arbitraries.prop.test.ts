// What driver authors get works on the drivers that are here: groups are drawn as a store takes them, and a repeated one
// changes nothing.
import type { HostId } from '@interstate/core'
import { groups, playStoreHistory, storeHistories } from '@interstate/testing/stores'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { storesUnderTest } from './stores.ts'

describe.each(storesUnderTest)('on $name', (under) => {
  const numRuns = under.name === 'memory' ? 100 : 30

  test('G7: any group is taken, and the same one again commits nothing', async () => {
    const { store, dispose } = under.open()
    const shards = Array.from({ length: store.shards }, (_, shard) => shard)
    const { leases } = await store.acquire('host' as HostId, shards)
    let committed = 0
    await fc.assert(
      fc.asyncProperty(groups({ leases, scope: store.scope }), async (group) => {
        const first = await store.write(group)
        committed += first.results.filter(({ outcome }) => outcome === 'committed').length
        const again = await store.write(group)
        expect(again.results.map(({ outcome }) => outcome)).not.toContain('committed')
      }),
      { numRuns },
    )
    expect(committed).toBeGreaterThan(numRuns / 10)
    await store.close()
    await dispose()
  })

  test('G3: any history shows what a tiny model shows', async () => {
    const { store, reopen, dispose } = under.open()
    let current = store
    let run = 0
    const opened = async () => {
      await current.close()
      current = reopen()
      return current
    }
    await fc.assert(
      fc.asyncProperty(storeHistories, async (steps) => {
        run += 1
        await playStoreHistory(steps, { store: current, reopen: opened }, `any${run}x`)
      }),
      { numRuns },
    )
    await current.close()
    await dispose()
  })
})
