import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  contract,
  type Definition,
  decide,
  decodeSnapshot,
  defineAggregate,
  type EntityState,
  type Envelope,
  encodeSnapshot,
  turn,
  Wiring,
} from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { and, assign, enqueueActions, not, raise, setup, stateIn } from 'xstate'
import { z } from 'zod'
import { observed } from '../src/observe/observe.ts'
import { take } from '../src/observe/take.ts'

const empty = z.object({})
const Box = contract('box', { commands: { Put: z.object({ items: z.array(z.number()) }), Look: empty, Wait: empty } })
interface Context {
  items: number[]
  seen: unknown
}

const envelope = (type: string, data: Envelope['data'] = {}): Envelope => ({
  id: `m-${type}` as Envelope['id'],
  kind: 'command',
  to: 'box/1' as Envelope['to'],
  from: 'client',
  type,
  data,
  correlationId: 'm-1' as Envelope['id'],
  causationId: 'm-1' as Envelope['id'],
  created: 0,
  contractVersion: 1,
})

function receive(definition: Definition, ...messages: Envelope[]) {
  const copy = observed(definition)
  const wiring = new Wiring([copy])
  return messages.reduce<ReturnType<typeof take>['state']>(
    (state, message) => take(wiring, copy, state, message, 1_000).state,
    undefined,
  )
}

/** A box whose named action `look` keeps what `see` gives. */
function box(see: (context: Context) => unknown) {
  return defineAggregate(
    Box,
    setup({
      types: Box.types<Context>(),
      actions: { look: assign({ seen: ({ context }) => see(context) }) },
    }).createMachine({
      context: { items: [2, 1], seen: null },
      on: { Look: { actions: 'look' }, Put: {}, Wait: {} },
    }),
  )
}

const fails = (body: () => unknown): { code?: string; message: string; name: string } => {
  try {
    body()
  } catch (error) {
    return error as { code?: string; message: string; name: string }
  }
  throw new Error('it did not fail')
}

const source = readFileSync(import.meta.filename, 'utf8').split('\n')
const forbidden: readonly (readonly [string, () => unknown])[] = [
  ['Date.now', () => Date.now()],
  ['new Date()', () => `${new Date()}`],
  ['Date()', () => Date()],
  ['performance.now', () => performance.now()],
  ['Math.random', () => Math.random()],
  ['crypto.randomUUID', () => crypto.randomUUID()],
  ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1))[0]],
  ['randomUUID of node:crypto', () => randomUUID()],
  ['setTimeout', () => setTimeout(() => {}, 1)],
  ['setInterval', () => setInterval(() => {}, 1)],
  ['setImmediate', () => setImmediate(() => {})],
  ['queueMicrotask', () => queueMicrotask(() => {})],
  ['process.nextTick', () => process.nextTick(() => {})],
  ['process.hrtime', () => process.hrtime()[0]],
  ['process.hrtime.bigint', () => String(process.hrtime.bigint())],
  ['fetch', () => fetch('data:,x')],
]

describe('a turn asks nobody but turn()', () => {
  test.each(forbidden)('%s is refused, and the action and the line are named', (called, call) => {
    const { code, message } = fails(() => receive(box(call), envelope('Look')))
    expect(code).toBe('NOT_DETERMINISTIC')
    expect(message).toContain(`In "box", the action "look" calls ${called} at `)
    const line = Number(/observe\.test\.ts:(\d+)/.exec(message)?.[1])
    expect(source[line - 1]).toContain(`['${called}', `)
  })

  test.each(forbidden)('%s works again after the turn', (_, call) => {
    fails(() => receive(box(call), envelope('Look')))
    expect(call).not.toThrow()
  })

  test('a date from a number is data', () => {
    const state = receive(
      box(() => new Date(turn().now).toISOString()),
      envelope('Look'),
    )
    expect(state?.snapshot.context.seen).toBe('1970-01-01T00:00:01.000Z')
  })

  test('chance and ids of the turn are the same both times', () => {
    const state = receive(
      box(() => [turn().random(), turn().id()]),
      envelope('Look'),
    )
    expect(state?.snapshot.context.seen).toHaveLength(2)
  })

  test('a line on the console is no question', () => {
    const definition = box(() => {
      console.log('looking')
      console.error(new Error('a stack'))
      process.stdout.write('directly')
      return 1
    })
    expect(receive(definition, envelope('Look'))?.snapshot.context.seen).toBe(1)
  })

  test('what a machine catches counts all the same', () => {
    const quiet = box(() => {
      try {
        return Date.now()
      } catch {
        return 0
      }
    })
    expect(fails(() => receive(quiet, envelope('Look'))).message).toContain('calls Date.now')
  })

  test('globals are the ones before, whatever happens', () => {
    const before = [Date, Date.now, Math.random, setTimeout, fetch, queueMicrotask, performance.now]
    receive(
      box(() => 1),
      envelope('Look'),
    )
    fails(() =>
      receive(
        box(() => Date.now()),
        envelope('Look'),
      ),
    )
    expect([Date, Date.now, Math.random, setTimeout, fetch, queueMicrotask, performance.now]).toEqual(before)
    expect(globalThis.Date).toBe(before[0])
  })
})

describe('what stands where is named', () => {
  const machine = (config: object, options: object = {}) =>
    defineAggregate(
      Box,
      setup({ types: Box.types<Context>(), ...options } as never).createMachine({
        context: { items: [], seen: null },
        ...config,
      } as never) as never,
    ) as unknown as Definition
  const on = (look: unknown) => ({ on: { Look: look, Put: {}, Wait: {} } })

  test.each<[string, Definition]>([
    ['inline assign of box on Look', machine(on({ actions: assign({ seen: () => Date.now() }) }))],
    ['inline guard of box on Look', machine(on({ guard: () => Date.now() > 0 }))],
    ['inline guard of box on Look #2', machine(on([{ guard: () => false }, { guard: () => Date.now() > 0 }]))],
    ['guard "late"', machine(on({ guard: 'late' }), { guards: { late: () => Date.now() > 0 } })],
    ['guard "late"', machine(on({ guard: not('late') }), { guards: { late: () => Date.now() > 0 } })],
    ['guard "late"', machine(on({ guard: and([() => true, 'late']) }), { guards: { late: () => Date.now() > 0 } })],
    [
      'params of guard "late"',
      machine(on({ guard: { type: 'late', params: () => Date.now() } }), { guards: { late: () => true } }),
    ],
    [
      'params of action "note"',
      machine(on({ actions: { type: 'note', params: () => Date.now() } }), { actions: { note: () => {} } }),
    ],
    ['context function', machine({ context: () => ({ items: [], seen: Date.now() }), ...on({}) })],
    ['inline assign on entry to box', machine({ entry: assign({ seen: () => Date.now() }), ...on({}) })],
    [
      'delay "patience"',
      machine(
        { initial: 'a', states: { a: { after: { patience: 'b' } }, b: {} }, ...on({}) },
        { delays: { patience: () => Date.now() } },
      ),
    ],
    [
      'inline assign on exit from box.a',
      machine({ initial: 'a', states: { a: { exit: assign({ seen: () => Date.now() }) }, b: {} }, ...on('.b') }),
    ],
    ['inline raise of box on Look', machine(on({ actions: raise(() => ({ type: 'Wait', at: Date.now() }) as never) }))],
    [
      'inline enqueueActions of box on Look',
      machine(on({ actions: enqueueActions(({ enqueue }) => enqueue.assign({ seen: () => Date.now() } as never)) })),
    ],
    [
      'output of box',
      machine({
        initial: 'a',
        states: { a: { on: { Look: 'b', Put: {}, Wait: {} } }, b: { type: 'final' } },
        output: () => Date.now(),
      }),
    ],
  ])('%s', (place, definition) => {
    expect(fails(() => receive(definition, envelope('Look'))).message).toContain(
      `In "box", the ${place} calls Date.now`,
    )
  })

  test('a custom action runs after the commit and may ask for anything', () => {
    const definition = machine(on({ actions: () => Date.now() }))
    expect(receive(definition, envelope('Look'))).toBeDefined()
  })
})

describe('a context is never changed in place', () => {
  test.each<[string, (context: Context) => unknown]>([
    ['a property', (context) => (context.items = [])],
    ['an item', (context) => (context.items[0] = 2)],
    ['push', (context) => context.items.push(2)],
    ['sort', (context) => context.items.sort()],
    ['delete', (context) => delete (context as Partial<Context>).seen],
  ])('%s is refused by the name of the action', (_, change) => {
    const { code, message } = fails(() => receive(box(change), envelope('Look'), envelope('Look')))
    expect(code).toBe('NOT_DETERMINISTIC')
    expect(message).toContain('the action "look" changes the context in place')
  })

  test('neither what it made itself in an earlier turn, nor what a context function gave, nor what was stored', () => {
    const types = Box.types<Context>()
    const machine = setup({ types }).createMachine({
      context: () => ({ items: [], seen: null }),
      on: {
        Put: { actions: assign({ items: ({ event }) => [...event.items] }) },
        Look: { actions: assign({ seen: ({ context }) => context.items.push(1) }) },
        Wait: {},
      },
    })
    const definition = observed(defineAggregate(Box, machine))
    const wiring = new Wiring([definition])
    // Once: a second time would meet what the first has frozen on its way out.
    const look = (state: EntityState) => () => decide(wiring, definition, state, envelope('Look'), 1_000)
    const made = take(wiring, definition, undefined, envelope('Put', { items: [3] }), 0).state as EntityState
    const born = take(wiring, definition, undefined, envelope('Wait'), 0).state as EntityState
    const stored = decodeSnapshot(definition, made.entity, encodeSnapshot(definition, made))
    for (const state of [made, born, stored]) {
      expect(fails(look(state)).message).toContain('the inline assign of box on Look changes the context in place')
    }
  })

  test('nor is the message', () => {
    const definition = defineAggregate(
      Box,
      setup({ types: Box.types<Context>() }).createMachine({
        context: { items: [], seen: null },
        on: {
          Put: { actions: assign({ items: ({ event }) => Object.assign(event, { items: [9] }).items }) },
          Look: {},
          Wait: {},
        },
      }),
    )
    const seen = fails(() => receive(definition, envelope('Put', { items: [1] })))
    expect(seen.message).toContain('in place')
    expect(seen.message).toContain('inline assign of box on Put')
  })

  test('a TypeError of another kind stays what it is', () => {
    const definition = box((context) => (context as never as { no: { no: 1 } }).no.no)
    expect(fails(() => receive(definition, envelope('Look'))).code).toBe('MACHINE_FAILED')
  })
})

describe('a context survives its own JSON', () => {
  class Money {
    cents = 1
  }
  const cycle: { self?: unknown } = {}
  cycle.self = [cycle]
  test.each<[string, unknown]>([
    ['NaN in context.seen.a', { a: Number.NaN }],
    ['Infinity in context.seen', Number.POSITIVE_INFINITY],
    ['-0 in context.seen[0]', [-0]],
    ['undefined in context.seen.list[1]', { list: [1, undefined] }],
    ['an array with holes in context.seen', new Array(3)],
    ['an instance of Date in context.seen', new Date(0)],
    ['an instance of Map in context.seen', new Map()],
    ['an instance of Money in context.seen', new Money()],
    ['a function in context.seen.f', { f() {} }],
    ['a bigint in context.seen', 1n],
    ['a cycle in context.seen.self[0]', cycle],
    ['a property named by a symbol in context.seen', { [Symbol('s')]: 1 }],
    [
      'a getter in context.seen.a',
      {
        get a() {
          return 1
        },
      },
    ],
  ])('%s is refused', (what, value) => {
    const { code, message } = fails(() =>
      receive(
        box(() => value),
        envelope('Look'),
      ),
    )
    expect(code).toBe('NOT_DETERMINISTIC')
    expect(message).toContain(`"box" keeps ${what}, which its stored form would not give back.`)
  })

  test('a property that is undefined is none', () => {
    expect(
      receive(
        box(() => ({ a: undefined })),
        envelope('Look'),
      ),
    ).toBeDefined()
  })
})

describe('a turn that comes to two ends is refused', () => {
  test('it says in what they differ', () => {
    let count = 0
    const definition = box(() => ++count)
    const { code, message } = fails(() => receive(definition, envelope('Look')))
    expect(code).toBe('NOT_DETERMINISTIC')
    expect(message).toContain('box/1 came to two ends on Look: its context.seen is 1, then 2.')
  })

  test('also where it fails one time only', () => {
    let count = 0
    const definition = box(() => {
      count += 1
      if (count === 2) throw new Error('the second time')
      return 0
    })
    expect(fails(() => receive(definition, envelope('Look'))).message).toContain('it failed the second time')
  })

  test('a machine that fails both times fails as in production', () => {
    const definition = box(() => {
      throw new Error('no stock')
    })
    expect(fails(() => receive(definition, envelope('Look')))).toMatchObject({
      name: 'InterstateError',
      code: 'MACHINE_FAILED',
    })
  })
})

describe('an observed definition decides as the bare one', () => {
  const timed = defineAggregate(
    Box,
    setup({
      types: Box.types<Context>(),
      guards: { full: ({ context }) => context.items.length > 2 },
      delays: { patience: ({ context }) => 1_000 * (1 + context.items.length) },
      actions: {
        put: assign({ items: ({ context, event }) => [...context.items, ...(event as { items: number[] }).items] }),
      },
    }).createMachine({
      context: { items: [], seen: null },
      initial: 'open',
      states: {
        open: {
          always: { guard: 'full', target: 'closed' },
          after: { patience: 'closed' },
          on: { Put: { actions: 'put' }, Wait: { target: 'open', reenter: true, guard: not(stateIn('closed')) } },
        },
        closed: {
          on: { Look: { actions: assign({ seen: () => turn().id() }) } },
          type: 'parallel',
          states: { a: {}, b: {} },
        },
      },
    }),
  )
  const messages = [
    envelope('Look'),
    envelope('Put', { items: [1] }),
    envelope('Wait'),
    envelope('Put', { items: [2, 3] }),
    envelope('Look'),
    envelope('Put', { items: [4] }),
  ]

  test('byte for byte, with every watch set', () => {
    const copy = observed(timed, { entered() {}, left() {}, taken() {}, guarded() {} })
    expect({ ...copy, machine: null }).toEqual({ ...timed, machine: null })
    const run = (definition: Definition) => {
      const wiring = new Wiring([definition])
      let state: Parameters<typeof decide>[2]
      return messages.map((message) => {
        const decision = decide(wiring, definition, state, message, 5)
        state = decision.state
        return JSON.stringify({ ...decision, state: { ...state, snapshot: state?.snapshot.toJSON() } })
      })
    }
    expect(run(copy)).toEqual(run(timed))
  })

  test('a machine that never settles is stopped all the same', () => {
    const round = defineAggregate(
      Box,
      setup({ types: Box.types<Context>() }).createMachine({
        context: { items: [], seen: null },
        initial: 'a',
        states: { a: { on: { Look: 'b', Put: {}, Wait: {} } }, b: { always: 'c' }, c: { always: 'b' } },
      }),
    )
    expect(fails(() => receive(round, envelope('Look'))).code).toBe('MACHINE_NEVER_SETTLES')
  })

  test('a failing guard fails with the same words', () => {
    const broken = defineAggregate(
      Box,
      setup({
        types: Box.types<Context>(),
        guards: {
          bad: () => {
            throw new Error('bad')
          },
        },
      }).createMachine({ context: { items: [], seen: null }, on: { Look: { guard: 'bad' }, Put: {}, Wait: {} } }),
    )
    const copy = observed(broken, { guarded() {} })
    const [bare, seen] = [broken, copy].map((each) =>
      fails(() => decide(new Wiring([each]), each, undefined, envelope('Look'), 0)),
    )
    expect(seen?.message).toBe(bare?.message)
  })

  test('in a real host, timers and restarts included', async () => {
    const told: string[] = []
    const copy = observed(timed, {
      entered: (_, state) => told.push(`> ${state}`),
      left: (_, state) => told.push(`< ${state}`),
      taken: (_, transition) => told.push(transition),
      guarded: (_, transition, passed) => told.push(`${transition}? ${passed}`),
    })
    const env = new VirtualEnv()
    const store = memoryStore()
    const first = await createHost({ entities: [copy], store, env })
    await first.send(Box.at('1'), { type: 'Put', items: [1] })
    await first.drain()
    await first.stop()
    told.length = 0
    await using second = await createHost({ entities: [copy], store, env, verification: 'never' } as never)
    await env.advance(2_000)
    expect((await second.read(Box.at('1')))?.value).toEqual({ closed: { a: {}, b: {} } })
    expect(told).toContain('box.open after patience')
    expect(told).toContain('> box.closed.b')
    expect(told).toContain('< box.open')
  })

  test('what an action asks for fails the turn in a real host too', async () => {
    const env = new VirtualEnv()
    const signals: string[] = []
    await using host = await createHost({
      entities: [observed(box(() => Math.random()))],
      store: memoryStore(),
      env,
      onSignal: (signal) => void (signal.signal === 'retry' && signals.push(signal.text)),
    })
    await host.send(Box.at('1'), { type: 'Look' })
    await env.advance(10)
    expect(signals.join()).toContain('the action "look" calls Math.random')
  })
})

describe('a watch is told what happened', () => {
  test('each guard of a transition as a whole, once a turn', () => {
    const told: string[] = []
    const definition = defineAggregate(
      Box,
      setup({ types: Box.types<Context>(), guards: { no: () => false } }).createMachine({
        context: { items: [], seen: null },
        on: {
          Look: [{ guard: 'no' }, { guard: not('no') }, { guard: () => true }],
          Put: {},
          Wait: {},
        },
      }),
    )
    const copy = observed(definition, {
      taken: (type, transition) => told.push(`${type}: ${transition}`),
      guarded: (_, transition, passed) => told.push(`${transition} ${passed}`),
    })
    take(new Wiring([copy]), copy, undefined, envelope('Look'), 0)
    expect(told).toEqual(['box on Look #1 false', 'box on Look #2 true', 'box: box on Look #2'])
  })

  test('a state that an eventless transition leaves at once was entered all the same', () => {
    const told: string[] = []
    const definition = defineAggregate(
      Box,
      setup({ types: Box.types<Context>() }).createMachine({
        context: { items: [], seen: null },
        initial: 'a',
        states: { a: { always: 'b' }, b: { on: { Look: {}, Put: {}, Wait: {} } } },
      }),
    )
    const copy = observed(definition, { entered: (_, state) => told.push(state) })
    take(new Wiring([copy]), copy, undefined, envelope('Look'), 0)
    expect(told).toEqual(['box', 'box.a', 'box.b'])
  })
})

test('a state of the bare machine is refused: it would be observed in part', () => {
  const definition = box(() => 1)
  const bare = decide(new Wiring([definition]), definition, undefined, envelope('Look'), 0).state
  const copy = observed(definition)
  expect(fails(() => take(new Wiring([copy]), copy, bare, envelope('Look'), 0)).code).toBe('WORLD_INVALID')
})
