// A Redis that has lost what it acknowledged: it is noticed before anything is built on it, what it held stands still, and
// everything else goes on (G15).
import { setTimeout as sleep } from 'node:timers/promises'
import type { ShardId } from '@interstate/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
// @boundaries-ignore Which key is whose is not said by any public name.
import { Names } from '../../packages/store-redis/src/names.ts'
import { readLedger } from '../crash/carrier.ts'
import { allIsWell, isLong, print, Rig, until } from './rig.ts'
import { describeWithRedis, type RedisCluster, type RedisServer, startCluster, startServer } from './servers.ts'

const timeout = isLong ? 600_000 : 120_000

describeWithRedis('a server that forgets everything', () => {
  const disasters: Readonly<Record<string, (server: RedisServer) => Promise<unknown>>> = {
    FLUSHALL: (server) => server.run('FLUSHALL'),
    'a restart without its data': (server) => server.restart({ empty: true }),
  }

  test.for(Object.entries(disasters))(
    'G15: %s: no entity is born a second time, every call is refused, no new host starts',
    { timeout },
    async ([what, happens]) => {
      await using server = await startServer()
      await using system = new Rig({ servers: server, redis: { port: server.port }, rate: 300, patienceMs: 10_000 })
      await system.start(2)
      await system.spread()
      system.clients.start()
      await until('work is under way', 20_000, async () => system.clients.acknowledged.size > 400 || undefined)
      const at = performance.now()
      const offered = new Set(system.clients.offered)
      await happens(server)
      await until('all shards stand still', 20_000, async () => {
        const halts = new Set(system.hosts.flatMap(({ events }) => events).flatMap(lostShards))
        return halts.size === system.orders.shards || undefined
      })
      print(
        `${what}: the last shard is found, with the first call for it, after ${Math.round(performance.now() - at)} ms`,
      )
      await system.clients.stop()
      print(`${what}: ${system.figures()}`)
      expectHalf(system, (n) => offered.has(n))
      const [before] = system.clients.acknowledged.keys()
      expect(await system.clients.hand(before ?? 0)).toEqual({ code: 'STORE_LOST_HISTORY', retryable: false })
      expect(new Set(system.clients.refused.values())).toEqual(new Set(['STORE_LOST_HISTORY']))
      expect(await keysOfShards(server, system)).toEqual([])
      await expect(system.start(1)).rejects.toThrow(/STORE_(LOST_HISTORY|FOREIGN)/)
      // A second key would be that of an errand which was born a second time.
      const bookings = [...readLedger(system.orders.ledger)]
      expect(bookings.length).toBeGreaterThan(0)
      expect(bookings.filter(([, keys]) => keys.size > 1)).toEqual([])
    },
  )
})

describeWithRedis('a cluster of which a part forgets', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
  }, 60_000)
  afterAll(() => cluster?.stop())

  const rig = (): Rig => {
    const redis = { ports: cluster.ports }
    return new Rig({
      servers: cluster,
      redis,
      detectMs: 4_000,
      lookMs: 100,
      timeoutMs: 3_000,
      patienceMs: 15_000,
      rate: 150,
    })
  }

  /** A primary that doesn't hold what hosts know of each other. */
  const anyOther = async ({ orders: { prefix, shards } }: Rig): Promise<RedisServer> => {
    const home = await cluster.primaryOf(new Names(prefix, shards).cluster.slot)
    for (let slot = 0; ; slot += 1_000) {
      const primary = await cluster.primaryOf(slot)
      if (primary !== home) return primary
    }
  }

  const haltedOf = async ({ store }: Rig): Promise<ReadonlySet<ShardId>> => {
    const view = await store.cluster?.view()
    return new Set(view?.halts.map(({ shard }) => shard))
  }

  const disasters: Readonly<Record<string, (primary: RedisServer, replica: RedisServer) => Promise<unknown>>> = {
    FLUSHALL: (primary) => primary.run('FLUSHALL'),
    'a restart without its data': async (primary, replica) => {
      // It follows an empty primary, and doesn't take its place while that is away.
      await replica.run('CONFIG', 'SET', 'cluster-replica-no-failover', 'yes')
      await primary.restart({ empty: true })
      await cluster.waitUntilOk()
      await replica.run('CONFIG', 'SET', 'cluster-replica-no-failover', 'no')
    },
  }

  test.for(Object.entries(disasters))(
    'G15: one primary, %s: its shards stand still and nothing is written there, all others go on',
    {
      timeout,
    },
    async ([what, happens]) => {
      await using system = rig()
      await system.start(2)
      await system.spread()
      system.clients.start()
      await sleep(1_000)
      const primary = await anyOther(system)
      const replica = await cluster.replicaOf(primary)
      const lost = await shardsOn(cluster, primary, system)
      await happens(primary, replica)
      await until('what is lost stands still', 20_000, async () => {
        const halted = await haltedOf(system)
        return [...lost].every((shard) => halted.has(shard)) || undefined
      })
      await system.clients.stop()
      const before = new Set(system.clients.offered)
      system.clients.start()
      await sleep(1_000)
      const halted = await haltedOf(system)
      const outcome = await system.end(20_000, halted)
      print(`one of three primaries, ${what}: ${lost.size} shards lost; ${system.figures()}`)
      expect(outcome).toEqual(allIsWell)
      expect(halted).toEqual(lost)
      const isHeld = (n: number): boolean => !lost.has(system.shardOfHand(n))
      expectHalf(system, isHeld)
      expectHalf(system, (n) => isHeld(n) && !before.has(n))
      for (const node of [primary, replica]) expect(await keysOfShards(node, system)).toEqual([])
      for (const [n, code] of system.clients.refused) {
        expect({ n, code, isLost: lost.has(system.shardOfHand(n)) }).toEqual({
          n,
          code: 'STORE_LOST_HISTORY',
          isLost: true,
        })
      }
    },
  )

  test('G15: a replica that has missed acknowledged writes becomes primary: what lost them stands still, before it diverges', {
    timeout,
  }, async () => {
    await using system = rig()
    await system.start(2)
    await system.spread()
    system.clients.start()
    await sleep(1_000)
    const primary = await anyOther(system)
    const replica = await cluster.replicaOf(primary)
    const endangered = await shardsOn(cluster, primary, system)
    // It stands still and can't connect again; what the primary acknowledges from now on it never hears of.
    cluster.freeze(replica)
    await primary.run('CLIENT', 'KILL', 'TYPE', 'replica')
    await sleep(700)
    await cluster.kill(primary)
    cluster.wake(replica)
    await cluster.failover(replica, 'TAKEOVER')
    await until('a loss is found', 20_000, async () => (await haltedOf(system)).size > 0 || undefined)
    await sleep(1_000)
    // What is not lost there is written as soon as there is a replica again.
    await primary.restart()
    await cluster.waitUntilOk()
    const outcome = await system.end(20_000, await haltedOf(system))
    const halted = await haltedOf(system)
    print(`a failover to a replica that lagged: ${halted.size} of ${endangered.size} shards; ${system.figures()}`)
    expect(outcome).toEqual(allIsWell)
    expect(system.clients.acknowledged.size).toBeGreaterThan(system.clients.offered.size / 2)
  })
})

function lostShards({ word, shard }: { readonly word: string; readonly shard: ShardId }): readonly ShardId[] {
  return word === 'lost' ? [shard] : []
}

/** More than half of what was offered of these hands was acknowledged. */
function expectHalf({ clients: { offered, acknowledged } }: Rig, isMeant: (n: number) => boolean): void {
  const meant = [...offered].filter(isMeant)
  expect(meant.filter((n) => acknowledged.has(n)).length).toBeGreaterThan(meant.length / 2)
}

/** What stands on a server of shards: records, entities, messages. */
async function keysOfShards(server: RedisServer, { orders: { prefix, shards } }: Rig): Promise<readonly string[]> {
  const tags = new Set(new Names(prefix, shards).shards.map(({ record }) => record.slice(0, record.indexOf('}'))))
  const keys = (await server.run('KEYS', `*${prefix}*`)) as readonly string[]
  return keys.filter((key) => tags.has(key.slice(0, key.indexOf('}'))))
}

async function shardsOn(cluster: RedisCluster, primary: RedisServer, { orders }: Rig): Promise<ReadonlySet<ShardId>> {
  const shards = new Set<ShardId>()
  for (const { shard, slot } of new Names(orders.prefix, orders.shards).shards) {
    if ((await cluster.primaryOf(slot)) === primary) shards.add(shard)
  }
  return shards
}
