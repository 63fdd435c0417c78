// Hosts on a Redis Cluster that loses primaries and moves its slots, under load, every write replicated.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allIsWell, isLong, print, Rig } from './rig.ts'
import { describeWithRedis, type RedisCluster, startCluster } from './servers.ts'

const timeout = isLong ? 3_600_000 : 120_000

describeWithRedis('hosts on a Redis Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
  }, 60_000)
  afterAll(() => cluster?.stop())

  const rig = (): Rig => {
    const redis = { ports: cluster.ports }
    // While hosts can't reach the primary that holds their records, none of them is to be declared dead for it.
    return new Rig({
      servers: cluster,
      redis,
      durability: 'replicated',
      detectMs: 3_000,
      timeoutMs: 4_000,
      patienceMs: 30_000,
      rate: 100,
    })
  }

  const expectAllIsWell = async (system: Rig, what: string): Promise<void> => {
    const outcome = await system.end(60_000)
    print(`${what}: ${system.figures()}`)
    expect(outcome, `INTERSTATE_REDIS_SEED=${system.chance.seed - 1}`).toEqual(allIsWell)
    expect(system.clients.acknowledged.size).toBeGreaterThan(system.clients.offered.size / 2)
    expect(system.troubles).toEqual([])
  }

  test('G2, G8: a primary is killed with SIGKILL: nothing that was acknowledged is lost', { timeout }, async () => {
    await using system = rig()
    await system.start(2)
    await system.spread()
    system.clients.start()
    for (let kill = 0; kill < (isLong ? 50 : 1); kill += 1) {
      await sleep(1_000)
      const primary = await cluster.primaryOf(Math.floor(system.chance.below(16_384)))
      const at = performance.now()
      await cluster.kill(primary)
      await cluster.waitUntilOk()
      print(`a primary is killed: the cluster is well again after ${Math.round(performance.now() - at)} ms`)
      // At this level nothing is acknowledged while a primary has no replica.
      await primary.restart()
      await cluster.waitUntilOk()
    }
    await sleep(500)
    await expectAllIsWell(system, 'a primary is killed')
  })

  test('G1, G2, G8, G16: a host and a primary with a lagging replica are killed at the same moment: its shards go on elsewhere, and nothing is lost or doubled', {
    timeout,
  }, async () => {
    await using system = rig()
    await system.start(2)
    await system.spread()
    system.clients.start()
    for (let kill = 0; kill < (isLong ? 50 : 2); kill += 1) {
      await sleep(500 + system.chance.below(500))
      const primary = await cluster.primaryOf(Math.floor(system.chance.below(16_384)))
      // What is written from here on no replica has: nobody was told of it, and it is no lost history when it is gone.
      const replica = await cluster.replicaOf(primary)
      cluster.freeze(replica)
      await primary.run('CLIENT', 'KILL', 'TYPE', 'replica')
      await sleep(200)
      system.any().signal('SIGKILL')
      await cluster.kill(primary)
      cluster.wake(replica)
      await cluster.waitUntilOk()
      await primary.restart()
      await cluster.waitUntilOk()
      await system.start(1)
      await system.spread()
    }
    await sleep(500)
    await expectAllIsWell(system, 'a host and a primary are killed')
  })

  test('G2, G8, G5: a primary is frozen, replaced and woken: what it believes is acknowledged to nobody', {
    timeout,
  }, async () => {
    await using system = rig()
    await system.start(2)
    await system.spread()
    system.clients.start()
    for (let freeze = 0; freeze < (isLong ? 50 : 1); freeze += 1) {
      await sleep(1_000)
      const primary = await cluster.primaryOf(Math.floor(system.chance.below(16_384)))
      cluster.freeze(primary)
      await cluster.waitUntilOk()
      cluster.wake(primary)
      await cluster.waitUntilOk()
    }
    await sleep(500)
    await expectAllIsWell(system, 'a primary is frozen')
  })

  test('G1, G2, G6: slots move to another primary: nothing is lost or doubled', { timeout }, async () => {
    await using system = rig()
    await system.start(2)
    await system.spread()
    system.clients.start()
    await sleep(500)
    const slots = await slotsOf(cluster, system.orders.prefix)
    for (let round = 0; round < (isLong ? 100 : 1); round += 1) {
      for (const slot of system.chance.shuffled(slots).slice(0, 8)) {
        const from = await cluster.primaryOf(slot)
        const others = []
        for (const each of slots) others.push(await cluster.primaryOf(each))
        const to = others.find((node) => node !== from)
        if (to !== undefined) await cluster.migrateSlots([slot], from, to, { halfway: () => sleep(50) })
      }
    }
    await sleep(500)
    await cluster.waitUntilOk()
    await expectAllIsWell(system, 'slots that move')
  })
})

/** The slots that hold shards. */
async function slotsOf(cluster: RedisCluster, prefix: string): Promise<readonly number[]> {
  const keys: string[] = []
  for (const node of cluster.nodes) {
    const found = (await node.run('KEYS', `*${prefix}*:shard`)) as string[]
    keys.push(...found)
  }
  const slots = await Promise.all([...new Set(keys)].map((key) => cluster.slotOf(key)))
  return [...new Set(slots)]
}
