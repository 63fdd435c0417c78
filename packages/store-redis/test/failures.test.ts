import { type Commit, type EntityId, InterstateError, type StoreDriver } from '@interstate/core'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fateOf } from '../src/failure.ts'
import { redisStore } from '../src/index.ts'
import { commit, entityIn, group, leasesOf, message, refusal } from './hand.ts'
import { describeWithRedis, type RedisServer, startServer } from './servers.ts'
import { freshPrefix } from './stage.ts'

describeWithRedis('what a server refuses', () => {
  let server: RedisServer
  let client: Redis
  let store: StoreDriver
  let entity: EntityId
  let write: (parts?: Partial<Commit>) => ReturnType<StoreDriver['write']>
  beforeAll(async () => {
    server = await startServer({ appendonly: true })
    client = server.client()
    store = redisStore({ client, prefix: freshPrefix(), shards: 2, settleMs: 3_000, attemptMs: 1_000 })
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

  test('memory is full: STORE_FULL, nothing is written, reads go on, and it works again with room', async () => {
    await server.run('CONFIG', 'SET', 'maxmemory', 1)
    const outbox = [message(store, 'a', entity)]
    expect(await refusal(write({ outbox }))).toBe('STORE_FULL')
    expect(await refusal(store.write(group({ accepted: outbox })))).toBe('STORE_FULL')
    expect((await store.load([{ entity, shard: 0 }]))[0]?.version).toBe(1)
    expect(await store.inbox([0], 0, 10)).toEqual([])
    await store.purge(1)
    expect((await store.acquire('b' as never, [1])).leases[0]?.epoch).toBe(2)
    await server.run('CONFIG', 'SET', 'maxmemory', 0)
    expect((await write()).results).toMatchObject([{ outcome: 'committed', version: 2 }])
  })

  test('scripts were flushed: nobody notices', async () => {
    await server.run('SCRIPT', 'FLUSH')
    expect((await write()).results).toMatchObject([{ outcome: 'committed' }])
    await server.run('SCRIPT', 'FLUSH')
    expect((await store.due([0], 1, 1)).length).toBe(0)
  })

  test('writes are paused, or a script runs too long: the write waits', async () => {
    await server.run('CLIENT', 'PAUSE', 300, 'WRITE')
    expect((await write()).results).toMatchObject([{ outcome: 'committed' }])
    await server.run('CONFIG', 'SET', 'busy-reply-threshold', 10)
    const busy = client.duplicate()
    const spin = busy.eval(
      `local t = redis.call('TIME'); local e = t[1] * 1000 + t[2] / 1000 + 400
       repeat t = redis.call('TIME') until t[1] * 1000 + t[2] / 1000 > e`,
      0,
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await write()).results).toMatchObject([{ outcome: 'committed' }])
    await spin
    busy.disconnect()
  })

  test('it became a replica: the write waits until it is a primary again', async () => {
    await using other = await startServer()
    await server.run('REPLICAOF', '127.0.0.1', other.port)
    await server.run('REPLICAOF', 'NO', 'ONE')
    await server.run('CONFIG', 'SET', 'min-replicas-to-write', 1)
    setTimeout(() => void server.run('CONFIG', 'SET', 'min-replicas-to-write', 0), 300)
    expect((await write()).results).toMatchObject([{ outcome: 'committed' }])
    // It must not copy the empty one: a primary that does not answer leaves what is here.
    await server.run('REPLICAOF', '127.0.0.1', 1)
    setTimeout(() => void server.run('REPLICAOF', 'NO', 'ONE'), 300)
    expect((await write()).results).toMatchObject([{ outcome: 'committed' }])
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
    ['NOSCRIPT No matching script.', 'unread'],
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
