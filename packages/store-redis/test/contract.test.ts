import { storeContract } from '@interstate/testing/stores'
import { afterAll, beforeAll, describe } from 'vitest'
import { describeWithRedis, type RedisCluster, type RedisServer, startCluster, startServer } from './servers.ts'
import { opening } from './stage.ts'

describeWithRedis('the contract of stores', () => {
  describe('one server', () => {
    let server: RedisServer
    beforeAll(async () => {
      server = await startServer({ appendonly: true })
    })
    afterAll(() => server?.stop())
    storeContract('redis', { scope: 'shard', open: opening(() => server) })
  })

  describe('a cluster, every write replicated', () => {
    let cluster: RedisCluster
    beforeAll(async () => {
      cluster = await startCluster()
    })
    afterAll(() => cluster?.stop())
    storeContract('redis', { scope: 'shard', open: opening(() => cluster) })
  })
})
