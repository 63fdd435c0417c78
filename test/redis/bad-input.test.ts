// What a host is told where the Redis that it was given is not one that it can use: always a word, never a hang (G18).
// Not here: what the driver finds by itself (packages/store-redis/test/opening.test.ts).
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contract, type Definition, defineAggregate, InterstateError } from '@interstate/core'
import { createHost, type Host } from '@interstate/runtime'
import { type RedisStoreOptions, redisStore } from '@interstate/store-redis'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { number, object } from 'valibot'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { describeWithRedis, type RedisServer, startCluster, startServer } from './servers.ts'

const Left = contract('left', {
  commands: { Add: object({ by: number() }) },
  replies: { Sum: object({ sum: number() }) },
})
const left = defineAggregate(
  Left,
  setup({ types: Left.types<{ sum: number }>() }).createMachine({
    context: { sum: 0 },
    on: {
      Add: {
        actions: [
          assign({ sum: ({ context, event }) => context.sum + event.by }),
          Left.reply(({ context }) => ({ type: 'Sum', sum: context.sum })),
        ],
      },
    },
  }),
)

const Right = contract('right', { commands: { Count: object({}) } })
const right = defineAggregate(
  Right,
  setup({ types: Right.types<{ count: number }>() }).createMachine({
    context: { count: 0 },
    on: { Count: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
  }),
)

/** Longer than any host may take to say what is wrong. */
const patienceMs = 8_000

describeWithRedis('a host that is given a Redis which will not do', () => {
  let server: RedisServer
  const clients: (Cluster | Redis)[] = []
  const hosts: Host[] = []
  beforeAll(async () => {
    server = await startServer({ config: { requirepass: 'secret' } })
  })
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.stop()))
    for (const client of clients.splice(0)) client.disconnect()
  })
  afterAll(() => server?.stop())

  const clientOf = (options: Omit<RedisOptions, 'replyMapping'> = {}): Redis => {
    const client = new Redis({ port: server.port, host: '127.0.0.1', password: 'secret', ...options })
    client.on('error', () => undefined)
    clients.push(client)
    return client
  }

  const start = async (
    options: Partial<RedisStoreOptions> = {},
    entities: readonly Definition[] = [left],
  ): Promise<Host> => {
    const store = redisStore({ client: clientOf(), shards: 8, connectTimeoutMs: 500, ...options })
    const host = await createHost({ entities, store, cluster: { detectMs: 1_000, lookMs: 200 } })
    hosts.push(host)
    return host
  }

  /** The error with which a host does not start. */
  const errorOf = async (options: Partial<RedisStoreOptions>): Promise<unknown> => {
    const before = hosts.length
    const late = new Promise<string>((resolve) => setTimeout(resolve, patienceMs, 'a hang'))
    const said = await Promise.race([
      start(options).then(
        () => 'a start',
        (error) => error,
      ),
      late,
    ])
    expect(hosts).toHaveLength(before)
    return said
  }

  /** The code of it. */
  const refusalOf = async (options: Partial<RedisStoreOptions>): Promise<string> => codeOf(await errorOf(options))

  test('a wrong address: STORE_FAILED', async () => {
    expect(await refusalOf({ client: clientOf({ port: 1 }) })).toBe('STORE_FAILED')
    expect(await refusalOf({ client: clientOf({ host: 'nowhere.invalid' }) })).toBe('STORE_FAILED')
  })

  const clusterOf = (port: number): Cluster => {
    const client = new Cluster([{ host: '127.0.0.1', port }], { redisOptions: { password: 'secret' } })
    client.on('error', () => undefined)
    clients.push(client)
    return client
  }

  test.for<readonly [at: string, code: string, said: RegExp, use: (client: WrongClient) => Promise<Cluster | Redis>]>([
    ['a cluster client with nobody there', 'STORE_FAILED', /Failed to refresh slots cache/, async () => clusterOf(1)],
    [
      'a cluster client on a single server',
      'STORE_FAILED',
      /Failed to refresh slots cache/,
      async () => clusterOf(server.port),
    ],
    [
      'a Sentinel that is dead',
      'STORE_FAILED',
      /All sentinels are unreachable/,
      async ({ clientOf }) => clientOf({ sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'shop' }),
    ],
    [
      'a server that speaks HTTP',
      'STORE_FAILED',
      /"H"/,
      async ({ clientOf, defer }) => {
        const web = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1')
        await once(web, 'listening')
        defer(async () => void web.close())
        return clientOf({ port: (web.address() as AddressInfo).port })
      },
    ],
    [
      'TLS to a server that has none',
      'STORE_FAILED',
      /within 500 ms: not a word came back \(frozen\? TLS on one side only\?\)/,
      async ({ clientOf }) => clientOf({ tls: {} }),
    ],
    [
      'a single client on a node of a good cluster (MOVED)',
      'STORE_UNFIT',
      /one node of a Redis Cluster.* Give a Cluster/,
      async ({ clientOf, defer }) => {
        const cluster = await startCluster({ replicas: 0 })
        defer(() => cluster.stop())
        return clientOf({ port: cluster.nodes[0]?.port ?? 0 })
      },
    ],
    [
      'the address of a replica (READONLY)',
      'STORE_UNFIT',
      /this is a replica: give the primary or a Sentinel/,
      async ({ clientOf, defer }) => {
        const replica = await startServer()
        defer(() => replica.stop())
        await replica.run('CONFIG', 'SET', 'masterauth', 'secret')
        await replica.run('REPLICAOF', '127.0.0.1', server.port)
        await expect.poll(async () => (await replica.info('replication')).master_link_status).toBe('up')
        return clientOf({ port: replica.port })
      },
    ],
  ])('%s: %s, in words that say what is wrong', async ([, code, said, use]) => {
    const ends: (() => Promise<void>)[] = []
    try {
      const client = await use({ clientOf, defer: (end) => ends.push(end) })
      const error = await errorOf({ client })
      expect([codeOf(error), (error as Error).message]).toEqual([code, expect.stringMatching(said)])
    } finally {
      for (const end of ends) await end()
    }
  })

  test('a wrong password, or none: STORE_FAILED', async () => {
    expect(await refusalOf({ client: clientOf({ password: 'guessed' }) })).toBe('STORE_FAILED')
    const client = new Redis({ port: server.port, host: '127.0.0.1' })
    client.on('error', () => undefined)
    clients.push(client)
    expect(await refusalOf({ client })).toBe('STORE_FAILED')
  })

  test('a server that accepts connections and never answers: STORE_FAILED', async () => {
    const silent = await startServer()
    const client = clientOf({ port: silent.port })
    silent.freeze()
    expect(await refusalOf({ client })).toBe('STORE_FAILED')
    silent.wake()
    await silent.stop()
  })

  test('a client whose commands time out sooner than any server answers: STORE_FAILED', async () => {
    const slow = await startServer()
    slow.freeze()
    expect(await refusalOf({ client: clientOf({ port: slow.port, commandTimeout: 50 }) })).toBe('STORE_FAILED')
    slow.wake()
    await slow.stop()
  })

  test("keys that aren't ours, another number of shards, a newer format: each has its code", async () => {
    await server.run('SET', '{theirs:cluster}:identity', 'x')
    expect(await refusalOf({ prefix: 'theirs' })).toBe('STORE_FOREIGN')
    await start({ prefix: 'ours' })
    expect(await refusalOf({ prefix: 'ours', shards: 16 })).toBe('STORE_UNFIT')
    await server.run('HSET', '{ours:cluster}:identity', 'format', '99')
    expect(await refusalOf({ prefix: 'ours' })).toBe('STORE_NEWER')
    await server.run('HSET', '{ours:cluster}:identity', 'format', '1')
  })

  test('two systems under one prefix: each says that it does not know the entities of the other, and mixes up nothing', async () => {
    const one = await start({ prefix: 'shared' }, [left])
    expect(await one.ask(Left.at('a'), { type: 'Add', by: 1 })).toEqual({ type: 'Sum', sum: 1 })
    const other = await start({ prefix: 'shared' }, [right])
    await expect(one.ask(Right.at('a'), { type: 'Count' })).rejects.toMatchObject({ code: 'ENTITY_UNKNOWN' })
    await expect(other.ask(Left.at('a'), { type: 'Add', by: 1 })).rejects.toMatchObject({ code: 'ENTITY_UNKNOWN' })
    // A third that knows both is what makes them one system.
    await start({ prefix: 'shared' }, [left, right])
    expect(await one.ask(Left.at('a'), { type: 'Add', by: 1 })).toEqual({ type: 'Sum', sum: 2 })
    await other.ask(Right.at('a'), { type: 'Count' })
    expect(await other.read(right.at('a'))).toMatchObject({ context: { count: 1 } })
  })

  test.for([{ maxRetriesPerRequest: 0 }, { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false }])(
    'a client that gives commands up when its connection breaks (%o): the store repeats them, callers notice nothing',
    async (options) => {
      const host = await start({ prefix: `lossy-${Object.keys(options).length}`, client: clientOf(options) })
      for (let n = 1; n <= 10; n += 1) {
        const asked = host.ask(Left.at('a'), { type: 'Add', by: 1 })
        await server.run('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        expect(await asked).toEqual({ type: 'Sum', sum: n })
      }
    },
  )
})

/** What makes a client for a wrong address, and ends what was started for it. */
interface WrongClient {
  clientOf(options: Omit<RedisOptions, 'replyMapping'>): Redis
  defer(end: () => Promise<void>): void
}

function codeOf(error: unknown): string {
  return error instanceof InterstateError ? error.code : `no code: ${error}`
}
