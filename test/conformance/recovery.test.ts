// G11: a message that kills the process is found and put away; it stops no other entity, and in the end not the host.
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contract, defineAggregate, entityId, type Group, InterstateError } from '@interstate/core'
import type { StoreCall } from '@interstate/testing/stores'
import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'
import { Clerk, cast, Till } from './cast.ts'
import { Stage, type StageOptions } from './stage.ts'
import { storesUnderTest } from './stores.ts'

describe.each(storesUnderTest)('on $name, after a host has ended without a word', (under) => {
  /** Numbers that kill the process, and numbers at which a machine throws. */
  const deadly = new Set<number>()
  const failing = new Set<number>()
  let present: Stage | undefined
  const { till, clerk, audit, entities } = cast((n) => {
    if (deadly.has(n)) present?.store.kill()
    if (failing.has(n)) throw new Error(`jams at ${n}`)
  })
  const open = async (options: Partial<StageOptions> = {}): Promise<Stage> => {
    deadly.clear()
    failing.clear()
    present = await Stage.open(under, { entities, ...options })
    return present
  }
  const ring = ({ host }: Stage, n: number, key: string) => host.send(Till.at(key), { type: 'Ring', n })
  const rung = async ({ host }: Stage, key: string) => (await host.read(till.at(key)))?.context.rung
  /** These were accepted and not handled when the host ended. */
  const leaveBehind = (stage: Stage, messages: readonly (readonly [key: string, n: number])[]): Promise<void> =>
    stage.leaveBehind(...messages.map(([key, n]) => ({ to: entityId('till', key), type: 'Ring', data: { n } })))
  /** Lives through crashes until a host stays alive. Gives the number of hosts that died. */
  const outlive = async (stage: Stage, most = 20): Promise<number> => {
    for (let deaths = 0; deaths < most; deaths += 1) {
      await stage.settle()
      for (let quiet = 0; !stage.store.killed && quiet < 30; quiet += 1) await stage.env.advance(10_000)
      if (!stage.store.killed) return deaths
      await stage.crash()
    }
    throw new Error('Host after host dies.')
  }

  test('the next one is told how many did so in a row', async () => {
    await using stage = await open()
    await ring(stage, 1, 'a')
    await stage.crash()
    await stage.crash()
    await stage.restart()
    await stage.crash()
    expect(stage.told('started').map(({ crashes }) => crashes)).toEqual([0, 1, 2, 0, 1])
  })

  test('nothing is lost and nothing is handled twice', async () => {
    await using stage = await open()
    await Promise.all([1, 2, 3].map((n) => ring(stage, n, 'a')))
    await stage.crash()
    await Promise.all([4, 5, 6].map((n) => ring(stage, n, 'a')))
    await stage.crash()
    await stage.host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n: 7 })
    await stage.calm()
    expect(await rung(stage, 'a')).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect((await stage.host.read(audit.at('a')))?.context.heard).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  test('each message is in its inbox and marked before its turn', async () => {
    await using stage = await open()
    await ring(stage, 1, 'a')
    await stage.settle()
    await stage.crash()
    for (const n of [2, 3]) await stage.host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n })
    await stage.calm()
    expect(await rung(stage, 'a')).toEqual([1, 2, 3])
    const { groups } = stage.store
    const consumed = groups.flatMap((group, index) => consumedIn(group).map((id) => ({ id, index })))
    expect(consumed.length).toBe(6)
    for (const { id, index } of consumed) {
      const before = groups.slice(0, index)
      expect(before.some((group) => waitsAfter(group).includes(id))).toBe(true)
      expect(before.some((group) => markedIn(group).includes(id))).toBe(true)
    }
    expect(groups.every(({ mode }) => mode === 'each')).toBe(true)
    expect(await stage.stored('till', 'a')).toMatchObject({ trouble: undefined })
  })

  test('full speed is back after a thousand turns, and the store is told that the danger is over', async () => {
    await using stage = await open({ policies: { verify: 'never' } })
    await stage.crash()
    const many = Array.from({ length: 1_000 }, (_, index) => index)
    await Promise.all(many.slice(0, 400).map((n) => ring(stage, n, `k${n}`)))
    await stage.host.drain()
    expect(stage.store.calls.get('survived')).toBeUndefined()
    await Promise.all(many.map((n) => ring(stage, n, `k${n}`)))
    await stage.host.drain()
    expect(stage.store.calls.get('survived')).toBe(1)
    const before = stage.store.groups.length
    await Promise.all(many.map((n) => ring(stage, n, `k${n}`)))
    await stage.host.drain()
    const since = stage.store.groups.slice(before)
    if (under.scope === 'store') expect(since.map(({ mode }) => mode)).toEqual(['together'])
    expect(since.flatMap(markedIn)).toEqual([])
    await stage.crash()
    expect(stage.told('started').at(-1)?.crashes).toBe(1)
  })

  test('the store is told also where it fails at first', async () => {
    await using stage = await open({ policies: { verify: 'never' } })
    await stage.crash()
    const left = stage.store.fail('survived', 2)
    const many = Array.from({ length: 600 }, (_, index) => index)
    await Promise.all(many.map((n) => ring(stage, n, `k${n}`)))
    await stage.calm()
    expect(left()).toBe(0)
    expect(stage.store.calls.get('survived')).toBe(1)
  })

  test('a message that kills is put away after so many crashes, and everybody else is served', async () => {
    await using stage = await open({ policies: { retry: { crashes: 3 } } })
    const keys = Array.from({ length: 400 }, (_, index) => `k${index}`)
    await leaveBehind(stage, [
      ...keys.slice(0, 200).map((key, n) => [key, n] as const),
      ['killed', 1],
      ['killed', 666],
      ['killed', 2],
      ...keys.slice(200).map((key, n) => [key, n + 200] as const),
    ])
    deadly.add(666)
    await stage.crash()
    const deaths = await outlive(stage)
    expect(deaths).toBeLessThanOrEqual(4)
    expect(await rung(stage, 'killed')).toEqual([1, 2])
    for (const [n, key] of keys.entries()) expect(await rung(stage, key)).toEqual([n])
    const letters = await stage.host.deadLetters.list()
    expect(letters).toMatchObject([{ entity: 'till/killed', code: 'HOST_CRASHED', message: { data: { n: 666 } } }])
    // When the cause is mended it is requeued like any other.
    deadly.clear()
    await stage.host.deadLetters.requeue(letters[0]?.id as never)
    await stage.calm()
    expect(await rung(stage, 'killed')).toEqual([1, 2, 666])
  })

  test('a saga that is killed is parked instead', async () => {
    await using stage = await open({ policies: { retry: { crashes: 2 } } })
    // The till may be rung; its follower dies.
    const { till: rings, audit: dies } = cast((n, by) => {
      if (n === 13 && by.startsWith('audit')) present?.store.kill()
    })
    await stage.restart({ entities: [rings, clerk, dies] })
    await stage.crash({ entities: [rings, clerk, dies] })
    await ring(stage, 13, 'a')
    await ring(stage, 14, 'b')
    for (let hosts = 0; hosts < 10; hosts += 1) {
      await stage.env.advance(10_000)
      if (!stage.store.killed) break
      await stage.crash({ entities: [rings, clerk, dies] })
    }
    expect(stage.store.killed).toBe(false)
    expect(await rung(stage, 'a')).toEqual([13])
    expect((await stage.host.read(audit.at('b')))?.context.heard).toEqual([14])
    expect(await stage.host.parked.list()).toMatchObject([{ entity: 'audit/a', code: 'HOST_CRASHED' }])
    expect(await stage.host.deadLetters.list()).toEqual([])
  })

  test('two messages that kill are both found', async () => {
    await using stage = await open({ policies: { retry: { crashes: 2 } } })
    await leaveBehind(
      stage,
      [...'abcdefgh'].flatMap((key, n) => [[key, n] as const, [key, n + 100] as const]),
    )
    deadly.add(3).add(105)
    await stage.crash()
    await outlive(stage)
    const letters = await stage.host.deadLetters.list()
    expect(letters.map(({ message, code }) => [message?.data.n, code]).sort()).toEqual([
      [105, 'HOST_CRASHED'],
      [3, 'HOST_CRASHED'],
    ])
    expect(await rung(stage, 'd')).toEqual([103])
    expect(await rung(stage, 'f')).toEqual([5])
    expect(await rung(stage, 'a')).toEqual([0, 100])
  })

  test('a message that fails is no killer: its attempts are no crashes', async () => {
    await using stage = await open({ policies: { retry: { attempts: 6, crashes: 2, factor: 1 } } })
    await stage.crash()
    failing.add(1)
    await ring(stage, 1, 'a')
    await stage.calm()
    expect(await stage.host.deadLetters.list()).toMatchObject([{ code: 'MACHINE_FAILED', attempts: 6 }])
  })

  test('a message that fails while another kills is no killer either', async () => {
    await using stage = await open({
      policies: { retry: { attempts: 500, crashes: 2, factor: 1, firstDelayMs: 60_000 } },
    })
    await leaveBehind(stage, [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    failing.add(1)
    deadly.add(2)
    await stage.crash()
    await outlive(stage)
    const letters = await stage.host.deadLetters.list()
    expect(letters).toMatchObject([{ code: 'HOST_CRASHED', message: { data: { n: 2 } } }])
    failing.clear()
    await stage.calm()
    expect(await rung(stage, 'a')).toEqual([1])
    expect(await rung(stage, 'c')).toEqual([3])
  })

  test.each(['write', 'load', 'due', 'inbox', 'inboxOf', 'nextDue'] as const)(
    'a store that fails in %s again and again makes no message a killer, and none is lost',
    async (call) => {
      await using stage = await open({ policies: { retry: { crashes: 2 } } })
      const messages = [...'abcdef'].map((key, n) => [key, n] as const)
      await leaveBehind(stage, messages)
      await stage.crash()
      flap(stage, call, 24)
      await stage.calm()
      stage.store.heal()
      for (const [key, n] of messages) expect(await rung(stage, key)).toEqual([n])
      const letters = await stage.host.deadLetters.list()
      expect(letters).toEqual([])
    },
  )

  test('an entity that this host does not know is held, and told; the others go on', async () => {
    await using stage = await open()
    await leaveBehind(stage, [
      ['a', 1],
      ['a', 2],
    ])
    await stage.host.send(Clerk.at('c'), { type: 'Tell', to: 'b', n: 3 })
    await stage.crash({ entities: [{ ...clerk, sends: [] }] })
    await stage.host.send(Clerk.at('d'), { type: 'Tell', to: 'b', n: 3 }).catch(() => {})
    await stage.calm()
    expect(stage.told('held').map(({ entity }) => entity)).toContain('till/a')
    expect((await stage.inbox()).filter(({ to }) => to === 'till/a')).toHaveLength(2)
    await stage.restart()
    await stage.calm()
    expect(await rung(stage, 'a')).toEqual([1, 2])
  })
})

test('G11: a turn that hangs is ended with its process, and its message is put away after some crashes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'interstate-'))
  try {
    const path = join(directory, 'store.db')
    const ends = [await life(path, 'first')]
    while (ends.at(-1)?.signal === 'SIGKILL' && ends.length < 8) ends.push(await life(path))
    const last = ends.at(-1)
    expect(last?.said).toBe('')
    expect(last).toMatchObject({ status: 0, signal: null })
    // Once at full speed, then marked twice; the fourth host puts the message away.
    expect(ends).toHaveLength(4)
    expect(ends[0]?.said).toContain('a turn has not ended for 400 ms')
    expect(JSON.parse(last?.told ?? '')).toEqual({ gone: [[1, 4], [2, 5], [3]], letters: [['HOST_CRASHED', -1]] })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}, 60_000)

interface End {
  readonly status: number | null
  readonly signal: string | null
  readonly told: string
  readonly said: string
}

/** The life of one process. */
function life(path: string, first = ''): Promise<End> {
  const program = join(import.meta.dirname, 'hanging-host.ts')
  const child = spawn(process.execPath, ['--conditions=@interstate/source', program, path, first])
  let told = ''
  let said = ''
  child.stdout.on('data', (data) => {
    told += data
  })
  child.stderr.on('data', (data) => {
    said += data
  })
  return new Promise((resolve) => child.on('exit', (status, signal) => resolve({ status, signal, told, said })))
}

const consumedIn = ({ commits }: Group): readonly string[] => commits.flatMap(({ consumed }) => consumed)
const waitsAfter = ({ accepted, commits }: Group): readonly string[] =>
  [...accepted, ...commits.flatMap(({ outbox }) => outbox)].map(({ id }) => id)
const markedIn = ({ commits }: Group): readonly string[] =>
  commits.flatMap(({ trouble }) => (trouble === undefined ? [] : [JSON.parse(trouble).message as string]))

/** A store that fails two times of three, for so many calls of one kind. */
function flap({ store }: Stage, call: StoreCall, times: number): void {
  let calls = 0
  store.fault = (each) => {
    if (each !== call || calls >= times) return undefined
    calls += 1
    if (calls % 3 === 0) return undefined
    throw new InterstateError('STORE_FAILED', `${call} fails now and then.`)
  }
}

describe.each(storesUnderTest)('on $name, a firing that was marked and never came', (under) => {
  const Egg = contract('egg', { commands: { Boil: z.object({}), Cool: z.object({}) } })
  const egg = defineAggregate(
    Egg,
    setup({ types: Egg.types() }).createMachine({
      initial: 'raw',
      states: {
        raw: { on: { Boil: 'boiling' } },
        boiling: { after: { 1000: 'hard' }, on: { Cool: 'soft' } },
        hard: {},
        soft: {},
      },
    }),
    { unhandled: 'ignore' },
  )

  test('because its timer was cancelled meanwhile, leaves no mark behind', async () => {
    await using stage = await Stage.open(under, { entities: [egg] })
    await stage.host.send(Egg.at('1'), { type: 'Boil' })
    await stage.settle()
    await stage.crash()
    await stage.settle()
    // The timer is due, its firing is marked, and then the host dies.
    stage.store.afterWrite = (group) => {
      if (group.commits.some(({ trouble }) => trouble !== undefined)) stage.store.kill()
      return undefined
    }
    await stage.env.advance(1_000)
    expect(stage.store.killed).toBe(true)
    // The clock is set back, so that the next one leaves it alone; it ends in good order, and nobody marks any more.
    stage.env.stepClock(-10_000)
    await stage.crash()
    await stage.restart()
    await stage.host.send(Egg.at('1'), { type: 'Cool' })
    await stage.calm()
    expect((await stage.host.read(egg.at('1')))?.value).toBe('soft')
    expect(await stage.stored('egg', '1')).toMatchObject({ trouble: undefined })
  })

  test('because its timer was cancelled before it could be marked, is not marked at all', async () => {
    await using stage = await Stage.open(under, { entities: [egg] })
    await stage.host.send(Egg.at('1'), { type: 'Boil' })
    await stage.settle()
    // Both wait for the next host: what cancels the timer, and behind it the firing.
    await stage.leaveBehind({ to: entityId('egg', '1'), type: 'Cool', data: {} })
    stage.store.kill()
    await stage.env.advance(1_000)
    await stage.crash()
    stage.store.afterWrite = (group) => {
      if (group.commits.some(({ trouble }) => trouble?.includes('xstate.after'))) stage.store.kill()
      return undefined
    }
    await stage.settle()
    await stage.crash()
    await stage.calm()
    expect((await stage.host.read(egg.at('1')))?.value).toBe('soft')
    expect(await stage.stored('egg', '1')).toMatchObject({ trouble: undefined })
  })
})
