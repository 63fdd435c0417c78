import { setTimeout as sleep } from 'node:timers/promises'
import type { StoreDriver } from '@interstate/core'
import { expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { commit, entityIn, group, leasesOf, refusal } from './hand.ts'
import { describeWithRedis, type RedisServer, startServer } from './servers.ts'

async function withReplica(primary: RedisServer, replica: RedisServer): Promise<void> {
  await replica.run('REPLICAOF', '127.0.0.1', primary.port)
  await expect.poll(async () => (await primary.info('replication')).slave0 ?? '').toContain('state=online')
}

async function foundBy(store: StoreDriver): Promise<string> {
  return (await store.probe()).find(({ name }) => name === 'durability')?.finding ?? ''
}

describeWithRedis('durability', () => {
  test('the default is the strongest level that the servers hold', async () => {
    await using memory = await startServer()
    await using fsync = await startServer({ appendonly: true, appendfsync: 'always' })
    await using primary = await startServer()
    await using replica = await startServer()
    await withReplica(primary, replica)
    const findings = await Promise.all(
      [memory, fsync, primary].map((server) => foundBy(redisStore({ client: server.client(), shards: 2 }))),
    )
    const levels = ['memory', 'fsync', 'replicated'].map((level) => expect.stringContaining(`Durability is '${level}'`))
    expect(findings).toEqual(levels)
  })

  test('at "replicated" a write waits for its replica, and is uncertain without one', async () => {
    await using primary = await startServer()
    await using replica = await startServer()
    await withReplica(primary, replica)
    const store = redisStore({ client: primary.client(), shards: 2, settleMs: 2_500 })
    const leases = await leasesOf(store)
    const entity = entityIn(store, 0)
    const commits = [commit(leases, entity)]
    replica.freeze()
    const started = performance.now()
    setTimeout(() => replica.wake(), 700)
    expect((await store.write(group({ commits }))).results).toMatchObject([{ outcome: 'committed' }])
    expect(performance.now() - started).toBeGreaterThan(600)
    replica.freeze()
    const write = group({ commits: [commit(leases, entity, { expectedVersion: 1 })] })
    expect(await refusal(store.write(write))).toBe('STORE_UNCERTAIN')
    replica.wake()
    // The same again waits until a replica has what the first one wrote.
    expect((await store.write(write)).results).toMatchObject([{ outcome: 'already applied', version: 2 }])
    await store.close()
  })

  test('at "fsync" what was acknowledged is there after kill -9', async () => {
    await using server = await startServer({ appendonly: true, appendfsync: 'always' })
    const store = redisStore({ client: server.client(), shards: 2 })
    const leases = await leasesOf(store)
    const entity = entityIn(store, 0)
    for (let version = 0; version < 20; version += 1) {
      await store.write(group({ commits: [commit(leases, entity, { expectedVersion: version })] }))
    }
    await server.restart()
    expect((await store.load([{ entity, shard: 0 }]))[0]?.version).toBe(20)
  })

  test('at "memory" what a server without a file lost is found', async () => {
    await using server = await startServer()
    const store = redisStore({ client: server.client(), shards: 2 })
    const leases = await leasesOf(store)
    const entity = entityIn(store, 0)
    await store.write(group({ commits: [commit(leases, entity)] }))
    await server.restart()
    const { results } = await store.write(group({ commits: [commit(leases, entity)] }))
    expect(results).toMatchObject([{ outcome: 'lost' }])
  })

  test('what left its primary before a replica had it is not carried to another shard', async () => {
    await using primary = await startServer()
    await using replica = await startServer()
    await withReplica(primary, replica)
    const store = redisStore({ client: primary.client(), shards: 2, settleMs: 5_000 })
    const leases = await leasesOf(store)
    const [entity, other] = [entityIn(store, 0), entityIn(store, 1)]
    const outbox = [{ id: 'a' as never, to: other, shard: 1, body: '{}' }]
    replica.freeze()
    const writing = store.write(group({ commits: [commit(leases, entity, { outbox })] }))
    await sleep(100)
    let seen = false
    const departing = store.lanes?.departures([0], 10).then((found) => {
      seen = true
      return found
    })
    await sleep(300)
    expect(seen).toBe(false)
    replica.wake()
    expect((await departing)?.[0]?.messages.length).toBe(1)
    await writing
  })
})
