// servers.test.ts: servers, clusters and bad networks do what the tests that stand on them believe.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  describeWithRedis,
  type RedisCluster,
  type RedisServer,
  startCluster,
  startProxy,
  startServer,
} from './servers.ts'

const brief = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, commandTimeout: 2_000 } as const
const patiently = { timeout: 15_000 } as const

/** Whether a process runs. One that ended and that nobody asked how does not. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

function ready(client: Redis): Promise<void> {
  return expect.poll(() => client.status, patiently).toBe('ready')
}

describeWithRedis('a server', () => {
  test('is empty, writes nothing to disk, and is gone with its folder when stopped', async () => {
    const server = await startServer()
    const client = server.client()
    expect(await client.dbsize()).toBe(0)
    expect(await client.config('GET', 'save')).toEqual(['save', ''])
    await server.stop()
    expect(existsSync(server.dir)).toBe(false)
    expect(isAlive(server.process.pid ?? 0)).toBe(false)
    await expect.poll(() => client.status, patiently).toBe('end')
  })

  test('has its data after kill -9 and a restart where it is appendonly, and clients find it again', async () => {
    await using server = await startServer({ appendonly: true })
    const client = server.client()
    await client.set('kept', 'yes')
    await server.kill()
    expect(server.isRunning).toBe(false)
    await server.restart()
    expect(await client.get('kept')).toBe('yes')
  })

  test('has nothing after a restart as an empty one, or without a file', async () => {
    await using lasting = await startServer({ appendonly: true })
    await using passing = await startServer()
    for (const server of [lasting, passing]) await server.client().set('lost', 'yes')
    await lasting.restart({ empty: true })
    await passing.restart()
    for (const server of [lasting, passing]) expect(await server.client().get('lost')).toBeNull()
  })

  test('answers nothing while it is frozen, goes on when it wakes, and can be killed in between', async () => {
    await using server = await startServer()
    const client = server.client({ commandTimeout: 200 })
    await client.ping()
    server.freeze()
    await expect(client.ping()).rejects.toThrow('timed out')
    server.wake()
    expect(await client.ping()).toBe('PONG')
    server.freeze()
    await server.kill('SIGTERM')
    expect(server.isRunning).toBe(false)
  })

  test("takes its caller's configuration and folder, and leaves the folder", async () => {
    const dir = mkdtempSync(join(tmpdir(), 'interstate-'))
    const config = {
      maxmemory: '64mb',
      'maxmemory-policy': 'allkeys-lru',
      requirepass: 'sesame',
    }
    const server = await startServer({ dir, config, appendonly: true, appendfsync: 'always' })
    const client = server.client()
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'allkeys-lru'])
    expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always'])
    await expect(server.client({ ...brief, password: 'wrong' }).ping()).rejects.toThrow()
    await server.stop()
    expect(existsSync(join(dir, 'redis.conf'))).toBe(true)
    rmSync(dir, { recursive: true })
  })

  test('that cannot start says what Redis says', async () => {
    await expect(startServer({ config: { 'no-such-option': 'yes' } })).rejects.toThrow(/did not start.*no-such-option/s)
  })

  test('starts beside many others that start at the same time', async () => {
    const servers = await Promise.all(Array.from({ length: 20 }, () => startServer()))
    const ports = new Set(servers.map(({ port }) => port))
    await Promise.all(servers.map((server) => server.stop()))
    expect(ports.size).toBe(20)
  })

  test.skipIf(process.platform !== 'linux')('dies with the process that started it, even by kill -9', async () => {
    const servers = join(import.meta.dirname, 'servers', 'server.ts')
    const program = `const { startServer } = await import(${JSON.stringify(servers)})
      const server = await startServer()
      console.log(server.process.pid + ' ' + server.dir)
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(parent.stdout, 'data')
    const [pid, dir = ''] = String(line).trim().split(' ')
    expect(isAlive(Number(pid))).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(Number(pid)), patiently).toBe(false)
    rmSync(dir, { recursive: true })
  })
})

describeWithRedis('a bad network', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  test('that is good passes everything, small and large, in pipelines and in both protocols', async () => {
    await using proxy = await startProxy(server.port)
    const large = 'é'.repeat(300_000)
    for (const protocol of [2, 3] as const) {
      const client = server.client({ port: proxy.port, protocol })
      const pipeline = client.pipeline()
      for (let index = 0; index < 500; index += 1) pipeline.hset('hash', `f${index}`, index).hgetall('hash').get('none')
      const answers = await pipeline.exec()
      expect(answers).toHaveLength(1_500)
      expect(answers?.every(([error]) => error === null)).toBe(true)
      await client.set('large', large)
      expect(await client.get('large')).toBe(large)
      expect(await client.eval('return {1, {2, false, "x"}, {}}', 0)).toEqual([1, [2, null, 'x'], []])
      client.disconnect()
    }
  })

  test('carries what a subscriber hears', async () => {
    await using proxy = await startProxy(server.port)
    const client = server.client({ port: proxy.port })
    await client.subscribe('bell')
    const heard = once(client, 'message')
    await server.run('PUBLISH', 'bell', 'ding')
    expect(await heard).toEqual(['bell', 'ding'])
  })

  test('cuts after n requests: these were handled and not answered, the next ones were not handled', async () => {
    await using proxy = await startProxy(server.port)
    const client = server.client({ ...brief, port: proxy.port, retryStrategy: null })
    await client.del('counter')
    const cut = proxy.cutAfter(3)
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => client.incr('counter')))
    await cut
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true)
    expect(await server.run('GET', 'counter')).toBe('3')
  })

  test('cuts before the next request', async () => {
    await using proxy = await startProxy(server.port)
    const client = server.client({ ...brief, port: proxy.port, retryStrategy: null })
    await client.set('counter', 0)
    const cut = proxy.cutAfter(0)
    await expect(client.incr('counter')).rejects.toThrow()
    await cut
    expect(await server.run('GET', 'counter')).toBe('0')
  })

  test('answers what was asked before the cut was ordered', async () => {
    await using proxy = await startProxy(server.port)
    const client = server.client({ ...brief, port: proxy.port, retryStrategy: null })
    await client.set('counter', 0)
    proxy.blackHole('answers')
    const before = client.incr('counter')
    await expect.poll(() => server.run('GET', 'counter'), patiently).toBe('1')
    const cut = proxy.cutAfter(1)
    proxy.heal()
    expect(await before).toBe(1)
    await expect(client.incr('counter')).rejects.toThrow()
    await cut
    expect(await server.run('GET', 'counter')).toBe('2')
  })

  test('cuts all connections, and lets nobody in until it heals', async () => {
    await using proxy = await startProxy(server.port)
    const clients = [1, 2].map(() => server.client({ ...brief, port: proxy.port, retryStrategy: () => 20 }))
    await Promise.all(clients.map((client) => client.ping()))
    let closed = 0
    for (const client of clients) client.on('close', () => (closed += 1))
    proxy.cut()
    await expect.poll(() => closed, patiently).toBe(2)
    await Promise.all(clients.map(ready))
    proxy.refuse()
    expect(proxy.connections).toBe(0)
    await sleep(100)
    expect(clients.some(({ status }) => status === 'ready')).toBe(false)
    proxy.heal()
    await Promise.all(clients.map(ready))
    expect(proxy.connections).toBe(2)
  })

  test('holds back what a black hole got, and gives it back in order when it heals', async () => {
    await using proxy = await startProxy(server.port)
    const client = server.client({ port: proxy.port })
    await client.del('list')
    proxy.blackHole()
    const pushes = [1, 2, 3].map((index) => client.rpush('list', index))
    await sleep(50)
    expect(await server.run('LLEN', 'list')).toBe(0)
    proxy.blackHole('answers')
    proxy.heal()
    expect(await Promise.all(pushes)).toEqual([1, 2, 3])
    expect(await server.run('LRANGE', 'list', 0, -1)).toEqual(['1', '2', '3'])
  })

  test('is late in each direction', async () => {
    await using proxy = await startProxy(server.port)
    const client = server.client({ port: proxy.port })
    await client.ping()
    proxy.delay(200)
    const start = performance.now()
    await Promise.all([client.ping(), client.ping()])
    const took = performance.now() - start
    expect(took).toBeGreaterThan(398)
    // Two requests at once wait at the same time.
    expect(took).toBeLessThan(780)
  })
})

describeWithRedis('a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster({ appendonly: true })
  })
  afterAll(() => cluster.stop())

  /** A key in a slot that this node has. */
  async function keyOf(node: RedisServer): Promise<string> {
    for (let index = 0; ; index += 1) {
      const key = `{${index}}`
      if ((await cluster.primaryOf(await cluster.slotOf(key))) === node) return key
    }
  }

  test('spreads its slots over the masters, each with its replica', async () => {
    expect(cluster.nodes).toHaveLength(6)
    const primaries = [await cluster.primaryOf(0), await cluster.primaryOf(8_000), await cluster.primaryOf(16_383)]
    expect(new Set(primaries).size).toBe(3)
    const replicas = await Promise.all(primaries.map((primary) => cluster.replicaOf(primary)))
    expect(new Set([...primaries, ...replicas]).size).toBe(6)
    const client = cluster.client()
    await Promise.all(Array.from({ length: 100 }, (_, index) => client.set(`key ${index}`, index)))
    expect(await client.get('key 42')).toBe('42')
  })

  test('moves slots with their keys while a client writes, and no write is refused or lost', async () => {
    const client = cluster.client()
    const from = await cluster.primaryOf(0)
    const to = await cluster.primaryOf(16_383)
    const key = await keyOf(from)
    const slot = await cluster.slotOf(key)
    await Promise.all(Array.from({ length: 250 }, (_, index) => client.set(`${key}${index}`, index)))
    let seen: readonly unknown[] = []
    const moved = await cluster.migrateSlots([slot], from, to, {
      halfway: async () => {
        seen = [await from.run('CLUSTER', 'COUNTKEYSINSLOT', slot), await to.run('CLUSTER', 'COUNTKEYSINSLOT', slot)]
        await Promise.all(Array.from({ length: 250 }, (_, index) => client.incr(`${key}${index}`)))
      },
    })
    expect(moved).toEqual([slot])
    expect(seen).toEqual([125, 125])
    expect(await cluster.primaryOf(slot)).toBe(to)
    expect(await client.get(`${key}249`)).toBe('250')
    expect(await cluster.migrateSlots(3, from, to)).toEqual([0, 1, 2])
    await cluster.waitUntilOk()
    expect(await cluster.primaryOf(2)).toBe(to)
  })

  test('hands a shard to its replica by command', async () => {
    const primary = await cluster.primaryOf(8_000)
    const replica = await cluster.replicaOf(primary)
    await cluster.failover(replica)
    expect(await cluster.primaryOf(8_000)).toBe(replica)
    expect(await cluster.replicaOf(replica)).toBe(primary)
  })

  test('takes over from a killed primary, which comes back empty as a replica with its data', async () => {
    const client = cluster.client()
    const primary = await cluster.primaryOf(16_383)
    const replica = await cluster.replicaOf(primary)
    const key = await keyOf(primary)
    const direct = primary.client()
    await direct.set(key, 'kept')
    expect(await direct.wait(1, 5_000)).toBe(1)
    await cluster.kill(primary)
    await cluster.waitUntilOk()
    expect(await cluster.primaryOf(16_383)).toBe(replica)
    await primary.restart({ empty: true })
    await cluster.waitUntilOk()
    expect(await cluster.replicaOf(replica)).toBe(primary)
    expect(await client.get(key)).toBe('kept')
  })

  test('takes over from a frozen primary, which follows when it wakes', async () => {
    const primary = await cluster.primaryOf(8_000)
    const replica = await cluster.replicaOf(primary)
    cluster.freeze(primary)
    await expect.poll(() => cluster.primaryOf(8_000).catch(() => undefined), patiently).toBe(replica)
    cluster.wake(primary)
    await cluster.waitUntilOk()
    expect(await cluster.replicaOf(replica)).toBe(primary)
  })

  test('is reached through a bad network of each node', async () => {
    const proxies = await Promise.all(cluster.ports.map(async (port) => [port, await startProxy(port)] as const))
    const natMap = Object.fromEntries(
      proxies.map(([port, proxy]) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: proxy.port }]),
    )
    const client = cluster.client({ natMap })
    await client.set('through', 'a proxy')
    expect(await client.get('through')).toBe('a proxy')
    expect(proxies.some(([, proxy]) => proxy.connections > 0)).toBe(true)
    client.disconnect()
    await Promise.all(proxies.map(([, proxy]) => proxy.stop()))
  })
})

describe('where there is no Redis', () => {
  test.each([
    ['elsewhere tests are skipped with a loud line', '', 0, /redis-server is not here.*SKIPPED/s],
    ['in CI they fail', 'true', 1, /redis-server is not here.*must run/s],
  ])('%s', async (_, CI, code, said) => {
    const env = { ...process.env, CI, REDIS_SERVER: '/nonexistent/redis-server' }
    const vitest = join(import.meta.dirname, '../../../node_modules/vitest/vitest.mjs')
    const child = spawn(process.execPath, [vitest, 'run', import.meta.filename, '-t', 'a bad network'], { env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += String(chunk)
      })
    }
    expect(await once(child, 'close')).toEqual([code, null])
    expect(output).toMatch(said)
  })
})
