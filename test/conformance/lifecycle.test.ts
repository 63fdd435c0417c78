// lifecycle.test.ts: how a host begins and ends, and that no end leaves anybody waiting.
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  contract,
  defineAggregate,
  defineSaga,
  effect,
  entityId,
  follow,
  InterstateError,
  type StoreDriver,
  turn,
} from '@interstate/core'
import { createHost, type Host, type Signal } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Counter, counter } from './process/counters.ts'
import { Site } from './site.ts'
import { storesUnderTest } from './stores.ts'

const Chain = contract('chain', {
  commands: { Step: z.object({ left: z.number() }), Sleep: z.object({}) },
  replies: { End: z.object({}) },
})
const chain = defineAggregate(
  Chain,
  setup({
    types: Chain.types<{ steps: number }>(),
    actions: { count: assign({ steps: ({ context }) => context.steps + 1 }) },
  }).createMachine({
    context: { steps: 0 },
    initial: 'awake',
    states: {
      awake: {
        on: {
          Step: [
            { guard: ({ event }) => event.left === 0, actions: 'count' as never },
            {
              actions: [
                'count' as never,
                sendTo(
                  ({ event }) => Chain.at(`${event.left}`),
                  ({ event }) => ({ type: 'Step', left: event.left - 1 }),
                ),
              ],
            },
          ],
          Sleep: 'asleep',
        },
      },
      asleep: { after: { 3600000: 'awake' } },
    },
  }),
)

/** Effects that a test ends by hand. */
class Hands {
  readonly runs: { readonly key: string; readonly signal: AbortSignal; readonly end: (value: number) => void }[] = []
  readonly Job = contract('job', { commands: { Start: z.object({}), Late: z.object({}) } })
  readonly job = defineAggregate(
    this.Job,
    setup({
      types: this.Job.types<{ result: number }>(),
      actors: {
        work: effect<null, number>(
          ({ idempotencyKey: key, signal }) => new Promise((end) => this.runs.push({ key, signal, end })),
        ),
      },
    }).createMachine({
      context: { result: 0 },
      initial: 'idle',
      states: {
        idle: { on: { Start: 'busy' } },
        busy: {
          invoke: {
            src: 'work',
            input: null,
            onDone: { target: 'done', actions: assign({ result: ({ event }) => event.output }) },
          },
        },
        done: {},
      },
    }),
    { ignores: ['Late'] },
  )
}

/** Every call that a host takes. */
const calls: readonly (readonly [name: string, call: (host: Host) => Promise<unknown>])[] = [
  ['send', (host) => host.send(Counter.at('a'), { type: 'Add', by: 1 })],
  ['ask', (host) => host.ask(Counter.at('a'), { type: 'Add', by: 1 })],
  ['publish', (host) => host.publish(Counter.at('a'), { type: 'Added' } as never)],
  ['read', (host) => host.read(Counter.at('a'))],
  ['drain', (host) => host.drain()],
  ['purge', (host) => host.purge({ before: 1 })],
  ['requeue', (host) => host.deadLetters.requeue('x' as never)],
  ['list of dead letters', (host) => host.deadLetters.list()],
  ['inspect', (host) => host.deadLetters.inspect('x' as never)],
  ['dry run', (host) => host.deadLetters.dryRun('x' as never)],
  ['list of the parked', (host) => host.parked.list()],
  ['unpark', (host) => host.parked.unpark(entityId('counter', 'a'), 'retry')],
]

describe.each(storesUnderTest)('drain, on $name', (kind) => {
  test('resolves when the last message of the longest chain is handled, and does not wait for a later timer', async () => {
    await using site = new Site(kind)
    const host = await site.host([chain])
    await host.send(Chain.at('start'), { type: 'Step', left: 100 })
    await host.send(Chain.at('sleeper'), { type: 'Sleep' })
    await host.drain()
    expect((await host.read(chain.at('1')))?.context.steps).toBe(1)
    expect((await host.read(chain.at('sleeper')))?.value).toBe('asleep')
    expect(await site.store.inbox([...Array(64).keys()], 0, 10)).toEqual([])
  })

  test('waits for effects that run, and for what they lead to', async () => {
    await using site = new Site(kind)
    const { Job, job, runs } = new Hands()
    const host = await site.host([job])
    await host.send(Job.at('a'), { type: 'Start' })
    let isDrained = false
    const drained = host.drain().then(() => {
      isDrained = true
    })
    await site.env.advance(0)
    expect(isDrained).toBe(false)
    runs[0]?.end(7)
    await drained
    expect(await host.read(job.at('a'))).toMatchObject({ value: 'done', context: { result: 7 } })
  })

  test('of a host at rest resolves at once, also twice at a time', async () => {
    await using site = new Site(kind)
    const host = await site.host([chain])
    await Promise.all([host.drain(), host.drain()])
    await host.drain()
  })
})

describe.each(storesUnderTest)('stop, on $name', (kind) => {
  test('handles what was accepted before it, and refuses every later call with HOST_STOPPED', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter])
    const before = Array.from({ length: 50 }, () => host.send(Counter.at('a'), { type: 'Add', by: 1 }))
    const asked = host.ask(Counter.at('a'), { type: 'Add', by: 1 })
    const stopped = host.stop()
    const during = host.send(Counter.at('a'), { type: 'Add', by: 100 })
    await expect(during).rejects.toMatchObject({ code: 'HOST_STOPPED' })
    await stopped
    expect(await Promise.all(before)).toHaveLength(50)
    expect(await asked).toEqual({ type: 'Total', total: 51 })
    for (const [, call] of calls.filter(([name]) => name !== 'publish')) {
      await expect(call(host)).rejects.toMatchObject({ code: 'HOST_STOPPED' })
    }
    const next = await site.host([counter])
    expect((await next.read(counter.at('a')))?.context.total).toBe(51)
  })

  test('twice is once, and `await using` stops a host that was stopped by hand', async () => {
    await using site = new Site(kind)
    {
      await using host = await site.host([counter])
      await Promise.all([host.stop(), host.stop()])
    }
    expect(site.told('stopped')).toHaveLength(1)
  })

  test('aborts effects that run; the next host runs them again under their old keys, and one result counts', async () => {
    await using site = new Site(kind)
    const { Job, job, runs } = new Hands()
    const first = await site.host([job])
    await first.send(Job.at('a'), { type: 'Start' })
    await site.env.advance(0)
    await first.stop()
    expect(runs[0]?.signal.aborted).toBe(true)
    runs[0]?.end(1)
    await site.env.advance(0)
    const second = await site.host([job])
    await site.env.advance(0)
    expect(runs.map(({ key }) => key)).toEqual([runs[0]?.key, runs[0]?.key])
    runs[1]?.end(2)
    await second.drain()
    expect(await second.read(job.at('a'))).toMatchObject({ value: 'done', context: { result: 2 } })
    expect(second.counters().turns.handled).toBe(1)
  })

  test('ends although messages go in a circle for ever: they wait for the next host', async () => {
    await using site = new Site(kind)
    const Ball = contract('ball', { commands: { Play: z.object({ to: z.string() }) } })
    const ball = defineAggregate(
      Ball,
      setup({ types: Ball.types<{ plays: number }>() }).createMachine({
        context: { plays: 0 },
        on: {
          Play: {
            actions: [
              assign({ plays: ({ context }) => context.plays + 1 }),
              sendTo(
                ({ event }) => Ball.at(event.to),
                ({ event }) => ({ type: 'Play', to: event.to === 'a' ? 'b' : 'a' }),
              ),
            ],
          },
        },
      }),
    )
    const host = await site.host([ball], { groupTurns: 100 })
    await host.send(Ball.at('a'), { type: 'Play', to: 'b' })
    const stopped = host.stop()
    await site.env.advance(10_000)
    await stopped
    const left = await site.byHand(async (store) => {
      const shards = [...Array(store.shards).keys()]
      const departing = (await store.lanes?.departures(shards, 10)) ?? []
      return [...(await store.inbox(shards, 0, 10)), ...departing.flatMap(({ messages }) => messages)]
    })
    expect(left).toHaveLength(1)
  })

  test('a restarted host goes on as if nothing had been: it has no crash to look into', async () => {
    await using site = new Site(kind)
    const first = await site.host([counter])
    await first.send(Counter.at('a'), { type: 'Add', by: 1 })
    await site.host([counter])
    expect(site.told('started').map(({ crashes }) => crashes)).toEqual([0, 0])
  })
})

/** A store whose named methods are others. */
function storeWith(methods: Partial<StoreDriver>): { readonly store: StoreDriver; readonly called: string[] } {
  const called: string[] = []
  const store = memoryStore()
  for (const name of ['probe', 'acquire', 'release', 'close'] as const) {
    const method = (methods[name] ?? store[name].bind(store)) as (...args: unknown[]) => unknown
    Object.assign(store, {
      [name]: (...args: unknown[]) => {
        called.push(name)
        return method(...args)
      },
    })
  }
  const { nextDue } = methods
  if (nextDue !== undefined) Object.assign(store, { nextDue })
  return { store, called }
}

describe('start', () => {
  const options = { entities: [counter], env: new VirtualEnv() }

  test('G18: a store that fails its probe is refused with STORE_UNFIT, closed, and nothing was started', async () => {
    const failed = { name: 'fsync', passed: false, finding: 'The disk lies. Use another.' }
    const { store, called } = storeWith({ probe: async () => [failed, { name: 'b', passed: true, finding: 'Fine.' }] })
    const signals: Signal[] = []
    const started = createHost({ ...options, store, onSignal: (signal) => signals.push(signal) })
    await expect(started).rejects.toMatchObject({ code: 'STORE_UNFIT', details: { probes: [failed] } })
    expect(called).toEqual(['probe', 'close'])
    expect(signals).toEqual([])
  })

  test('a store that can not even be probed is closed, and its own error is the one that is thrown', async () => {
    const { store, called } = storeWith({
      probe: () => Promise.reject(new InterstateError('STORE_IN_USE', 'Another process has it.')),
    })
    await expect(createHost({ ...options, store })).rejects.toMatchObject({ code: 'STORE_IN_USE' })
    expect(called).toEqual(['probe', 'close'])
  })

  test('entities that do not fit together are refused with WIRING_INVALID before the store is touched', async () => {
    const { store, called } = storeWith({})
    const Lost = contract('lost', { events: { Gone: z.object({ id: z.string() }) } })
    const follows = follow(Lost.event('Gone').by('id').starts())
    const seeker = defineSaga(
      'seeker',
      follows,
      setup({ types: follows.types<Record<string, never>>() }).createMachine({
        context: {},
        entry: sendTo(Chain.at('a'), { type: 'Sleep' }),
      }),
      { sends: [Chain] },
    )
    await expect(createHost({ ...options, entities: [seeker, counter, counter], store })).rejects.toMatchObject({
      code: 'WIRING_INVALID',
      details: {
        findings: expect.arrayContaining([
          expect.objectContaining({ code: 'event-without-publisher' }),
          expect.objectContaining({ code: 'command-without-receiver' }),
          expect.objectContaining({ code: 'entity-defined-twice' }),
        ]),
      },
    })
    expect(called).toEqual([])
  })

  test('a host that fails while it starts closes its store, and runs no effect that it had found', async () => {
    const env = new VirtualEnv()
    const { Job, job, runs } = new Hands()
    const { store } = storeWith({})
    const first = await createHost({ entities: [job], env, store })
    await first.send(Job.at('a'), { type: 'Start' })
    await env.advance(0)
    await first.stop()
    const broken = storeWith({})
    Object.assign(broken.store, {
      unsettled: store.unsettled.bind(store),
      load: store.load.bind(store),
      acquire: store.acquire.bind(store),
      nextDue: () => Promise.reject(new InterstateError('STORE_FAILED', 'Gone.')),
    })
    await expect(createHost({ entities: [job], env, store: broken.store })).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
    await env.advance(60_000)
    expect(broken.called).toContain('close')
    expect(runs).toHaveLength(1)
  })

  test('a host that can not give its shards back still closes its store', async () => {
    const { store, called } = storeWith({
      release: () => Promise.reject(new InterstateError('STORE_FAILED', 'Gone.')),
    })
    const host = await createHost({ ...options, store })
    await expect(host.stop()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(called.at(-1)).toBe('close')
  })
})

describe('two hosts on one store in memory', () => {
  test('G5: the older one is fenced: no write of it lands, its callers are refused, nobody hangs, the newer one works', async () => {
    const env = new VirtualEnv()
    const store = memoryStore()
    const signals: Signal[] = []
    const onSignal = (signal: Signal): void => void signals.push(signal)
    const older = await createHost({ entities: [counter, chain], store, env, onSignal })
    await older.ask(Counter.at('a'), { type: 'Add', by: 1 })
    const waits = older.ask(Counter.at('w'), { type: 'Wait' })
    await env.advance(0)
    const newer = await createHost({ entities: [counter, chain], store, env })
    const refused = [
      ...Array.from({ length: 10 }, () => older.send(Counter.at('a'), { type: 'Add', by: 100 })),
      older.ask(Counter.at('a'), { type: 'Add', by: 100 }),
      older.ask(Counter.at('a'), { type: 'Add', by: 100 }, { idempotencyKey: '1~a' as never }),
    ]
    const outcomes = await Promise.allSettled([...refused, older.drain()])
    const codes = outcomes.map((each) => (each.status === 'rejected' ? each.reason.code : 'resolved'))
    expect(codes).toEqual(Array(13).fill('LEASE_LOST'))
    await expect(waits).rejects.toMatchObject({ code: 'ASK_TIMEOUT' })
    expect(signals.filter(({ signal }) => signal === 'fatal')).toMatchObject([{ error: { code: 'LEASE_LOST' } }])
    expect(env.exited).toBeUndefined()
    for (const [name, call] of calls.filter(([each]) => each !== 'publish' && each !== 'read')) {
      await expect(call(older), name).rejects.toMatchObject({ code: 'LEASE_LOST' })
    }
    await older.stop()
    expect(await newer.ask(Counter.at('a'), { type: 'Add', by: 1 })).toEqual({ type: 'Total', total: 2 })
    expect(await newer.send(Counter.at('a'), { type: 'Add', by: 1 }, { idempotencyKey: '1~a' as never })).toMatchObject(
      {
        duplicate: false,
      },
    )
    await newer.drain()
    expect((await newer.read(counter.at('a')))?.context.total).toBe(3)
    await newer.stop()
  })
})

describe.each(storesUnderTest)('after a fatal failure, on $name', (kind) => {
  test('STORE_FENCED ends the process: every call is refused, none hangs, nothing is acknowledged', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter, chain])
    const waits = host.ask(Counter.at('w'), { type: 'Wait' })
    await site.env.advance(0)
    site.store.fail(new InterstateError('STORE_FENCED', 'A sync failed.'))
    const pending = [
      host.send(Counter.at('a'), { type: 'Add', by: 1 }),
      host.ask(Counter.at('b'), { type: 'Add', by: 1 }),
      host.drain(),
    ]
    for (const each of pending) await expect(each).rejects.toMatchObject({ code: 'STORE_FENCED' })
    await expect(waits).rejects.toMatchObject({ code: 'ASK_TIMEOUT' })
    for (const [name, call] of calls.filter(([each]) => each !== 'publish' && each !== 'read')) {
      await expect(call(host), name).rejects.toMatchObject({ code: 'STORE_FENCED' })
    }
    expect(site.env.exited).toMatchObject({ code: 'STORE_FENCED' })
    expect(site.told('fatal')).toHaveLength(1)
    await host.stop()
  })

  test('calls that came while the fatal write was under way are refused as well', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter])
    site.store.hold()
    const first = host.send(Counter.at('a'), { type: 'Add', by: 1 })
    await site.env.advance(0)
    site.store.fail(new InterstateError('STORE_FENCED', 'A sync failed.'))
    const late = calls.filter(([name]) => name !== 'publish' && name !== 'read').map(([, call]) => call(host))
    const stopped = host.stop()
    site.store.open()
    for (const each of [first, ...late]) await expect(each).rejects.toMatchObject({ code: 'STORE_FENCED' })
    await stopped
  })
})

describe.each(storesUnderTest)('memory, on $name', (kind) => {
  /** A history of timers, effects, failures, questions and chains over many entities. */
  async function historyWith(maxLive: number): Promise<unknown> {
    await using site = new Site(kind)
    const tries = new Map<string, number>()
    const Pot = contract('pot', {
      commands: { Fill: z.object({ with: z.number() }), Heat: z.object({}), Taste: z.object({}), Shake: z.object({}) },
      events: { Filled: z.object({ pot: z.string() }) },
      replies: { Taste1: z.object({ fills: z.array(z.number()) }) },
    })
    const pot = defineAggregate(
      Pot,
      setup({
        types: Pot.types<{ fills: number[] }>(),
        actors: { stir: effect<number, number>(async ({ input }) => input * 2) },
      }).createMachine({
        context: { fills: [] },
        initial: 'cold',
        states: {
          cold: {
            on: {
              Fill: {
                actions: [
                  assign({ fills: ({ context, event }) => [...context.fills, event.with] }),
                  emit({ type: 'Filled', pot: 'shelf' }),
                ],
              },
              Heat: 'hot',
              Taste: { actions: Pot.reply(({ context }) => ({ type: 'Taste1', fills: context.fills })) },
              Shake: {
                actions: assign(({ context }) => {
                  const { entity } = turn()
                  tries.set(entity, (tries.get(entity) ?? 0) + 1)
                  if (tries.get(entity) !== 3) throw new Error('slips')
                  return { fills: [...context.fills, -1] }
                }),
              },
            },
          },
          hot: { after: { 5000: 'stirring' } },
          stirring: {
            invoke: {
              src: 'stir',
              input: ({ context }) => context.fills.length,
              onDone: {
                target: 'cold',
                actions: assign({ fills: ({ context, event }) => [...context.fills, event.output] }),
              },
            },
          },
        },
      }),
      { ignores: ['Taste', 'Fill', 'Heat', 'Shake'] },
    )
    const filled = follow(Pot.event('Filled').by('pot').starts())
    const shelf = defineSaga(
      'shelf',
      filled,
      setup({ types: filled.types<{ fills: number }>() }).createMachine({
        context: { fills: 1 },
        on: { 'pot.Filled': { actions: assign({ fills: ({ context }) => context.fills + 1 }) } },
      }),
    )
    const host = await site.host([pot, shelf], { maxLive, verify: 'never' })
    let loads = 0
    const { load } = site.store
    site.store.load = (entities) => {
      loads += entities.length
      return load(entities)
    }
    const keys = Array.from({ length: 50 }, (_, index) => `${index}`)
    for (let round = 0; round < 4; round += 1) {
      for (const [index, key] of keys.entries()) {
        await host.send(Pot.at(key), { type: 'Fill', with: round })
        if (round === 1 && index % 5 === 0) await host.send(Pot.at(key), { type: 'Heat' })
        if (round === 2 && index % 7 === 1) await host.send(Pot.at(key), { type: 'Shake' })
      }
      await site.env.advance(0)
      await site.env.advance(6_000)
    }
    await site.rest()
    const tastes = await Promise.all(keys.map((key) => host.ask(Pot.at(key), { type: 'Taste' })))
    const shelves = (await host.read(shelf.at('shelf')))?.context.fills
    // Each is read again in each round, or never.
    expect(loads > 4 * keys.length).toBe(maxLive < keys.length)
    return { tastes, shelves, turns: host.counters().turns, dead: await host.deadLetters.list() }
  }

  test('G17: with three entities in memory, fifty have the same history as with all of them there', async () => {
    const roomy = await historyWith(10_000)
    expect(roomy).toMatchObject({ dead: [], shelves: 200 })
    expect(await historyWith(3)).toEqual(roomy)
  })
})

/** Runs a script of ours in a process of its own. */
function run(script: string, args: readonly string[]) {
  const file = join(import.meta.dirname, 'process', script)
  const child = spawn(process.execPath, ['--conditions=@interstate/source', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const heard: (() => void)[] = []
  const listen = (chunk: Buffer): void => {
    output += chunk.toString()
    for (const hear of heard) hear()
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const ended = new Promise<{ readonly code: number | null; readonly signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.includes(text)) resolve()
      }
      heard.push(look)
      look()
      void ended.then(() => reject(new Error(`It ended without saying "${text}": ${output}`)))
    })
  return { child, ended, says, output: () => output }
}

/** A folder of a test's own. */
class Folder implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'interstate-'))
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

describe('a process of its own', () => {
  test.each(['memory', 'sqlite'])('ends by itself once its host on %s has stopped', async (store) => {
    await using folder = new Folder()
    const { ended, output } = run('ends-by-itself.ts', store === 'memory' ? [] : [join(folder.path, 'store.db')])
    expect({ ...(await ended), output: output() }).toMatchObject({ code: 0, signal: null })
    const [, stopped, exit] = /stopped (\d+)\nexit (\d+)\n$/.exec(output()) ?? []
    expect(Number(exit) - Number(stopped)).toBeLessThan(1_000)
  })

  test('G8: on SIGTERM all its hosts stop in good order, and what was accepted is there', async () => {
    await using folder = new Folder()
    const paths = ['one.db', 'two.db'].map((name) => join(folder.path, name))
    const { child, ended, says, output } = run('runs-until-terminated.ts', paths)
    await Promise.all([says('host 0 is busy'), says('host 1 is busy')])
    child.kill('SIGTERM')
    expect({ ...(await ended), output: output() }).toMatchObject({ code: null, signal: 'SIGTERM' })
    for (const [index, path] of paths.entries()) {
      const [, accepted] = new RegExp(`host ${index} accepted (\\d+) then HOST_STOPPED`).exec(output()) ?? []
      const signals: Signal[] = []
      const env = new VirtualEnv({ startMs: Date.now() })
      await using host = await createHost({
        entities: [counter],
        store: sqliteStore({ path }),
        env,
        onSignal: (signal) => signals.push(signal),
      })
      expect(signals).toContainEqual(expect.objectContaining({ signal: 'started', crashes: 0 }))
      expect((await host.read(counter.at('a')))?.context.total).toBe(Number(accepted))
    }
  })
})
