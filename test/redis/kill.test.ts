// A process on Redis that is killed with SIGKILL at random, again and again, alone or together with its server.
// What a kill can't show is the loss of power: the kernel keeps what a dead server has written.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describeKills, type Ground } from '../crash/kills.ts'
import { isLong } from './rig.ts'
import { describeWithRedis, type RedisServer, startServer } from './servers.ts'

// Of a dozen kills chance may let most fall on the start or the recovery of a process.
const scaleOf = (kills: number, hands: number) =>
  isLong
    ? {
        ...{ stories: 1, kills: 50 * kills, hands: 50 * hands, timeout: 3_600_000 },
        least: { atWork: 1 / 2, atFullSpeed: 1 / 20 },
      }
    : { stories: 1, kills, hands, timeout: 300_000, least: { atWork: 1 / 4, atFullSpeed: 0 } }

/** A server that syncs what it writes before it answers; its files are among those of the story. */
async function serverIn(folder: string): Promise<RedisServer> {
  const dir = join(folder, 'redis')
  mkdirSync(dir)
  return await startServer({ appendonly: true, appendfsync: 'always', dir })
}

function groundOn(server: RedisServer): Ground {
  return { store: `redis://127.0.0.1:${server.port}`, stop: () => server.stop() }
}

describeWithRedis('on a Redis that syncs every write', () => {
  describeKills('a system', scaleOf(12, 1_500), async (folder) => groundOn(await serverIn(folder)))

  describeKills('a system with its server', scaleOf(10, 1_200), async (folder) => {
    const server = await serverIn(folder)
    return { ...groundOn(server), server }
  })
})
