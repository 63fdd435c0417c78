import { setTimeout as sleep } from 'node:timers/promises'
import type { Lease, StoreDriver } from '@interstate/core'
import type { Cluster } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisClusterClient, redisStore } from '../src/index.ts'
import { shardTags, slotOf } from '../src/slots.ts'
import { commit, group, leasesOf, message, order } from './hand.ts'
import { overheard } from './overheard.ts'
import { describeWithRedis, type RedisCluster, type RedisServer, startCluster } from './servers.ts'
import { freshPrefix } from './stage.ts'

test('shards are spread over the slots evenly: each has its own part, and every one is found', () => {
  for (const shards of [1, 3, 64, 256, 4_096]) {
    const slots = shardTags('interstate', shards).map(slotOf)
    for (const [shard, slot] of slots.entries()) {
      expect(slot).toBeGreaterThanOrEqual((shard * 16_384) / shards)
      expect(slot).toBeLessThan(((shard + 1) * 16_384) / shards)
    }
  }
})

test('tags are a persisted format', () => {
  expect(shardTags('interstate', 256).slice(0, 4)).toMatchInlineSnapshot(`
    [
      "interstate:0.10k",
      "interstate:1.2s",
      "interstate:2.35",
      "interstate:3.10",
    ]
  `)
})

describeWithRedis('a cluster', () => {
  let cluster: RedisCluster
  let client: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
    client = cluster.client()
  })
  afterAll(() => cluster?.stop())

  test('all keys of a shard are in one slot, which is that of its name', async () => {
    const store = redisStore({ client, prefix: freshPrefix(), shards: 16 })
    const leases = await leasesOf(store)
    const entities = Array.from({ length: 64 }, (_, index) => order(index))
    const commits = entities.map((entity, index) => {
      const outbox = [message(store, index, order(index + 1))]
      return commit(leases, entity, { outbox, wakeAt: 5, unsettled: true })
    })
    const { results } = await store.write(group({ commits }))
    expect(results.every(({ outcome }) => outcome === 'committed')).toBe(true)
    for (const tag of shardTags('interstate', 4)) {
      expect(slotOf(tag)).toBe(await cluster.slotOf(`{${tag}}:shard`))
    }
  })

  test('a write over many shards takes one connection to each node, and 256 scripts in one piece', async () => {
    const pieces = new Map<string, number[]>()
    const own = cluster.client({ redisOptions: { connectionName: 'the-writer' } })
    const heard = overheard<RedisClusterClient>(own, (node, piece) => {
      const at = `${node.options.host}:${node.options.port}`
      pieces.set(at, [...(pieces.get(at) ?? []), piece.length])
    })
    // A level that adds nothing of its own to what is sent.
    const store = redisStore({ client: heard, prefix: freshPrefix(), shards: 64, durability: 'memory' })
    const leases = await leasesOf(store)
    await store.cluster?.listen('host-a' as never, () => undefined)
    const commits = Array.from({ length: 2_000 }, (_, index) => commit(leases, order(index)))
    pieces.clear()
    const { results } = await store.write(group({ commits }))
    expect(results.every(({ outcome }) => outcome === 'committed')).toBe(true)
    expect(pieces.size).toBe(3)
    let scripts = 0
    for (const sizes of pieces.values()) {
      const count = sizes.reduce((sum, size) => sum + size, 0)
      expect(sizes).toEqual([...Array.from({ length: Math.ceil(count / 256) - 1 }, () => 256), expect.any(Number)])
      expect(sizes.at(-1)).toBeLessThanOrEqual(256)
      scripts += count
    }
    expect(scripts).toBe(2_000)
    for (const node of cluster.nodes) {
      const normal = await connectionsOf(node, 'NORMAL', 'the-writer')
      // The client itself may have asked a replica who has which slots.
      expect(normal).toBe(pieces.has(`127.0.0.1:${node.port}`) ? 1 : Math.min(normal, 1))
      expect(await connectionsOf(node, 'PUBSUB', 'the-writer')).toBeLessThanOrEqual(1)
    }
    await store.close()
  })

  /** How many connections of this name a server has. */
  async function connectionsOf(node: RedisServer, type: string, name: string): Promise<number> {
    const list = String(await node.run('CLIENT', 'LIST', 'TYPE', type))
    return list.split('\n').filter((line) => line.includes(` name=${name} `)).length
  }

  /** Writes all the time, and keeps books of what was acknowledged. */
  async function underLoad(store: StoreDriver, trouble: () => Promise<void>): Promise<number> {
    const leases = await leasesOf(store)
    let isOver = false
    let acknowledged = 0
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let version = 0; !isOver; version += 1) {
        const count = await step(store, leases, writer, version)
        acknowledged += count
      }
    })
    await trouble()
    isOver = true
    await Promise.all(writers)
    const shards = leases.map(({ shard }) => shard)
    let waiting = 0
    for (const shard of shards) waiting += (await store.inbox([shard], 0, 100_000)).length
    expect(waiting).toBe(acknowledged)
    return acknowledged
  }

  async function step(store: StoreDriver, leases: readonly Lease[], writer: number, version: number): Promise<number> {
    const entities = Array.from({ length: 8 }, (_, index) => order(`${writer}-${index}`))
    const commits = entities.map((entity) => {
      const outbox = [message(store, `${entity}-${version}`, entity)]
      return commit(leases, entity, { expectedVersion: version, outbox })
    })
    const owner = `host-${writer}` as never
    const { results } = await store.write(group({ owner, commits }))
    for (const result of results) {
      expect(result.outcome).toMatch(/^(committed|already applied)$/)
      expect(result).toMatchObject({ version: version + 1 })
    }
    return results.length
  }

  test('slots that move under load: nothing is lost, nothing is written twice', { timeout: 60_000 }, async () => {
    const store = redisStore({ client, prefix: freshPrefix(), shards: 256 })
    const [from, , to] = cluster.nodes
    if (from === undefined || to === undefined) throw new Error('no nodes')
    const count = await underLoad(store, async () => {
      await sleep(200)
      await cluster.migrateSlots(400, from, to)
      await sleep(200)
    })
    expect(count).toBeGreaterThan(500)
    await cluster.migrateSlots(400, to, from)
  })

  test('a primary that is killed under load: nothing that was acknowledged is lost', { timeout: 90_000 }, async () => {
    const store = redisStore({ client: cluster.client(), prefix: freshPrefix(), shards: 64 })
    const primary = await cluster.primaryOf(0)
    const count = await underLoad(store, async () => {
      await sleep(300)
      await cluster.kill(primary)
      await cluster.waitUntilOk()
      // Its successor has no replica now: what is to be replicated waits for one.
      await primary.restart()
      await cluster.waitUntilOk()
      await sleep(300)
    })
    expect(count).toBeGreaterThan(100)
  })

  test('a failover by command under load: nothing is lost', { timeout: 60_000 }, async () => {
    const store = redisStore({ client: cluster.client(), prefix: freshPrefix(), shards: 64 })
    const primary = await cluster.primaryOf(8_000)
    const count = await underLoad(store, async () => {
      await sleep(300)
      await cluster.failover(await cluster.replicaOf(primary))
      await sleep(300)
    })
    expect(count).toBeGreaterThan(100)
  })
})
