// What a cluster refuses for now, seen live: each test counts at the servers that it was refused, and that it was written.
import { setTimeout as sleep } from 'node:timers/promises'
import type { StoreDriver } from '@interstate/core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { Names } from '../src/names.ts'
import { commit, entitiesIn, group, leasesOf } from './hand.ts'
import { describeWithRedis, type RedisCluster, type RedisServer, refusals, startCluster } from './servers.ts'
import { freshPrefix } from './stage.ts'

const shards = 16

describeWithRedis('a cluster refuses for now', () => {
  let cluster: RedisCluster
  let prefix: string
  let store: StoreDriver
  let slot: number
  let home: RedisServer
  beforeAll(async () => {
    cluster = await startCluster({ replicas: 0 })
  })
  afterAll(() => cluster?.stop())
  beforeEach(async () => {
    prefix = freshPrefix()
    store = redisStore({ client: cluster.client(), prefix, shards })
    slot = new Names(prefix, shards).shard(0).slot
    home = await cluster.primaryOf(slot)
    for (const node of cluster.nodes) await node.run('CONFIG', 'RESETSTAT')
  })

  const moveSlot = async (halfway?: () => Promise<void>): Promise<void> => {
    const to = cluster.nodes.find((node) => node !== home)
    if (to === undefined) throw new Error('no other node')
    await cluster.migrateSlots([slot], home, to, halfway && { halfway })
  }

  test('MOVED: a slot that moved unseen is found, and written to once', async () => {
    const leases = await leasesOf(store)
    const entities = entitiesIn(store, 0, 20)
    await store.write(group({ commits: entities.map((entity) => commit(leases, entity)) }))
    await moveSlot()
    await home.run('CONFIG', 'RESETSTAT')
    const commits = entities.map((entity) => commit(leases, entity, { expectedVersion: 1 }))
    const { results } = await store.write(group({ commits }))
    expect(results.filter((result) => 'version' in result && result.version === 2)).toHaveLength(20)
    expect(await refusals(home, 'MOVED')).toBeGreaterThan(0)
  })

  test('ASK and TRYAGAIN: of a slot that is half moved what is asked for is found, and a write waits for the rest', async () => {
    const leases = await leasesOf(store)
    const entities = entitiesIn(store, 0, 100)
    await store.write(group({ commits: entities.map((entity) => commit(leases, entity)) }))
    let writing: ReturnType<StoreDriver['write']> | undefined
    await moveSlot(async () => {
      const loaded = await store.load(entities.map((entity) => ({ entity, shard: 0 })))
      expect(loaded.map((entity) => entity?.version)).toEqual(entities.map(() => 1))
      expect(await refusals(home, 'ASK')).toBeGreaterThan(0)
      writing = store.write(
        group({ commits: entities.map((entity) => commit(leases, entity, { expectedVersion: 1 })) }),
      )
      while ((await refusals(home, 'TRYAGAIN')) === 0) await sleep(10)
    })
    const results = (await writing)?.results ?? []
    expect(results.filter((result) => 'version' in result && result.version === 2)).toHaveLength(100)
    const after = await store.load(entities.map((entity) => ({ entity, shard: 0 })))
    expect(after.map((entity) => entity?.version)).toEqual(entities.map(() => 2))
  })

  test('CLUSTERDOWN: a write to a slot that nobody has waits until somebody has it', async () => {
    const leases = await leasesOf(store)
    const [entity] = entitiesIn(store, 0, 1)
    if (entity === undefined) throw new Error('no entity')
    await Promise.all(cluster.nodes.map((node) => node.run('CLUSTER', 'DELSLOTS', slot)))
    const writing = store.write(group({ commits: [commit(leases, entity)] }))
    while ((await refusals(home, 'CLUSTERDOWN')) === 0) await sleep(10)
    await home.run('CLUSTER', 'ADDSLOTS', slot)
    const { results } = await writing
    expect(results).toMatchObject([{ outcome: expect.stringMatching(/committed|already applied/), version: 1 }])
    await cluster.waitUntilOk()
  })
})
