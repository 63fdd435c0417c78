import type { CommitResult, StoreDriver } from '@interstate/core'
import type { RedisOptions } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { commit, entityIn, failure, group, leasesOf, message, refusal } from './hand.ts'
import { describeWithRedis, type RedisProxy, type RedisServer, startProxy, startServer } from './servers.ts'
import { freshPrefix } from './stage.ts'

/** Each of them makes a client lose or double commands in a way of its own. */
const clients: Readonly<Record<string, Partial<RedisOptions>>> = {
  'that sends unanswered commands again': {},
  'that gives unanswered commands up': { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false },
  'that never settles unanswered commands': { autoResendUnfulfilledCommands: false },
  'that pipelines by itself': { enableAutoPipelining: true },
  'without an offline queue': { enableOfflineQueue: false, maxRetriesPerRequest: 0 },
}

const written = ['committed', 'already applied']

describeWithRedis('an outcome that nobody knows', () => {
  let server: RedisServer
  let proxy: RedisProxy
  beforeAll(async () => {
    server = await startServer({ appendonly: true })
    proxy = await startProxy(server.port)
  })
  afterAll(async () => {
    await proxy?.stop()
    await server?.stop()
  })

  const shards = 2

  function storeOver(options: Partial<RedisOptions>, more = {}): StoreDriver {
    const client = server.client({ ...options, port: proxy.port, retryStrategy: () => 10 } as never)
    return redisStore({ client, prefix: freshPrefix(), shards, attemptMs: 300, ...more })
  }

  for (const [name, options] of Object.entries(clients)) {
    test(`a client ${name}: a commit whose answer is cut off is written once, and known to be`, async () => {
      const store = storeOver(options)
      const leases = await leasesOf(store)
      const entity = entityIn(store, 0)
      for (let version = 0; version < 20; version += 1) {
        const outbox = [message(store, version, entity)]
        const write = group({ commits: [commit(leases, entity, { expectedVersion: version, outbox })] })
        const cut = proxy.cutAfter(1)
        const { results } = await store.write(write)
        await cut
        expect(written).toContain(results[0]?.outcome)
        expect(results[0]).toMatchObject({ version: version + 1 })
      }
      const waiting = await store.inbox([0], 0, 100)
      expect(waiting.map(({ position }) => position)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
      await store.close()
    })

    test(`a client ${name}: a group of 64 that is cut in the middle is written once`, async () => {
      const store = storeOver(options)
      const leases = await leasesOf(store)
      const entities = Array.from({ length: 64 }, (_, index) => `order/${index}` as never)
      for (let version = 0; version < 10; version += 1) {
        const commits = entities.map((entity) => commit(leases, entity, { expectedVersion: version }))
        const accepted = [message(store, version, entityIn(store, 1))]
        const cut = proxy.cutAfter(1 + version * 7)
        const { results } = await store.write(group({ accepted, commits }))
        await cut
        expect(results.filter(({ outcome }) => !written.includes(outcome))).toEqual([])
      }
      expect((await store.inbox([1], 0, 100)).length).toBe(10)
      await store.close()
    })
  }

  test('of two commits of one entity in one group that is cut the first is not called a conflict', async () => {
    const store = storeOver({})
    const leases = await leasesOf(store)
    const entity = entityIn(store, 0)
    const commits = [0, 1, 2].map((expectedVersion) => commit(leases, entity, { expectedVersion }))
    const cut = proxy.cutAfter(3)
    const { results } = await store.write(group({ commits }))
    await cut
    expect(results).toMatchObject([1, 2, 3].map((version) => ({ outcome: 'already applied', version })))
  })

  test('an acquisition whose answer is cut off is one epoch and no crash', async () => {
    const store = storeOver({})
    await store.probe()
    // The look before it and the taking.
    const cut = proxy.cutAfter(2 * shards)
    const { leases, crashes } = await store.acquire('a' as never, [0, 1])
    await cut
    expect([leases.map(({ epoch }) => epoch), crashes]).toEqual([[1, 1], 0])
  })

  test('a requeue whose answer is cut off gives the message', async () => {
    const store = storeOver({})
    const leases = await leasesOf(store)
    const entity = entityIn(store, 0)
    const letter = { ...message(store, 'dead', entity), reason: '{}' }
    await store.write(group({ commits: [commit(leases, entity, { deadLetters: [letter] })] }))
    const cut = proxy.cutAfter(shards + 1)
    expect(await store.requeue(letter.id)).toMatchObject({ id: letter.id, position: 1 })
    await cut
    expect((await store.inbox([0], 0, 10)).length).toBe(1)
  })

  test('where nobody answers any more a write is uncertain in the end, and a read has failed', async () => {
    const store = storeOver({}, { settleMs: 600, attemptMs: 150 })
    const leases = await leasesOf(store)
    proxy.blackHole()
    const write = group({ commits: [commit(leases, entityIn(store, 0))] })
    const codes = await Promise.all([refusal(store.write(write)), refusal(store.inbox([0], 0, 1))])
    proxy.heal()
    expect(codes).toEqual(['STORE_UNCERTAIN', 'STORE_FAILED'])
    // The same group again tells how it ended.
    const { results } = await store.write(write)
    expect(written).toContain((results[0] as CommitResult).outcome)
  })

  test('a server that is frozen for longer than an answer may take has every write once', async () => {
    const store = storeOver({})
    const leases = await leasesOf(store)
    const entity = entityIn(store, 0)
    for (let version = 0; version < 3; version += 1) {
      const outbox = [message(store, version, entity)]
      server.freeze()
      setTimeout(() => server.wake(), 700)
      const { results } = await store.write(
        group({ commits: [commit(leases, entity, { expectedVersion: version, outbox })] }),
      )
      expect(written).toContain(results[0]?.outcome)
    }
    expect((await store.inbox([0], 0, 10)).length).toBe(3)
  })

  test('an attempt that comes late by a connection that was given up lets nothing in a second time', async () => {
    const store = storeOver({})
    const leases = await leasesOf(store)
    const entity = entityIn(store, 0)
    await store.probe()
    const [first, second] = [message(store, 'first', entity), message(store, 'second', entity)]
    await store.write(group({ accepted: [first] }))
    // What the script was called with, taken down and said again after the next write.
    const spy = server.client()
    const seen: string[][] = []
    const monitor = await spy.monitor()
    monitor.on('monitor', (_: string, args: string[]) => seen.push(args))
    const slow = message(store, 'slow', entity)
    await store.write(group({ accepted: [slow] }))
    await store.write(group({ accepted: [second] }))
    await store.write(group({ commits: [commit(leases, entity, { consumed: [first.id, slow.id, second.id] })] }))
    await expect.poll(() => seen.filter(([name]) => /^eval/i.test(name ?? '')).length).toBeGreaterThan(2)
    monitor.disconnect()
    const late = seen.find((args) => args.includes(slow.id)) ?? []
    const [name = '', ...args] = late
    expect(await spy.call(name, args)).toMatchObject(['stale', expect.anything()])
    expect(await store.inbox([0], 0, 10)).toEqual([])
  })

  test('an error says what Redis said, and keeps it as its cause', async () => {
    const store = storeOver({}, { settleMs: 100, attemptMs: 50 })
    const leases = await leasesOf(store)
    proxy.refuse()
    const error = await failure(store.write(group({ commits: [commit(leases, entityIn(store, 0))] })))
    proxy.heal()
    expect(error.cause).toBeInstanceOf(Error)
  })
})
