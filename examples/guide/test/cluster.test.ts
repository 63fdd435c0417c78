import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createHost } from '@interstate/runtime'
import { redisStore } from '@interstate/store-redis'
import { expect, test } from 'vitest'
// @boundaries-ignore Servers for tests are started in one way for all packages.
import { describeWithRedis, startCluster, startServer } from '../../../packages/store-redis/test/servers.ts'
import { startHost } from '../src/how-to/pinned.ts'
import { startOnCluster } from '../src/how-to/redis-cluster.ts'
import { Stock, stock } from '../src/tutorial/stock.ts'
import { start } from './program.ts'

describeWithRedis('processes in front of hosts that share a Redis', () => {
  test('what one acknowledged is known to the other, and survives when it is killed', async () => {
    await using redis = await startServer({ appendonly: true, appendfsync: 'always' })
    const doors = [await serving(redis.port), await serving(redis.port)] as const
    const deliver = async (door: 0 | 1, number: number): Promise<number | 'gone'> => {
      const body = JSON.stringify({ id: `note-${number}`, madeAt: '2026-01-02T08:00:00Z', quantity: 1 })
      const answered = fetch(`http://localhost:${doors[door].port}`, { method: 'POST', body })
      return answered.then(
        ({ status }) => status,
        () => 'gone' as const,
      )
    }
    const first = await Promise.all(range(20).map((number) => deliver(number % 2 === 0 ? 0 : 1, number)))
    expect(first).toEqual(range(20).map(() => 201))
    doors[0].child.kill('SIGKILL')
    await once(doors[0].child, 'exit')
    const again = await Promise.all(range(30).map((number) => deliver(1, number)))
    expect(again).toEqual(range(30).map((number) => (number < 20 ? 200 : 201)))
    doors[1].child.kill('SIGTERM')
    await once(doors[1].child, 'exit')

    const client = redis.client()
    const host = await createHost({ entities: [stock], store: redisStore({ client, prefix: 'shop' }) })
    await expect.poll(async () => (await host.read(stock.at('healing')))?.context.left, { timeout: 20_000 }).toBe(30)
    await host.stop()
    client.disconnect()
  })

  test('a host on a cluster of servers is given one node, and finds the others', async () => {
    await using redis = await startCluster()
    const [port] = redis.ports
    const host = await startOnCluster({ host: '127.0.0.1', port: port as number })
    await host.send(Stock.at('healing'), { type: 'Deliver', quantity: 3 })
    await host.drain()
    expect((await host.read(stock.at('healing')))?.context.left).toBe(3)
    await host.stop()
  })

  test('a pinned shard is run by the host that pins it, and by another when that one is gone', async () => {
    await using redis = await startServer()
    const client = redis.client()
    const important = await startHost(client, 'important')
    const usual = await startHost(client, 'usual')
    await usual.send(Stock.at('phoenix'), { type: 'Deliver', quantity: 1 })
    await usual.send(Stock.at('nettle'), { type: 'Deliver', quantity: 1 })
    await expect.poll(() => important.counters().turns.handled).toBe(1)
    await expect.poll(() => usual.counters().turns.handled).toBe(1)
    await important.stop()
    await usual.send(Stock.at('phoenix'), { type: 'Deliver', quantity: 1 })
    await expect.poll(async () => (await usual.read(stock.at('phoenix')))?.context.left, { timeout: 20_000 }).toBe(2)
    await usual.stop()
    client.disconnect()
  })
})

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}

async function serving(redisPort: number) {
  const env = { REDIS_URL: `redis://127.0.0.1:${redisPort}`, PORT: '0' }
  const child = start('how-to/cluster-server.ts', { folder: '.', env })
  if (child.stdout === null) throw new Error('no output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { port } = JSON.parse(line.replace('listening ', '')) as { port: number }
  return { child, port }
}
