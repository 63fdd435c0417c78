// Hosts that share one Redis and are killed, frozen, blocked, replaced and outnumbered, under load. The system: test/crash.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HostProcess } from './host-process.ts'
import { allIsWell, isLong, print, Rig, type RigOptions, spreadOf, until } from './rig.ts'
import { describeWithRedis, type RedisServer, startServer } from './servers.ts'

const timeout = isLong ? 3_600_000 : 90_000

describeWithRedis('hosts on one Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server?.stop())

  const rig = (options: Partial<RigOptions> = {}): Rig => {
    return new Rig({ servers: server, redis: { port: server.port }, ...options })
  }

  /** At least half of what was offered was acknowledged, and all of it had its effect once and in order. */
  const expectAllIsWell = async (system: Rig, what: string): Promise<void> => {
    const outcome = await system.end()
    print(`${what}: ${system.figures()}`)
    expect(outcome, `INTERSTATE_REDIS_SEED=${system.chance.seed - 1}`).toEqual(allIsWell)
    const { acknowledged, offered } = system.clients
    expect(acknowledged.size).toBeGreaterThan(offered.size / 2)
    expect(system.troubles).toEqual([])
  }

  test('G1, G2, G6, G10, G16: a host is killed with SIGKILL, again and again: its shards go on elsewhere, and nothing is lost or doubled', {
    timeout,
  }, async () => {
    await using system = rig()
    await system.start(3)
    await system.spread()
    system.clients.start()
    const times: number[] = []
    for (let kill = 0; kill < (isLong ? 300 : 3); kill += 1) {
      await sleep(300 + system.chance.below(500))
      const victim = system.any()
      const { shards } = victim
      const at = Date.now()
      victim.signal('SIGKILL')
      const takeover = await system.takeover(shards, victim, at)
      times.push(Math.max(0, ...takeover))
      await system.start(1)
      await system.spread()
    }
    await expectAllIsWell(system, 'SIGKILL')
    print(`SIGKILL: takeover ${times.map(Math.round).join(', ')} ms, detection ${system.orders.detectMs} ms`)
  })

  test('G5, G1: a host is frozen for longer than it takes to replace it and woken: nothing that it still held is written', {
    timeout,
  }, async () => {
    await using system = rig({ detectMs: 700 })
    await system.start(3)
    await system.spread()
    system.clients.start()
    let replaced = 0
    for (const factor of isLong ? [1.2, 1.6, 2, 2.8, 4, 1.2, 4] : [1.2, 2.5, 4]) {
      await sleep(300 + system.chance.below(300))
      const victim = system.any()
      const at = Date.now()
      victim.signal('SIGSTOP')
      await sleep(factor * system.orders.detectMs)
      victim.signal('SIGCONT')
      if (await system.isReplaced(victim, at)) replaced += 1
    }
    // At 1.2 it is a matter of luck whether anybody has noticed.
    expect(replaced).toBeGreaterThan(0)
    await expectAllIsWell(system, 'SIGSTOP')
  })

  test('G5, G1: a host whose event loop is blocked for longer than it takes to replace it writes nothing for the shards it lost', {
    timeout,
  }, async () => {
    await using system = rig({ detectMs: 700 })
    await system.start(3)
    await system.spread()
    system.clients.start()
    let replaced = 0
    for (let turn = 0; turn < (isLong ? 50 : 2); turn += 1) {
      await sleep(200 + system.chance.below(300))
      const victim = system.any()
      const at = Date.now()
      victim.spin(2.5 * system.orders.detectMs)
      await sleep(2.5 * system.orders.detectMs)
      if (await system.isReplaced(victim, at)) replaced += 1
    }
    expect(replaced).toBeGreaterThan(0)
    await expectAllIsWell(system, 'a blocked event loop')
  })

  test('G1, G2: hosts are replaced one by one with SIGTERM: no client meets an error that a retry does not mend', {
    timeout,
  }, async () => {
    await using system = rig()
    await system.start(3)
    await system.spread()
    system.clients.start()
    const handovers: number[] = []
    for (let turn = 0; turn < (isLong ? 100 : 3); turn += 1) {
      await sleep(400)
      const [victim] = system.well as [HostProcess]
      const { shards } = victim
      const at = Date.now()
      victim.signal('SIGTERM')
      handovers.push(...(await system.takeover(shards, victim, at)))
      expect(await victim.ended).toBe('SIGTERM')
      await system.start(1)
      await system.spread()
    }
    await expectAllIsWell(system, 'SIGTERM')
    print(`SIGTERM: from the signal until a shard runs elsewhere ${spreadOf(handovers)}`)
    expect([...system.clients.refused.values()]).toEqual([])
    // Nobody waited for a silent host to be declared dead.
    expect(system.hosts.slice(0, 3).map(({ stderr }) => stderr)).toEqual(['', '', ''])
  })

  test('G1, G2, G6: hosts join and leave, 1 to 4 to 1: each shard is run by one of them, and nothing is lost or doubled', {
    timeout,
  }, async () => {
    await using system = rig()
    await system.start(1)
    system.clients.start()
    for (let round = 0; round < (isLong ? 30 : 1); round += 1) {
      for (let count = 2; count <= 4; count += 1) {
        const [joined] = (await system.start(1)) as [HostProcess]
        await until(`${joined.name} has its part`, 10_000, async () => joined.shards.size > 0 || undefined)
        await sleep(200)
      }
      await system.spread()
      while (system.well.length > 1) {
        const leaver = system.any()
        leaver.signal('SIGTERM')
        await leaver.ended
        await system.spread()
      }
    }
    await expectAllIsWell(system, '1 to 4 to 1 hosts')
    expect([...system.clients.refused.values()]).toEqual([])
  })

  test('G1, G2, G9: clocks that differ by an hour: what moves to a host that is behind fires later, and all of it once', {
    timeout,
  }, async () => {
    await using system = rig()
    await system.start(1)
    await system.start(1, { skewMs: 3_600_000 })
    await system.start(1, { skewMs: -3_600_000 })
    await system.spread()
    system.clients.start()
    const [right, ahead, behind] = system.hosts as [HostProcess, HostProcess, HostProcess]
    for (const victim of [behind, ahead]) {
      await sleep(700)
      const { shards } = victim
      const at = Date.now()
      victim.signal('SIGKILL')
      await system.takeover(shards, victim, at)
    }
    await sleep(500)
    await system.clients.stop()
    // What the host ahead set is an hour away on the right clock. On one that is ahead it is due.
    await system.start(1, { skewMs: 3_600_000 })
    right.signal('SIGTERM')
    await expectAllIsWell(system, 'clocks that differ by an hour')
  })
})
