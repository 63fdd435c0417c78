// A primary with two replicas and a Sentinel that replaces it: the client finds the next one, and nothing acknowledged is lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { contract, defineAggregate, idempotencyKey } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { redisStore } from '@interstate/store-redis'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
// @boundaries-ignore What a machine may lack is said in one place for all packages.
import { redisServerPath } from '../../../test/tools.ts'
import { freePort } from './servers/ports.ts'
import { describeWithRedis, type RedisServer, startServer } from './servers.ts'

const Sum = contract('sum', { commands: { Add: z.object({ by: z.number() }) } })
const sum = defineAggregate(
  Sum,
  setup({ types: Sum.types<{ total: number }>() }).createMachine({
    context: { total: 0 },
    on: { Add: { actions: assign({ total: ({ context, event }) => context.total + event.by }) } },
  }),
)

describeWithRedis('behind a Sentinel', () => {
  const servers: RedisServer[] = []
  let sentinel: ChildProcess | undefined

  afterEach(async () => {
    sentinel?.kill('SIGKILL')
    await Promise.all(servers.splice(0).map((server) => server.stop()))
  })

  test('G1, G2: a primary that is killed is replaced, and each acknowledged call has had its effect once', async () => {
    const [primary, ...replicas] = (await Promise.all([1, 2, 3].map(() => startServer({ appendonly: true })))) as [
      RedisServer,
      ...RedisServer[],
    ]
    servers.push(primary, ...replicas)
    for (const replica of replicas) await replica.run('REPLICAOF', '127.0.0.1', primary.port)
    await expect.poll(async () => (await primary.info('replication')).connected_slaves, { timeout: 10_000 }).toBe('2')
    const port = await freePort()
    sentinel = await startSentinel(primary, port)
    const watcher = new Redis({ host: '127.0.0.1', port })
    watcher.on('error', () => undefined)
    await expect
      .poll(async () => ((await watcher.call('SENTINEL', 'replicas', 'shop')) as unknown[]).length, { timeout: 20_000 })
      .toBe(2)

    const client = new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'shop' })
    client.on('error', () => undefined)
    const store = redisStore({ client, shards: 8, durability: 'replicated' })
    const host = await createHost({ entities: [sum], store, policies: { analyse: false } })
    const surely = async (n: number): Promise<void> => {
      const key = idempotencyKey(`call ${n}`, { at: 1 })
      for (const deadline = performance.now() + 40_000; ; await sleep(50)) {
        try {
          await host.send(Sum.at(`${n % 5}`), { type: 'Add', by: 1 }, { idempotencyKey: key })
          return
        } catch (error) {
          if (performance.now() > deadline) throw error
        }
      }
    }
    const calls = Array.from({ length: 200 }, async (_, n) => {
      await sleep(n * 10)
      await surely(n)
    })
    await sleep(700)
    await primary.kill('SIGKILL')
    await Promise.all(calls)
    const named = (await watcher.call('SENTINEL', 'get-master-addr-by-name', 'shop')) as readonly string[]
    expect(replicas.map((replica) => `${replica.port}`)).toContain(named[1])
    await host.drain()
    const totals = await Promise.all(
      [0, 1, 2, 3, 4].map(async (key) => (await host.read(sum.at(`${key}`)))?.context.total),
    )
    expect(totals).toEqual([40, 40, 40, 40, 40])
    await host.stop()
    client.disconnect()
    watcher.disconnect()
  }, 90_000)
})

async function startSentinel(primary: RedisServer, port: number): Promise<ChildProcess> {
  const configuration = join(primary.dir, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${primary.dir}`,
    `sentinel monitor shop 127.0.0.1 ${primary.port} 1`,
    'sentinel down-after-milliseconds shop 700',
    'sentinel failover-timeout shop 5000',
  ]
  writeFileSync(configuration, `${lines.join('\n')}\n`)
  const child = spawn(redisServerPath(), [configuration, '--sentinel'], { stdio: 'ignore' })
  await once(child, 'spawn')
  return child
}
