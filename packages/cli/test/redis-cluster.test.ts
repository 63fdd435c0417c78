import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { redisStore } from '@interstate/store-redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
// @boundaries-ignore How servers are started is said in one place for all packages.
import { describeWithRedis, type RedisCluster, startCluster } from '../../store-redis/test/servers.ts'
import { interstate } from './console.ts'

const main = new URL('../src/main.ts', import.meta.url).pathname

describeWithRedis('a Redis Cluster', () => {
  let cluster: RedisCluster
  let url: string

  beforeAll(async () => {
    cluster = await startCluster()
    url = `redis-cluster://${cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`
  }, 60_000)
  afterAll(() => cluster?.stop())

  test('is not made a store by being looked at', async () => {
    expect((await interstate(['hosts', '--store', url])).err).toMatch(/^STORE_MISSING: .*redis-cluster:\/\//)
  })

  test('is looked at through any of its nodes, and the process ends', async () => {
    const client = cluster.client()
    const store = redisStore({ client, shards: 16 })
    await store.probe()
    await store.close()
    client.disconnect()
    const one = `redis-cluster://127.0.0.1:${cluster.nodes[1]?.port}`
    expect((await interstate(['shards', '--store', one, '--json'])).json).toMatchObject({ shards: 16, isShared: true })
    const args = ['--conditions=@interstate/source', main, 'shards', '--store', url]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 })
    expect(stderr).toBe('')
    expect(stdout).toContain('nobody')
  })
})
