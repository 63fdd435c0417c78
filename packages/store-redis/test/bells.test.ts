import type { HostId } from '@interstate/core'
import { expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { describeWithRedis, startCluster, startServer } from './servers.ts'

const host = 'host/1{x}' as HostId

describeWithRedis('bells', () => {
  test('who listens hears, also after its connection was killed, and finds every word', async () => {
    await using server = await startServer()
    const store = redisStore({ client: server.client(), shards: 2 })
    const other = redisStore({ client: server.client(), shards: 2 })
    let rings = 0
    const stop = await store.cluster?.listen(host, () => {
      rings += 1
    })
    await other.cluster?.notify([
      { to: host, text: 'one' },
      { to: host, text: 'two' },
    ])
    await expect.poll(() => rings).toBe(1)
    expect(await store.cluster?.collect(host)).toEqual(['one', 'two'])
    await server.run('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await other.cluster?.notify([{ to: host, text: 'unheard' }])
    // It rings when it can hear again.
    await expect.poll(() => rings).toBeGreaterThan(1)
    expect(await store.cluster?.collect(host)).toEqual(['unheard'])
    const before = rings
    await other.cluster?.notify([{ to: host, text: 'three' }])
    await expect.poll(() => rings).toBe(before + 1)
    await stop?.()
    await expect.poll(async () => (await server.run('CLIENT', 'LIST', 'TYPE', 'pubsub')) as string).toBe('')
  })

  test('of words that nobody collects the newest are kept', async () => {
    await using server = await startServer()
    const store = redisStore({ client: server.client(), shards: 2 })
    const notes = Array.from({ length: 10_050 }, (_, index) => ({ to: host, text: `${index}` }))
    await store.cluster?.notify(notes)
    const kept = await store.cluster?.collect(host)
    expect([kept?.length, kept?.[0], kept?.at(-1)]).toEqual([10_000, '50', '10049'])
  })

  test('in a cluster a bell rings across nodes, and goes on after its slot has moved', {
    timeout: 60_000,
  }, async () => {
    await using cluster = await startCluster({ replicas: 0 })
    const store = redisStore({ client: cluster.client(), shards: 2 })
    const other = redisStore({ client: cluster.client(), shards: 2 })
    let rings = 0
    await store.cluster?.listen(host, () => {
      rings += 1
    })
    await other.cluster?.notify([{ to: host, text: 'one' }])
    await expect.poll(() => rings).toBe(1)
    const slot = await cluster.slotOf(`{interstate:host:${encodeURIComponent(host)}}:notes`)
    const from = await cluster.primaryOf(slot)
    const to = cluster.nodes.find((node) => node !== from)
    if (to === undefined) throw new Error('no other node')
    await cluster.migrateSlots([slot], from, to)
    await expect
      .poll(
        async () => {
          await other.cluster?.notify([{ to: host, text: 'again' }])
          return rings
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThan(3)
    await store.close()
  })
})
