import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { commit, entityIn, failure, group, leasesOf, message, refusal } from './hand.ts'
import { describeWithRedis, type RedisServer, startServer } from './servers.ts'
import { freshPrefix } from './stage.ts'

describeWithRedis('opening', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startServer({ appendonly: true })
  })
  afterAll(() => server?.stop())

  const shards = 4

  test('many hosts that open at the same time make one store', async () => {
    const prefix = freshPrefix()
    const stores = Array.from({ length: 8 }, () => redisStore({ client: server.client(), prefix, shards }))
    await Promise.all(stores.map((store) => store.probe()))
    const leases = await leasesOf(stores[0] as never)
    const entity = entityIn(stores[1] as never, 2)
    for (const [version, store] of stores.entries()) {
      const { results } = await store.write(group({ commits: [commit(leases, entity, { expectedVersion: version })] }))
      expect(results).toMatchObject([{ outcome: 'committed', version: version + 1 }])
    }
  })

  test('a store that was left half made is finished by the next who opens it', async () => {
    const prefix = freshPrefix()
    const client = server.client()
    await redisStore({ client, prefix, shards }).probe()
    await client.hset(`{${prefix}:cluster}:identity`, 'state', 'creating')
    const [record = ''] = await client.keys(`{${prefix}:2.*}:shard`)
    await client.del(record)
    const store = redisStore({ client, prefix, shards })
    expect((await leasesOf(store)).length).toBe(shards)
  })

  test('another number of shards is refused, and nothing is changed', async () => {
    const prefix = freshPrefix()
    const client = server.client()
    await redisStore({ client, prefix, shards }).probe()
    const error = await failure(redisStore({ client, prefix, shards: 8 }).probe())
    expect([error.code, error.details]).toMatchObject(['STORE_UNFIT', { stored: 4, wanted: 8 }])
    await redisStore({ client, prefix, shards }).probe()
  })

  test('a newer format is refused', async () => {
    const prefix = freshPrefix()
    const client = server.client()
    await redisStore({ client, prefix, shards }).probe()
    await client.hset(`{${prefix}:cluster}:identity`, 'format', '2')
    expect(await refusal(redisStore({ client, prefix, shards }).probe())).toBe('STORE_NEWER')
  })

  test("keys under the prefix that aren't ours are refused, and nothing is written", async () => {
    for (const name of ['list', '{}:identity']) {
      const prefix = freshPrefix()
      const client = server.client()
      const key = name === 'list' ? `${prefix}:list` : `{${prefix}:cluster}:identity`
      await client.rpush(key, 'x')
      expect(await refusal(redisStore({ client, prefix, shards }).probe())).toBe('STORE_FOREIGN')
      expect(await client.keys(`*${prefix}*`)).toEqual([key])
    }
  })

  test('a system of another name beside it is nobody to it', async () => {
    const prefix = freshPrefix()
    const client = server.client()
    await client.set(`${prefix}-other:list`, 'x')
    await redisStore({ client, prefix, shards }).probe()
  })

  test('with absent "refuse" an emptied server is an error and not a new store', async () => {
    const store = redisStore({ client: server.client(), prefix: freshPrefix(), shards, absent: 'refuse' })
    expect(await refusal(store.probe())).toBe('STORE_FOREIGN')
  })

  test('a server that holds shards, but has lost the identity, is not taken for a new store', async () => {
    const prefix = freshPrefix()
    const client = server.client()
    await redisStore({ client, prefix, shards }).probe()
    await client.del(`{${prefix}:cluster}:identity`)
    expect(await refusal(redisStore({ client, prefix, shards }).probe())).toBe('STORE_LOST_HISTORY')
  })

  test('nobody at the address: STORE_FAILED within the time for connecting', async () => {
    const client = new Redis({ port: 1, retryStrategy: () => 20 })
    const started = performance.now()
    const store = redisStore({ client, connectTimeoutMs: 500 })
    const error = await failure(store.probe())
    client.disconnect()
    expect(error.code).toBe('STORE_FAILED')
    expect(error.message).toContain('ECONNREFUSED')
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  test('a wrong password: STORE_FAILED, with what the server said', async () => {
    await using locked = await startServer({ config: { requirepass: 'secret' } })
    for (const password of [undefined, 'wrong']) {
      const client = new Redis({ port: locked.port, ...(password && { password }) })
      const error = await failure(redisStore({ client, connectTimeoutMs: 1_500 }).probe())
      client.disconnect()
      expect(error.code).toBe('STORE_FAILED')
      expect(error.message).toMatch(/NOAUTH|WRONGPASS/)
    }
  })

  test('options that would misplace keys are refused before anything is sent', async () => {
    const keyPrefix = server.client({ keyPrefix: 'p:' })
    expect(await refusal(redisStore({ client: keyPrefix }).probe())).toBe('STORE_UNFIT')
    expect(await refusal(redisStore({ client: server.client(), prefix: 'a{b' }).probe())).toBe('STORE_UNFIT')
    expect(await refusal(redisStore({ client: server.client(), shards: 1.5 }).probe())).toBe('STORE_UNFIT')
  })

  test('a client that connects on first use will do', async () => {
    const client = server.client({ lazyConnect: true })
    const probes = await redisStore({ client, prefix: freshPrefix(), shards }).probe()
    expect(probes.every(({ passed }) => passed)).toBe(true)
  })

  test('an evicting server is refused, and no store is made there; mended it is taken', async () => {
    await using evicting = await startServer({ config: { 'maxmemory-policy': 'allkeys-lru' } })
    const client = evicting.client()
    const store = redisStore({ client, shards })
    const probes = await store.probe()
    const failed = probes.filter(({ passed }) => !passed)
    expect(failed.map(({ name }) => name)).toEqual(['no eviction'])
    expect(failed[0]?.finding).toContain('CONFIG SET maxmemory-policy noeviction')
    expect(await client.dbsize()).toBe(0)
    expect(await refusal(store.acquire('a' as never, [0]))).toBe('STORE_UNFIT')
    await client.config('SET', 'maxmemory-policy', 'noeviction')
    expect((await store.probe()).every(({ passed }) => passed)).toBe(true)
  })

  test('a level that the server cannot hold is refused, with how to mend it', async () => {
    const at = (durability: 'fsync' | 'replicated') =>
      redisStore({ client: server.client(), prefix: freshPrefix(), shards, durability }).probe()
    const [fsync] = (await at('fsync')).filter(({ passed }) => !passed)
    expect(fsync?.finding).toContain('CONFIG SET appendfsync always')
    const [replicated] = (await at('replicated')).filter(({ passed }) => !passed)
    expect(replicated?.finding).toContain('no replica is connected')
  })

  test('where CONFIG is forbidden a person vouches for it', async () => {
    await using managed = await startServer({ config: { 'rename-command': 'CONFIG ""' } })
    const strict = await redisStore({ client: managed.client(), shards }).probe()
    expect(strict.filter(({ passed }) => !passed).map(({ finding }) => finding)).toEqual([
      expect.stringContaining("trust: ['config']"),
    ])
    const trusting = await redisStore({ client: managed.client(), shards, trust: ['config'] }).probe()
    expect(trusting.every(({ passed }) => passed)).toBe(true)
  })

  test('a database that the server does not have is refused, and no store is made in another one', async () => {
    await using sixteen = await startServer()
    const store = redisStore({ client: sixteen.client({ db: 99 }), shards })
    const failed = (await store.probe()).filter(({ passed }) => !passed)
    expect(failed.map(({ name }) => name)).toEqual(['database'])
    expect(failed[0]?.finding).toMatch(/db 99, but is in database 0 of .* Give a db that is there/)
    expect(await refusal(store.acquire('a' as never, [0]))).toBe('STORE_UNFIT')
    expect(await sixteen.run('DBSIZE')).toBe(0)
    const third = sixteen.client({ db: 3 })
    await leasesOf(redisStore({ client: third, shards }))
    expect([await sixteen.run('DBSIZE'), await third.dbsize()]).toEqual([0, shards + 1])
  })

  test('where CLIENT is forbidden a person vouches for another database than the first', async () => {
    await using managed = await startServer({ config: { 'rename-command': 'CLIENT ""' } })
    const failedAt = async (db: number, trust: readonly 'config'[] = []): Promise<readonly string[]> => {
      const probes = await redisStore({ client: managed.client({ db }), shards, trust }).probe()
      return probes.filter(({ passed }) => !passed).map(({ name }) => name)
    }
    expect([await failedAt(0), await failedAt(3), await failedAt(3, ['config'])]).toEqual([[], ['database'], []])
  })

  test('closing leaves the client open, and a closed store is refused', async () => {
    const client = server.client()
    const store = redisStore({ client, prefix: freshPrefix(), shards })
    await store.probe()
    await store.cluster?.listen('a' as never, () => {})
    await store.close()
    expect(await client.ping()).toBe('PONG')
    expect(await refusal(store.load([]))).toBe('STORE_FAILED')
  })
  test('a message whose key is of another shard is refused before anything is written', async () => {
    const store = redisStore({ client: server.client(), prefix: freshPrefix(), shards })
    const one = message(store, 'a', entityIn(store, 0))
    const registration = { key: '1~k' as never, shard: 1, at: 1, message: one.id, fingerprint: 'f' }
    expect(await refusal(store.write(group({ accepted: [one], registrations: [registration] })))).toBe('STORE_FAILED')
    expect(await store.inbox([0], 0, 10)).toEqual([])
  })
  test.each([-1, 4, 0.5, Number.NaN])(
    'shard %s, which there is not, is refused by a code, not by a crash',
    async (shard) => {
      const store = redisStore({ client: server.client(), prefix: freshPrefix(), shards })
      expect(await refusal(store.inbox([shard], 0, 1))).toBe('DEFINITION_INVALID')
      expect(await refusal(store.lanes?.tails([shard]) ?? Promise.resolve())).toBe('DEFINITION_INVALID')
      expect(await refusal(store.acquire('a' as never, [shard]))).toBe('DEFINITION_INVALID')
    },
  )
})
