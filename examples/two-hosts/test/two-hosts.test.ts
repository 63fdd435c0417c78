// The example as its users run it, on a Redis of its own: what happens, and that the totals are right. Not how fast.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
// @boundaries-ignore What a machine may lack is said in one place for all packages.
import { describeWithRedis } from '../../../packages/store-redis/test/servers.ts'
import type { StoryEvent } from '../src/events.ts'

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function start(parts: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const main = join(import.meta.dirname, '../src/main.ts')
  const command = ['--conditions=@interstate/source', main, ...parts]
  return new Promise((resolve) => {
    execFile(process.execPath, command, { env: { ...process.env, ...settings } }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

const story = [
  'sharing',
  'counted',
  'killed',
  'missed',
  'taken-over',
  'counted',
  'back',
  'given-back',
  'counted',
  'summary',
]

describeWithRedis('two hosts on one Redis', () => {
  test('share, lose one, take over, give back, and count each visitor once', async () => {
    const { status, stdout, stderr } = await start(['--json', '--act', '1000', '--detect', '1500'])
    const events = stdout.split('\n').flatMap((line): StoryEvent[] => (line === '' ? [] : [JSON.parse(line)]))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(events.map(({ event }) => event)).toEqual(story)
    expect(events.find(({ event }) => event === 'taken-over')).toMatchObject({ by: 'A', shards: 32 })
    for (const event of events) {
      if (event.event !== 'counted' && event.event !== 'summary') continue
      const { admitted, totals, right } = event
      expect({ right, totals }).toEqual({ right: true, totals: { doors: admitted, halls: admitted } })
      expect(admitted).toBeGreaterThan(50)
    }
  }, 120_000)

  test('piped it tells the same in sentences, without colours', async () => {
    const { status, stdout } = await start(['--act', '200', '--detect', '1500'])
    expect(status).toBe(0)
    expect(stdout).toContain('B is killed with SIGKILL')
    expect(stdout).toContain('A runs all 32 shards')
    expect(stdout.trim()).toMatch(/All is right\.$/)
    expect(stdout).not.toContain('\u001b')
  }, 120_000)
})

describe('without a Redis', () => {
  test('it says how to get one', async () => {
    const { status, stderr } = await start([], { REDIS_SERVER: 'no-such-redis-server' })
    expect(status).toBe(2)
    expect(stderr).toContain('apt-get install redis-server')
  })

  test('a --store that nobody runs is told', async () => {
    const { status, stderr } = await start(['--store', 'redis://127.0.0.1:1'])
    expect(status).toBe(2)
    expect(stderr).toContain('redis://127.0.0.1:1')
  })

  test('--help teaches', async () => {
    const { status, stdout } = await start(['--help'])
    expect(status).toBe(0)
    expect(stdout).toContain('--store redis://localhost:6379')
  })
})
