import { type Commit, type EntityId, InterstateError, type StoreDriver } from '@interstate/core'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fateOf } from '../src/failure.ts'
import { type RedisConnection, redisStore } from '../src/index.ts'
import { commit, entityIn, group, leasesOf, message, refusal } from './hand.ts'
import { overheard } from './overheard.ts'
import { describeWithRedis, type RedisServer, refusals, startServer } from './servers.ts'
import { freshPrefix } from './stage.ts'

describeWithRedis('what a server refuses', () => {
  let server: RedisServer
  let client: Redis
  let store: StoreDriver
  let entity: EntityId
  /** Pipelines of this store. */
  let sent = 0
  let write: (parts?: Partial<Commit>) => ReturnType<StoreDriver['write']>
  beforeAll(async () => {
    server = await startServer({ appendonly: true })
    client = server.client()
    const heard = overheard<RedisConnection>(client, () => {
      sent += 1
    })
    store = redisStore({ client: heard, prefix: freshPrefix(), shards: 2, settleMs: 3_000, attemptMs: 1_000 })
    const leases = await leasesOf(store)
    entity = entityIn(store, 0)
    let version = 0
    write = async (parts = {}) => {
      const result = await store.write(
        group({ commits: [commit(leases, entity, { expectedVersion: version, ...parts })] }),
      )
      version += 1
      return result
    }
    await write()
  })
  afterAll(() => server?.stop())

  test('OOM, memory is full: STORE_FULL, nothing is written, reads go on, and it works again with room', async () => {
    await server.run('CONFIG', 'SET', 'maxmemory', 1)
    const outbox = [message(store, 'a', entity)]
    expect(await refusal(write({ outbox }))).toBe('STORE_FULL')
    expect(await refusal(store.write(group({ accepted: outbox })))).toBe('STORE_FULL')
    expect((await store.load([{ entity, shard: 0 }]))[0]?.version).toBe(1)
    expect(await store.inbox([0], 0, 10)).toEqual([])
    await store.purge(1)
    expect((await store.acquire('b' as never, [1])).leases[0]?.epoch).toBe(2)
    await server.run('CONFIG', 'SET', 'maxmemory', 0)
    expect(await refusals(server, 'OOM')).toBeGreaterThan(0)
    expect((await write()).results).toMatchObject([{ outcome: 'committed', version: 2 }])
  })

  test('NOSCRIPT, scripts were flushed: nobody notices', async () => {
    await server.run('SCRIPT', 'FLUSH')
    expect((await write()).results).toMatchObject([{ outcome: 'committed' }])
    await server.run('SCRIPT', 'FLUSH')
    expect((await store.due([0], 1, 1)).length).toBe(0)
    expect(await refusals(server, 'NOSCRIPT')).toBeGreaterThan(1)
  })

  test('writes are paused, or a script runs too long (BUSY): the write waits', async () => {
    await server.run('CLIENT', 'PAUSE', 300, 'WRITE')
    expect((await write()).results).toMatchObject([{ outcome: 'committed' }])
    await server.run('CONFIG', 'SET', 'busy-reply-threshold', 10)
    const busy = client.duplicate()
    const spin = busy.eval('while true do end', 0).catch((error) => error)
    const refused = async (): Promise<unknown> => server.run('PING').catch((error) => error)
    await expect.poll(async () => String(await refused())).toContain('BUSY')
    const before = sent
    const writing = write()
    // It was refused when it is sent again: a server that is busy does not tell what it counts.
    await expect.poll(() => sent).toBeGreaterThan(before + 1)
    await server.run('SCRIPT', 'KILL')
    expect((await writing).results).toMatchObject([{ outcome: 'committed' }])
    expect(await refusals(server, 'BUSY')).toBeGreaterThan(1)
    await spin
    busy.disconnect()
  })

  test('NOREPLICAS, READONLY, it lost its replicas, it became one: the write waits until it is a primary again', async () => {
    await server.run('CONFIG', 'SET', 'min-replicas-to-write', 1)
    const early = write()
    await expect.poll(() => refusals(server, 'NOREPLICAS')).toBeGreaterThan(0)
    await server.run('CONFIG', 'SET', 'min-replicas-to-write', 0)
    expect((await early).results).toMatchObject([{ outcome: 'committed' }])
    // Of a primary that does not answer: one that did would empty it.
    await server.run('REPLICAOF', '127.0.0.1', 1)
    const late = write()
    await expect.poll(() => refusals(server, 'READONLY')).toBeGreaterThan(0)
    await server.run('REPLICAOF', 'NO', 'ONE')
    expect((await late).results).toMatchObject([{ outcome: 'committed' }])
  })

  test('connections are killed by a person: nobody notices', async () => {
    const writes = Promise.all(Array.from({ length: 1 }, () => write()))
    await server.run('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    expect((await writes)[0]?.results[0]?.outcome).toMatch(/committed|already applied/)
  })

  test('it loads its data after a restart: the write waits', async () => {
    await server.run('CONFIG', 'SET', 'appendfsync', 'always')
    const pending = server.restart()
    const result = await write()
    await pending
    expect(result.results[0]?.outcome).toMatch(/committed|already applied/)
  })

  test('LOADING, it takes its time over its data after a restart: the write waits', async () => {
    // Each key takes a millisecond to load, and meanwhile the server answers.
    const config = { 'key-load-delay': '1000', 'loading-process-events-interval-bytes': '1024' }
    await using slow = await startServer({ appendonly: true, appendfsync: 'always', config })
    const impatient = slow.client({ enableReadyCheck: false, retryStrategy: () => 20 })
    const large = redisStore({ client: impatient, shards: 2 })
    const leases = await leasesOf(large)
    await impatient.mset(Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`filler ${index}`, 'x'])))
    // As one file that is loaded key by key.
    await slow.run('BGREWRITEAOF')
    await expect.poll(async () => (await slow.info('persistence')).aof_rewrite_in_progress).toBe('0')
    const restarting = slow.restart()
    const { results } = await large.write(group({ commits: [commit(leases, entityIn(large, 0))] }))
    await restarting
    expect(results).toMatchObject([{ outcome: expect.stringMatching(/committed|already applied/), version: 1 }])
    expect(await refusals(slow, 'LOADING')).toBeGreaterThan(0)
  })

  test('it may not do that: STORE_FAILED', async () => {
    await server.run('ACL', 'SETUSER', 'weak', 'on', '>pw', '~*', '&*', '+@all', '-evalsha', '-eval')
    const weak = redisStore({
      client: server.client({ username: 'weak', password: 'pw' }),
      prefix: freshPrefix(),
      shards: 2,
    })
    expect(await refusal(weak.probe())).toBe('STORE_FAILED')
  })

  test.each([
    ['LOADING Redis is loading the dataset in memory', 'later'],
    ['CLUSTERDOWN The cluster is down', 'later'],
    ['MASTERDOWN Link with MASTER is down', 'later'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'later'],
    ['READONLY You can not write against a read only replica.', 'later'],
    ['MOVED 3999 127.0.0.1:6381', 'later'],
    ['ASK 3999 127.0.0.1:6381', 'later'],
    ['BUSY Redis is busy running a script.', 'later'],
    ['NOREPLICAS Not enough good replicas to write.', 'later'],
    ['NOSCRIPT No matching script.', 'unread'],
    ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 'unknown'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'refused'],
    ['NOPERM this user has no permissions', 'refused'],
    ['Connection is closed.', 'unknown'],
    ['Too many Cluster redirections. Last error: Error: Connection is closed.', 'unknown'],
  ] as const)('%s: %s', (text, fate) => {
    expect(fateOf(new Error(text))).toBe(fate)
  })

  test('a client that was quit is refused at once', async () => {
    const quit = server.client()
    const closed = redisStore({ client: quit, prefix: freshPrefix(), shards: 2 })
    const leases = await leasesOf(closed)
    quit.disconnect()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const started = performance.now()
    await expect(closed.write(group({ commits: [commit(leases, entityIn(closed, 0))] }))).rejects.toThrow(
      InterstateError,
    )
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
