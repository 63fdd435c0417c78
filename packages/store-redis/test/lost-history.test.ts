import { chainAfter, type EntityId, emptyChain, type StoreDriver } from '@interstate/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { Names } from '../src/names.ts'
import { commit, entityIn, failure, group, leasesOf, message } from './hand.ts'
import { describeWithRedis, type RedisServer, startCluster, startServer } from './servers.ts'

describeWithRedis('G15: history that a server lost', () => {
  let server: RedisServer
  let store: StoreDriver
  beforeAll(async () => {
    server = await startServer()
    store = redisStore({ client: server.client(), shards: 2 })
  })
  afterAll(() => server?.stop())

  async function pair() {
    await server.run('FLUSHALL')
    store = redisStore({ client: server.client(), shards: 2 })
    const leases = await leasesOf(store)
    const [one, other] = [entityIn(store, 0), entityIn(store, 1)]
    await store.write(group({ commits: [commit(leases, one), commit(leases, other)] }))
    return { leases, one, other }
  }

  test('an emptied server: no entity is born anew, no message is let in, no shard is taken', async () => {
    const { leases, one } = await pair()
    await server.run('FLUSHALL')
    const { results } = await store.write(group({ commits: [commit(leases, one)] }))
    expect(results).toEqual([{ outcome: 'lost', finding: 'The record of shard 0 is gone.' }])
    const incoming = message(store, 'a', one)
    const refused = await store.write(group({ accepted: [incoming] }))
    expect(refused).toMatchObject({
      fenced: [incoming.id],
      lost: [{ shard: 0, finding: 'The record of shard 0 is gone.' }],
    })
    const acquired = await failure(store.acquire('b' as never, [0, 1]))
    expect([acquired.code, acquired.details.shards]).toEqual(['STORE_LOST_HISTORY', [0, 1]])
    const consignment = { from: 1, to: 0, messages: [{ ...message(store, 'a', one), number: 1, chain: 'x' }] }
    expect(await store.lanes?.deliver([consignment])).toMatchObject([{ outcome: 'lost' }])
    expect(await server.run('DBSIZE')).toBe(0)
  })

  test('a store that was made again under the same prefix is another one', async () => {
    const { leases, one } = await pair()
    await server.run('FLUSHALL')
    const second = redisStore({ client: server.client(), shards: 2 })
    await leasesOf(second)
    const { results } = await store.write(group({ commits: [commit(leases, one)] }))
    expect(results).toMatchObject([{ outcome: 'lost', finding: expect.stringContaining('another store') }])
  })

  test('one shard that is gone stands still alone', async () => {
    const { leases, one, other } = await pair()
    const [record = ''] = (await server.run('KEYS', '{interstate:0.*}:shard')) as string[]
    await server.run('DEL', record)
    const commits = [one, other].map((entity) => commit(leases, entity, { expectedVersion: 1 }))
    const { results } = await store.write(group({ commits }))
    expect(results.map(({ outcome }) => outcome)).toEqual(['lost', 'committed'])
    const fresh = redisStore({ client: server.client(), shards: 2 })
    const acquired = await failure(fresh.acquire('b' as never, [0, 1]))
    expect(acquired.details.shards).toEqual([0])
    expect((await fresh.acquire('b' as never, [1])).leases.length).toBe(1)
    // A person decides to go on.
    await fresh.lanes?.rebase({ heads: [{ from: 0, to: 1, number: 0, chain: '' }], marks: [] })
    const { leases: again } = await fresh.acquire('b' as never, [0])
    expect(again[0]?.epoch).toBeGreaterThan(leases[0]?.epoch ?? 0)
  })

  test('lanes to a shard that is gone are lost, each of them, and keep no other lane from its shard', async () => {
    const { other } = await pair()
    const [record = ''] = (await server.run('KEYS', '{interstate:0.*}:shard')) as string[]
    await server.run('DEL', record)
    const lane = (from: number, to: EntityId) => {
      const { id, ...rest } = message(store, `from ${from}`, to)
      return { from, to: rest.shard, messages: [{ id, ...rest, number: 1, chain: chainAfter(emptyChain, id) }] }
    }
    const gone = entityIn(store, 0)
    const deliveries = await store.lanes?.deliver([lane(1, gone), lane(2, gone), lane(3, gone), lane(4, other)])
    expect(deliveries?.map(({ outcome }) => outcome)).toEqual(['lost', 'lost', 'lost', 'delivered'])
  })

  test('a shard that is back at what it was before an acknowledged write is found before the next one', async () => {
    const { leases, one } = await pair()
    const [record = ''] = (await server.run('KEYS', '{interstate:0.*}:shard')) as string[]
    const [row, was] = [`${record.slice(0, record.indexOf('}') + 1)}:e:${one}`, [] as [string, unknown][]]
    for (const key of [record, row]) was.push([key, await dump(key)])
    await store.write(group({ commits: [commit(leases, one, { expectedVersion: 1 })] }))
    for (const [key, bytes] of was) await restore(key, bytes)
    // By its version this one would fit.
    const { results } = await store.write(group({ commits: [commit(leases, one, { expectedVersion: 1 })] }))
    expect(results).toMatchObject([{ outcome: 'lost', finding: expect.stringContaining('back at write') }])
    await server.run('HSET', record, 'seq', 100, 'epoch', 0)
    const later = await store.write(group({ commits: [commit(leases, one, { expectedVersion: 1 })] }))
    expect(later.results).toMatchObject([{ outcome: 'lost', finding: 'Shard 0 is back at epoch 0.' }])
  })

  async function dump(key: string): Promise<Buffer> {
    return (await server.client().dumpBuffer(key)) as Buffer
  }

  async function restore(key: string, bytes: unknown): Promise<void> {
    await server.client().restore(key, 0, bytes as Buffer, 'REPLACE')
  }
})

describeWithRedis('G15: history that one node of a cluster lost', () => {
  test('a primary that comes back empty, and its replica after it: found before anything is written there', {
    timeout: 90_000,
  }, async () => {
    // Nobody is taken for dead: the empty one stays primary, and its replica makes itself alike.
    await using cluster = await startCluster({ nodeTimeoutMs: 30_000 })
    const store = redisStore({ client: cluster.client(), shards: 6, durability: 'replicated' })
    const leases = await leasesOf(store)
    const entities = leases.map(({ shard }) => entityIn(store, shard))
    await store.write(group({ commits: entities.map((entity) => commit(leases, entity)) }))
    const names = new Names('interstate', 6)
    const [primary, other] = [await cluster.primaryOf(names.shard(5).slot), await cluster.primaryOf(names.cluster.slot)]
    expect(primary).not.toBe(other)
    const replica = await cluster.replicaOf(primary)
    await primary.restart({ empty: true })
    await expect.poll(() => replica.run('DBSIZE'), { timeout: 30_000 }).toBe(0)
    await cluster.waitUntilOk(40_000)

    const { results } = await store.write(
      group({ commits: entities.map((entity) => commit(leases, entity, { expectedVersion: 1 })) }),
    )
    const outcomes = results.map(({ outcome }) => (outcome === 'already applied' ? 'committed' : outcome))
    expect(results[5]).toEqual({ outcome: 'lost', finding: 'The record of shard 5 is gone.' })
    expect(new Set(outcomes)).toEqual(new Set(['lost', 'committed']))
    // A host that starts now has seen nothing of before, and finds it all the same.
    const fresh = redisStore({ client: cluster.client(), shards: 6 })
    const lost = outcomes.flatMap((outcome, shard) => (outcome === 'lost' ? [shard] : []))
    const refused = await failure(fresh.acquire('b' as never, [0, 1, 2, 3, 4, 5]))
    expect([refused.code, refused.details.shards]).toEqual(['STORE_LOST_HISTORY', lost])
    expect(await primary.run('DBSIZE')).toBe(0)
  })
})
