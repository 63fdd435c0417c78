// A check takes a world through every history that the promises allow, and through no other.
import { contract, defineAggregate, defineSaga, effect, follow, turn } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { publish, send, type World, world } from '../src/index.ts'
import { finding } from './finding.ts'
import { nothing } from './lamp.ts'

describe('What may happen is what the promises allow', () => {
  const Pen = contract('pen', { commands: { Write: nothing } })
  const Paper = contract('paper', { commands: { Line: z.object({ n: z.number(), by: z.string() }) } })
  const pen = defineAggregate(
    Pen,
    setup({ types: Pen.types<{ key: string }>() }).createMachine({
      context: ({ input }) => ({ key: input.key }),
      on: {
        Write: {
          actions: [1, 2].map((n) => sendTo(Paper.at('1'), ({ context }) => ({ type: 'Line', n, by: context.key }))),
        },
      },
    }),
    { sends: [Paper] },
  )
  const paper = defineAggregate(
    Paper,
    setup({ types: Paper.types<{ lines: string[] }>() }).createMachine({
      context: { lines: [] },
      on: { Line: { actions: assign({ lines: ({ context, event }) => [...context.lines, `${event.by}${event.n}`] }) } },
    }),
  )
  const writing = world({ entities: [pen, paper] }).stimuli({
    write: ['a', 'b'].map((key) => send(Pen.at(key), { type: 'Write' })),
  })
  const linesSeen = async (world: World, options = {}): Promise<string[]> => {
    const seen = new Set<string>()
    await world
      .always('looked at', (w) => {
        const lines = w.one(paper.at('1'))?.context.lines ?? []
        if (lines.length === 4) seen.add(lines.join())
        return true
      })
      .check({ stimuli: 2, ...options })
    return [...seen].sort()
  }

  test('messages of one sender come in their order, those of two in any (G6)', async () => {
    const orders = (await linesSeen(writing)).filter((each) => each.includes('a') && each.includes('b'))
    expect(orders).toEqual(['a1,a2,b1,b2', 'a1,b1,a2,b2', 'a1,b1,b2,a2', 'b1,a1,a2,b2', 'b1,a1,b2,a2', 'b1,b2,a1,a2'])
  })

  test('what clients publish comes to each follower in any order', async () => {
    const Bell = contract('bell', { commands: { Mend: nothing }, events: { Rung: z.object({ n: z.number() }) } })
    const bell = defineAggregate(Bell, setup({ types: Bell.types() }).createMachine({ on: { Mend: {} } }))
    const hears = follow(Bell.event('Rung').bySource().starts())
    const listener = (name: string) =>
      defineSaga(
        name,
        hears,
        setup({ types: hears.types<{ heard: number[] }>() }).createMachine({
          context: ({ input }) => ({ heard: [input.message.n] }),
          on: { 'bell.Rung': { actions: assign({ heard: ({ context, event }) => [...context.heard, event.n] }) } },
        }),
      )
    const [cat, dog] = [listener('cat'), listener('dog')]
    const seen = new Set<string>()
    await world({ entities: [bell, cat, dog] })
      .stimuli({ ring: [1, 2].map((n) => publish(Bell.at('1'), { type: 'Rung', n })) })
      .accept('SAGA_STUCK cat', 'SAGA_STUCK dog')
      .always('looked at', (w) => {
        const heard = [cat, dog].map((each) => w.one(each.at('1'))?.context.heard.join('') ?? '')
        if (heard.every((each) => each.includes('1') && each.includes('2'))) seen.add(heard.join())
        return true
      })
      .check({ stimuli: 2, unreached: 'report' })
    expect([...seen].sort()).toEqual(['12,12', '12,21', '21,12', '21,21'])
  })

  test('a call is repeated only where the check says so', async () => {
    const once = world({ entities: [pen, paper] }).stimuli({ write: [send(Pen.at('a'), { type: 'Write' })] })
    expect(await linesSeen(once, { stimuli: 1 })).toEqual([])
    expect(await linesSeen(once, { stimuli: 1, duplicates: 1 })).toEqual(['a1,a2,a1,a2'])
  })

  test('timers of one entity fire in their order, and a message may come right before each', async () => {
    const Egg = contract('egg', { commands: { Boil: nothing, Turn: nothing } })
    const egg = defineAggregate(
      Egg,
      setup({ types: Egg.types<{ seen: string[] }>() }).createMachine({
        context: { seen: [] },
        initial: 'raw',
        states: {
          raw: { on: { Boil: 'boiling' } },
          boiling: {
            initial: 'soft',
            after: { 5000: { actions: assign({ seen: ({ context }) => [...context.seen, 'five'] }) } },
            states: {
              soft: {
                after: { 3000: { actions: assign({ seen: ({ context }) => [...context.seen, 'three'] }) } },
                on: { Turn: { target: 'soft', reenter: true } },
              },
            },
          },
        },
      }),
    )
    const seen = new Set<string>()
    await world({ entities: [egg] })
      .stimuli({ boil: [send(Egg.at('1'), { type: 'Boil' })], turn: [send(Egg.at('1'), { type: 'Turn' })] })
      .always('looked at', (w) => {
        seen.add(w.one(egg.at('1'))?.context.seen.join() ?? '')
        return true
      })
      .check({ stimuli: 2, unreached: 'report' })
    // Turned at once: three, then five. Turned right before three are over: five comes first.
    expect(seen).toContain('three,five')
    expect(seen).toContain('five,three')
    expect([...seen].some((each) => each.startsWith('five,three,three'))).toBe(false)
  })

  test('a timer that is set anew lets another one overtake it', async () => {
    const Watchman = contract('watchman', { commands: { Start: nothing, Stir: nothing } })
    const watchman = defineAggregate(
      Watchman,
      setup({ types: Watchman.types<{ first: string }>() }).createMachine({
        context: { first: '' },
        initial: 'off',
        states: {
          off: { on: { Start: 'on' } },
          on: {
            after: { 10000: { actions: assign({ first: ({ context }) => context.first || 'shift' }) } },
            initial: 'awake',
            states: {
              awake: {
                on: { Stir: { target: 'awake', reenter: true } },
                after: { 4000: { actions: assign({ first: ({ context }) => context.first || 'nap' }) } },
              },
            },
          },
        },
      }),
    )
    const [start, stir] = (['Start', 'Stir'] as const).map((type) => send(Watchman.at('1'), { type }))
    const night = world({ entities: [watchman] })
      .stimuli({ start: [start as never], stir: [stir as never] })
      .sometimes('the shift ends first', (w) => w.all(watchman).some(({ context }) => context.first === 'shift'))
    await night.check({ stimuli: 2 })
    expect((await finding(night.check({ stimuli: 1 }))).code).toBe('SOMETIMES_NEVER')
  })

  test('a machine that looks at the clock sees the time that has passed for others', async () => {
    const Oven = contract('oven', { commands: { Heat: nothing } })
    const Cook = contract('cook', { commands: { Call: z.object({ at: z.number() }) } })
    const oven = defineAggregate(
      Oven,
      setup({ types: Oven.types() }).createMachine({
        initial: 'cold',
        states: {
          cold: { on: { Heat: 'heating' } },
          heating: {
            after: {
              3600000: { target: 'hot', actions: sendTo(Cook.at('1'), () => ({ type: 'Call', at: turn().now })) },
            },
          },
          hot: {},
        },
      }),
      { sends: [Cook] },
    )
    const cook = defineAggregate(
      Cook,
      setup({ types: Cook.types<{ waited: number }>() }).createMachine({
        context: { waited: 0 },
        on: { Call: { actions: assign({ waited: ({ event }) => turn().now - event.at }) } },
      }),
    )
    await world({ entities: [oven, cook] })
      .stimuli({ heat: [send(Oven.at('1'), { type: 'Heat' })] })
      .always('nobody is called before it happened', (w) => w.all(cook).every(({ context }) => context.waited >= 0))
      .check({ stimuli: 1 })
  })

  test('an effect that begins anew has another key, and one that runs again after a crash the same', async () => {
    const Till = contract('till', { commands: { Pay: nothing } })
    const till = defineAggregate(
      Till,
      setup({
        types: Till.types(),
        actors: { pay: effect<void, string>(() => Promise.reject(new Error('no bank here'))) },
      }).createMachine({
        initial: 'open',
        states: {
          open: { on: { Pay: 'paying' } },
          paying: { invoke: { src: 'pay', onDone: 'paid', onError: { target: 'paying', reenter: true } } },
          paid: { type: 'final' },
        },
      }),
    )
    const keysSeen = async (crashes: number): Promise<string[]> => {
      const seen = new Set<string>()
      await world({ entities: [till] })
        .outside<{ keys: string[] }>({ keys: [] })
        .stimuli({ pay: [send(Till.at('1'), { type: 'Pay' })] })
        .effects({
          pay: ({ idempotencyKey, outside }) => {
            outside.keys.push(idempotencyKey)
            if (outside.keys.length < 2) throw new Error('try again')
            return 'paid'
          },
        })
        .always('looked at', (w) => {
          const [one, two] = w.outside.keys
          if (two !== undefined) seen.add(one === two ? 'the same key' : 'another key')
          return true
        })
        .check({ stimuli: 1, crashes })
      return [...seen].sort()
    }
    expect(await keysSeen(0)).toEqual(['another key'])
    expect(await keysSeen(1)).toEqual(['another key', 'the same key'])
  })

  test('the result of an effect that was stopped is not taken for that of the one that began anew', async () => {
    const Job = contract('job', { commands: { Begin: nothing, Cancel: nothing } })
    const job = defineAggregate(
      Job,
      setup({
        types: Job.types<{ begun: number; result: number }>(),
        actors: { work: effect<number, number>(() => Promise.reject(new Error('nobody works here'))) },
      }).createMachine({
        context: { begun: 0, result: 0 },
        initial: 'idle',
        states: {
          idle: { on: { Begin: 'working', Cancel: {} } },
          working: {
            entry: assign({ begun: ({ context }) => context.begun + 1 }),
            invoke: {
              src: 'work',
              input: ({ context }) => context.begun,
              onDone: { target: 'done', actions: assign({ result: ({ event }) => event.output }) },
            },
            on: { Cancel: 'idle', Begin: {} },
          },
          done: { type: 'final' },
        },
      }),
    )
    await world({ entities: [job] })
      .stimuli({ begin: [send(Job.at('1'), { type: 'Begin' })], cancel: [send(Job.at('1'), { type: 'Cancel' })] })
      .effects({ work: ({ input }) => input })
      .always('the result is that of the last beginning', (w) =>
        w.all(job).every(({ status, context: { begun, result } }) => status === 'active' || begun === result),
      )
      .sometimes('it was begun twice', (w) => w.all(job).some(({ context }) => context.result === 2))
      .check({ stimuli: 3 })
  })

  test('machines may look at the turn: its time, its ids', async () => {
    const Ticket = contract('ticket', { commands: { Print: nothing } })
    const ticket = defineAggregate(
      Ticket,
      setup({ types: Ticket.types<{ ids: string[]; at: number[] }>() }).createMachine({
        context: { ids: [], at: [] },
        on: {
          Print: {
            actions: assign({
              ids: ({ context }) => [...context.ids, turn().id()],
              at: ({ context }) => [...context.at, turn().now],
            }),
          },
        },
      }),
    )
    const printing = world({ entities: [ticket] })
      .stimuli({ print: [send(Ticket.at('1'), { type: 'Print' })] })
      .always('no id is given twice', (w) =>
        w.all(ticket).every(({ context: { ids } }) => new Set(ids).size === ids.length),
      )
    await printing.check({ stimuli: 3 })
  })
})
