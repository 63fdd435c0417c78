// The example as its users run it, on a Redis of its own: what happens, and that the totals are right. Not how fast.
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
// @boundaries-ignore What a machine may lack is said in one place for all packages.
import { describeWithRedis } from '../../../packages/store-redis/test/servers.ts'
// @boundaries-ignore As above.
import { describeWith } from '../../../test/crash/needing.ts'
// @boundaries-ignore As above.
import type { Tool } from '../../../test/tools.ts'
import type { StoryEvent } from '../src/events.ts'

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const command = [process.execPath, '--conditions=@interstate/source', join(import.meta.dirname, '../src/main.ts')]

function start(parts: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return run([...command, ...parts], settings)
}

function run([program = '', ...parts]: readonly string[], settings: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, parts, { env: { ...process.env, ...settings } }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin?.end()
  })
}

/** Runs something as a person at a terminal does. */
const script: Tool = {
  name: 'script',
  neededBy: 'The test of the live table',
  isHere: () => spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0,
  missing: () =>
    'script of util-linux is not here (Debian, Ubuntu: apt-get install bsdutils; other systems than Linux have another)',
}

function startOnTerminal(parts: readonly string[]): Promise<Ended> {
  const quoted = [...command, ...parts].map((part) => `'${part}'`).join(' ')
  return run(['script', '-qec', `stty cols 120 rows 50; ${quoted}`, '/dev/null'], { TERM: 'xterm' })
}

/** What was drawn, one after the other, where it is another than before. */
function drawn(text: string, line: RegExp, said: (line: RegExpExecArray) => string): readonly string[] {
  const all = [...text.matchAll(line)].map(said)
  return all.filter((each, index) => each !== all[index - 1])
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

describeWithRedis('at a terminal', () => {
  describeWith(script, 'the table', () => {
    test('redraws in place, and shows who lives and who runs each shard', async () => {
      const { status, stdout } = await startOnTerminal(['--act', '600', '--detect', '1500'])
      expect(status).toBe(0)
      // It goes back up and writes over what it drew before.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is told with.
      expect(stdout).toMatch(/\u001b\[\d+A/)
      const text = stripVTControlCharacters(stdout)
      expect(text).toContain('  host   state      shards   messages/s   handled')
      const states = drawn(text, /^ *B +(starting|alive|killed|stopped) +(\d+)/gm, ([, state = '', shards]) => {
        return Number(shards) > 0 ? `${state} with shards` : state
      })
      expect(states.filter((state) => state !== 'alive')).toEqual([
        ...['starting', 'alive with shards', 'killed'],
        ...['starting', 'alive with shards'],
      ])
      // Each letter is a shard and who runs it.
      const owners = drawn(text, /^ *((?:[AB·] ){31}[AB·])\r?$/gm, ([, map = '']) => {
        return [...new Set(map.replaceAll(' ', ''))].sort().join('')
      })
      expect(owners.join(' ')).toMatch(/ AB (.* )?A· (.* )?A (.* )?AB$/)
      expect(text).toMatch(/✓ visitors: [1-9][\d,]* admitted/)
      expect(text).toContain('A runs all 32 shards')
      expect(text.trim()).toMatch(/All is right\.\s*$/)
    }, 120_000)
  })
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
