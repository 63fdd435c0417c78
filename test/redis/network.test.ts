// A bad network between hosts and their Redis, under load. Whatever a client of Redis does with commands whose answer it
// has not seen: the outcome of each is settled, and nothing has its effect twice.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Chance } from '../crash/chance.ts'
import { allIsWell, isLong, print, Rig } from './rig.ts'
import { describeWithRedis, type RedisProxy, type RedisServer, startProxy, startServer } from './servers.ts'

/** What ioredis may be told to do with commands on a connection that broke: run them again, or never. */
const clients: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { maxRetriesPerRequest: 0 },
  { maxRetriesPerRequest: 1, autoResendUnfulfilledCommands: false },
]

describeWithRedis('hosts behind a bad network', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server?.stop())

  test('G1, G2, G6: connections are cut, held up and refused: unknown outcomes are settled, nothing is lost or doubled', {
    timeout: isLong ? 3_600_000 : 90_000,
  }, async () => {
    // One network for each host: what one can't write the others may.
    await using stack = new AsyncDisposableStack()
    const networks: RedisProxy[] = []
    for (const _ of clients) networks.push(stack.use(await startProxy(server.port)))
    await using system = new Rig({ servers: server, redis: { port: server.port }, detectMs: 1_500 })
    for (const [index, client] of clients.entries()) {
      await system.start(1, { redis: { port: networks[index]?.port ?? 0 }, client })
    }
    await system.spread()
    system.clients.start()
    const { chance } = system
    const weathers: readonly ((network: RedisProxy) => Promise<void> | void)[] = [
      (network) => network.cut(),
      (network) => cutSoon(network, chance),
      (network) => network.blackHole('answers'),
      (network) => network.refuse(),
      (network) => network.delay(20),
    ]
    for (let turn = 0; turn < (isLong ? 1_000 : 3); turn += 1) {
      for (const weather of chance.shuffled(weathers)) {
        const network = networks[Math.floor(chance.below(networks.length))] as RedisProxy
        await Promise.race([weather(network), sleep(500)])
        await sleep(100 + chance.below(150))
        network.heal()
      }
    }
    const outcome = await system.end()
    print(`a bad network: ${system.figures()}`)
    expect(outcome, `INTERSTATE_REDIS_SEED=${system.chance.seed - 1}`).toEqual(allIsWell)
    expect(system.clients.acknowledged.size).toBeGreaterThan(system.clients.offered.size / 2)
    expect(system.troubles).toEqual([])
  })
})

const doomed = new Set<RedisProxy>()

/** Cuts between the work of the server and its answer; one that is idle may take its time. */
async function cutSoon(network: RedisProxy, chance: Chance): Promise<void> {
  if (doomed.has(network)) return
  doomed.add(network)
  await network.cutAfter(1 + Math.floor(chance.below(6)))
  doomed.delete(network)
}
