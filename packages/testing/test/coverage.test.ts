import {
  contract,
  type Definition,
  defineAggregate,
  defineSaga,
  type EntityState,
  type Envelope,
  follow,
  Wiring,
} from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { Coverage, type CoverageData, type Thresholds, VirtualEnv, type WorldError } from '@interstate/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { assign, emit, fromPromise, not, raise, setup } from 'xstate'
import { z } from 'zod'
import { take } from '../src/observe/take.ts'

const empty = z.object({})
const Door = contract('door', {
  commands: { Open: z.object({ key: z.number() }), Close: empty, Knock: empty, Break: empty },
  events: { Opened: empty },
})

const machine = setup({
  types: Door.types<{ tries: number }, never, { type: 'Remind' }>(),
  guards: { fits: ({ event }) => (event as { key: number }).key === 1 },
}).createMachine({
  context: { tries: 0 },
  initial: 'shut',
  states: {
    shut: {
      on: {
        Open: [
          { guard: 'fits', target: 'open', actions: emit({ type: 'Opened' }) },
          { guard: not('fits'), actions: assign({ tries: ({ context }) => context.tries + 1 }) },
        ],
      },
    },
    open: {
      entry: raise({ type: 'Remind' }, { delay: 1_000, id: 'remind' }),
      after: { 60000: 'shut' },
      on: { Close: 'shut', Remind: {} },
    },
    broken: { type: 'final' },
  },
  on: { Break: '.broken' },
})
const door = defineAggregate(Door, machine, { ignores: ['Knock'] })

const follows = follow(Door.event('Opened').bySource().starts())
const watchman = defineSaga(
  'watchman',
  follows,
  setup({ types: follows.types() }).createMachine({
    initial: 'awake',
    states: { awake: { on: { 'door.Opened': {} } } },
  }),
)

const { fingerprint } = new Coverage([door]).toJSON().definitions.door as { fingerprint: string }

let coverage: Coverage
let env: VirtualEnv
beforeEach(() => {
  coverage = new Coverage([door, watchman])
  env = new VirtualEnv()
})
const hostOf = (entities: readonly Definition[], of: Coverage = coverage) =>
  createHost({ entities, store: memoryStore(), env, onSignal: of.listener })

/** Opens a door, lets the time pass, and so on. */
async function live(entities: readonly Definition[], of: Coverage = coverage): Promise<void> {
  await using host = await hostOf(entities, of)
  const at = Door.at('a')
  await host.send(at, { type: 'Open', key: 1 })
  await host.send(at, { type: 'Knock' })
  await host.send(at, { type: 'Open', key: 1 })
  await host.drain()
  await env.advance(60_000)
  await host.drain()
}

const reportOf = (name: string, of: Coverage = coverage) => {
  const found = of.report().definitions.find((each) => each.name === name)
  if (found === undefined) throw new Error(name)
  return found
}
const cell = (message: string, state: string, of?: Coverage) => {
  const { messages, columns, name } = reportOf(message.startsWith('door.') ? 'watchman' : 'door', of)
  const column = columns.indexOf(state === '(new)' ? state : `${name}.${state}`)
  return messages.find(({ type }) => type === message)?.cells[column]
}
const failureOf = (body: () => unknown): WorldError => {
  try {
    body()
  } catch (error) {
    return error as WorldError
  }
  throw new Error('it did not fail')
}

describe('a host with observed entities tells all', () => {
  beforeEach(() => live(coverage.entities))

  test('states entered, each once, however often the host decides a turn', () => {
    const entered = reportOf('door').states.map(({ name, entered: times }) => [name, times])
    expect(entered).toEqual([
      ['door', 1],
      ['door.shut', 2],
      ['door.open', 1],
      ['door.broken', 0],
    ])
  })

  test('transitions taken, by where they stand', () => {
    const { transitions, missing } = reportOf('door')
    expect(transitions.find(({ name }) => name === 'door.open after 1 min')).toMatchObject({
      taken: 1,
      targets: ['door.shut'],
    })
    expect(missing.transitions).toEqual(['door on Break', 'door.shut on Open #2', 'door.open on Close'])
  })

  test('guards, true and false', () => {
    expect(reportOf('door').missing.guards).toEqual([
      'door.shut on Open #1: guard false',
      'door.shut on Open #2: guard true',
      'door.shut on Open #2: guard false',
    ])
  })

  test('timers armed, fired, and not cancelled; a delayed message by its type', () => {
    expect(reportOf('door').timers).toEqual([
      { name: 'delayed Remind', armed: 1, fired: 1, cancelled: 0, cancellable: true },
      { name: 'door.open after 1 min', armed: 1, fired: 1, cancelled: 0, cancellable: true },
    ])
  })

  test('what became of each message in the state in which it met the entity', () => {
    expect(cell('Open', 'shut')).toEqual({ handled: 1, ignored: 0, refused: 0 })
    expect(cell('Open', 'open')).toEqual({ handled: 0, ignored: 0, refused: 1 })
    expect(cell('Knock', 'open')).toEqual({ handled: 0, ignored: 1, refused: 0 })
    expect(cell('Close', 'shut')).toEqual({ handled: 0, ignored: 0, refused: 0 })
    expect(cell('door.Opened', '(new)')).toEqual({ handled: 1, ignored: 0, refused: 0 })
  })
})

test('a host with bare entities tells of messages, timers and states alone', async () => {
  await live([door, watchman])
  const { states, transitions, timers } = reportOf('door').measures
  expect([states.covered, transitions.covered, timers.covered]).toEqual([3, 0, 2])
  expect(cell('Knock', 'open')).toMatchObject({ ignored: 1 })
})

test('entities that a coverage was not made of are left out of what a host tells', async () => {
  coverage = new Coverage([door])
  await live([door, watchman])
  expect(coverage.report().definitions).toHaveLength(1)
  expect(cell('Knock', 'open')).toMatchObject({ ignored: 1 })
})

test('a timer of a state that is left is cancelled, and so are all when the entity is done', async () => {
  await using host = await hostOf(coverage.entities)
  const open = { type: 'Open', key: 1 } as const
  for (const message of [open, { type: 'Close' } as const, open, { type: 'Break' } as const]) {
    await host.send(Door.at('a'), message)
    await host.drain()
  }
  // The reminder has no cancel(…) and outlives its state; being set again ends the first.
  expect(reportOf('door').timers).toEqual([
    { name: 'delayed Remind', armed: 2, fired: 0, cancelled: 2, cancellable: true },
    { name: 'door.open after 1 min', armed: 2, fired: 0, cancelled: 2, cancellable: true },
  ])
})

test('of two timers of one state the earlier fires and the later is cancelled by that', async () => {
  const Lamp = contract('lamp', { commands: { Light: empty } })
  const lamp = defineAggregate(
    Lamp,
    setup({ types: Lamp.types() }).createMachine({
      initial: 'dark',
      states: { dark: { on: { Light: 'lit' } }, lit: { after: { 100: 'dark', 200: 'broken' } }, broken: {} },
    }),
  )
  const lit = new Coverage([lamp])
  await using host = await hostOf(lit.entities, lit)
  await host.send(Lamp.at('a'), { type: 'Light' })
  await host.drain()
  await env.advance(1_000)
  expect(reportOf('lamp', lit).timers).toEqual([
    { name: 'lamp.lit after 100 ms', armed: 1, fired: 1, cancelled: 0, cancellable: true },
    { name: 'lamp.lit after 200 ms', armed: 1, fired: 0, cancelled: 1, cancellable: true },
  ])
})

test('of a timer that is the only way out of its state no cancellation is asked', async () => {
  const Fuse = contract('fuse', { commands: { Light: empty, Look: empty } })
  const fuse = defineAggregate(
    Fuse,
    setup({ types: Fuse.types() }).createMachine({
      initial: 'cold',
      states: {
        cold: { on: { Light: 'burning', Look: {} } },
        burning: { after: { 100: 'burnt' }, on: { Look: {} } },
        burnt: { on: { Look: 'cold' }, after: { 500: 'cold' } },
      },
    }),
  )
  const burnt = new Coverage([fuse])
  await using host = await hostOf(burnt.entities, burnt)
  await host.send(Fuse.at('a'), { type: 'Light' })
  await host.drain()
  await env.advance(1_000)
  expect(reportOf('fuse', burnt).timers).toEqual([
    { name: 'fuse.burning after 100 ms', armed: 1, fired: 1, cancelled: 0, cancellable: false },
    { name: 'fuse.burnt after 500 ms', armed: 1, fired: 1, cancelled: 0, cancellable: true },
  ])
  expect(reportOf('fuse', burnt).measures.timers).toMatchObject({ covered: 2, total: 3 })
})

test('turns that are handed over one by one count the same as what a host tells', async () => {
  await live(coverage.entities)
  const byTurns = new Coverage([door])
  const [definition] = byTurns.entities as [Definition]
  const wiring = new Wiring([definition])
  let state: EntityState | undefined
  const hand = (kind: Envelope['kind'], type: string, data: Envelope['data'], now: number) => {
    const message = {
      id: `${type}-${now}`,
      kind,
      to: 'door/a',
      from: 'client',
      type,
      data,
      correlationId: 'c',
      causationId: 'c',
      created: now,
      contractVersion: 1,
    }
    const decision = take(wiring, definition, state, message as never, now)
    byTurns.turn(definition, state, message as never, decision)
    state = decision.state
  }
  const timers = (): EntityState['timers'] => state?.timers ?? {}
  hand('command', 'Open', { key: 1 }, 0)
  hand('command', 'Knock', {}, 0)
  hand('command', 'Open', { key: 1 }, 1)
  hand('timeout', 'timeout', { timer: 'remind', generation: timers().remind?.generation ?? 0 }, 1_000)
  const [after] = Object.entries(timers())
  hand('timeout', 'timeout', { timer: after?.[0] ?? '', generation: after?.[1].generation ?? 0 }, 60_000)
  expect(reportOf('door', byTurns)).toEqual(reportOf('door'))
})

describe('several runs', () => {
  test('are joined through JSON, as vitest runs its files in several processes', async () => {
    await live(coverage.entities)
    const once = coverage.report()
    const other = new Coverage([door, watchman])
    await using host = await hostOf(other.entities, other)
    await host.send(Door.at('b'), { type: 'Break' })
    await host.drain()
    const stored = JSON.parse(JSON.stringify(other)) as CoverageData
    coverage.merge(stored)
    expect(reportOf('door').missing.states).toEqual([])
    expect(reportOf('door').states[0]?.entered).toBe(2)
    expect(cell('Break', 'shut')).toMatchObject({ handled: 1 })
    expect(Coverage.from([door, watchman], stored).report()).toEqual(other.report())
    expect(once).not.toEqual(coverage.report())
  })

  test.each<[string, unknown]>([
    ['another machine', { format: 1, definitions: { door: { ...emptyCounts(), fingerprint: '1 other' } } }],
    ['an entity type that it does not know', { format: 1, definitions: { gate: emptyCounts() } }],
    ['a damaged file', { format: 1, definitions: { door: { ...emptyCounts(), fingerprint, states: { door: -1 } } } }],
    ['half a file', { format: 1, definitions: { door: { ...emptyCounts(), fingerprint, states: undefined } } }],
    ['another format', { format: 2, definitions: {} }],
    ['nothing', null],
  ])('of %s are refused', (_, data) => {
    const before = coverage.report()
    expect(failureOf(() => coverage.merge((data ?? {}) as CoverageData)).code).toBe('COVERAGE_INVALID')
    expect(coverage.report()).toEqual(before)
  })
})

test('counts of nothing are joined', () => {
  const before = coverage.report()
  coverage.merge({ format: 1, definitions: { door: { ...emptyCounts(), fingerprint } as never } })
  expect(coverage.report()).toEqual(before)
})

function emptyCounts(): object {
  const sections = ['states', 'transitions', 'passed', 'failed', 'armed', 'fired', 'cancelled', 'messages']
  return { fingerprint: 'f', ...Object.fromEntries(sections.map((section) => [section, {}])) }
}

describe('thresholds', () => {
  beforeEach(() => live(coverage.entities))

  test('that are reached pass', () => {
    expect(() => coverage.require({ states: 83, timers: 50 })).not.toThrow()
    expect(() => coverage.require({})).not.toThrow()
  })

  test('that are not reached fail with the names of what is missing', () => {
    const { code, message } = failureOf(() => coverage.require({ states: 100, timers: 51, messages: 1 }))
    expect(code).toBe('COVERAGE_LOW')
    expect(message).toContain('Coverage is too low: states 83.3 % of 100 % (5 of 6), timers 50 % of 51 % (2 of 4).')
    expect(message).toContain('  door.broken\n  delayed Remind: cancelled\n  door.open after 1 min: cancelled\n')
    expect(message).not.toContain('messages')
  })

  test('name the first twenty of a long list, and how many more there are', () => {
    const names = Array.from({ length: 30 }, (_, index) => `s${index}`)
    const states = Object.fromEntries(names.map((name) => [name, {}]))
    const Long = contract('long', {})
    const long = defineAggregate(
      Long as never,
      setup({}).createMachine({ initial: 's0', states }) as never,
    ) as unknown as Definition
    const { message } = failureOf(() => new Coverage([long]).require({ states: 100 }))
    expect(message).toContain('long.s18\n')
    expect(message).not.toContain('long.s19\n')
    expect(message).toContain('… and 11 more')
  })

  test('of nothing to cover are reached, and of what never ran are not', () => {
    const fresh = new Coverage([watchman])
    expect(fresh.report().total.timers).toEqual({ covered: 0, total: 0, percent: 100 })
    expect(() => fresh.require({ timers: 100, guards: 100 })).not.toThrow()
    expect(fresh.report().total.states).toEqual({ covered: 0, total: 2, percent: 0 })
    expect(failureOf(() => fresh.require({ states: 1 })).code).toBe('COVERAGE_LOW')
  })

  test.each<[string, Thresholds]>([
    ['NaN', { states: Number.NaN }],
    ['more than everything', { states: 101 }],
    ['less than nothing', { states: -1 }],
    ['a text', { states: '90' as never }],
    ['undefined', { states: undefined as never }],
    ['an unknown measure', { lines: 90 } as never],
  ])('of %s are refused', (_, thresholds) => {
    expect(failureOf(() => coverage.require(thresholds)).code).toBe('COVERAGE_INVALID')
  })
})

test('almost everything is not rounded to everything', () => {
  const states = Object.fromEntries(Array.from({ length: 1_999 }, (_, index) => [`s${index}`, {}]))
  const definition = defineAggregate(
    contract('many', {}) as never,
    setup({}).createMachine({ initial: 's0', states }) as never,
  ) as unknown as Definition
  const many = new Coverage([definition])
  const data = many.toJSON()
  const seen = Object.fromEntries(
    [
      'many',
      ...Object.keys(states)
        .slice(1)
        .map((key) => `many.${key}`),
    ].map((key) => [key, 1]),
  )
  many.merge({
    ...data,
    definitions: { many: { ...(data.definitions.many as never as object), states: seen } as never },
  })
  expect(many.report().total.states).toEqual({ covered: 1_999, total: 2_000, percent: 99.9 })
})

describe('what makes no sense is refused', () => {
  test('no entities', () => expect(failureOf(() => new Coverage([])).code).toBe('COVERAGE_INVALID'))
  test('one name twice', () => expect(failureOf(() => new Coverage([door, door])).code).toBe('COVERAGE_INVALID'))
  test('a turn of an entity that it was not made of', () => {
    expect(failureOf(() => new Coverage([watchman]).turn(door, undefined, {} as never, {} as never)).code).toBe(
      'COVERAGE_INVALID',
    )
  })
  test('a table of an entity that it was not made of', () => {
    expect(failureOf(() => coverage.text('gate')).code).toBe('COVERAGE_INVALID')
  })
})

describe('as text', () => {
  beforeEach(() => live(coverage.entities))

  test('it fits on a screen', () => {
    const lines = coverage.text().split('\n')
    expect(lines.length).toBeLessThanOrEqual(24)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120)
    expect(coverage.text()).toMatchInlineSnapshot(`
      "|          |       states |  transitions |     guards |     timers |      messages |
      | :------- | -----------: | -----------: | ---------: | ---------: | ------------: |
      | door     |   75 % (3/4) |   50 % (3/6) | 25 % (1/4) | 50 % (2/4) |   25 % (3/12) |
      | watchman |  100 % (2/2) |    0 % (0/1) |          – |          – |    50 % (1/2) |
      | all      | 83.3 % (5/6) | 42.8 % (3/7) | 25 % (1/4) | 50 % (2/4) | 28.5 % (4/14) |

      Missing:
        never entered: door.broken
        never taken: door on Break
        never taken: door.shut on Open #2
        never taken: door.open on Close
        never taken: watchman.awake on door.Opened
        never: door.shut on Open #1: guard false
        never: door.shut on Open #2: guard true
        never: door.shut on Open #2: guard false
        never: delayed Remind: cancelled
        never: door.open after 1 min: cancelled"
    `)
  })

  test('it shows one definition by messages and states', () => {
    expect(coverage.text('door')).toMatchInlineSnapshot(`
      "| door  | shut | open | broken |
      | ----- | ---- | ---- | ------ |
      | Open  | ✓1   | ✗1   | ·      |
      | Close | ·    | ·    | ·      |
      | Knock | ·    | ○1   | ·      |
      | Break | ·    | ·    | ·      |

      ✓ handled  ○ ignored  ✗ refused  · never tried"
    `)
  })
})

test('the end of an effect counts once, though a developing host decides it twice', async () => {
  const Shop = contract('shop', { commands: { Order: empty } })
  const shop = defineAggregate(
    Shop,
    setup({ types: Shop.types(), actors: { book: fromPromise(async () => 1) } }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { Order: 'booking' } },
        booking: { invoke: { src: 'book', onDone: 'booked', onError: 'idle' } },
        booked: {},
      },
    }),
  )
  const booked = new Coverage([shop])
  await using host = await hostOf(booked.entities, booked)
  await host.send(Shop.at('a'), { type: 'Order' })
  await host.drain()
  expect(reportOf('shop', booked).transitions.map(({ name, taken }) => [name, taken])).toEqual([
    ['shop.idle on Order', 1],
    ['shop.booking on done of book', 1],
    ['shop.booking on error of book', 0],
  ])
})

test('no message is expected in a state that an eventless transition always leaves at once', () => {
  const Gate = contract('gate', { commands: { Go: empty } })
  const gate = defineAggregate(
    Gate,
    setup({ types: Gate.types(), guards: { no: () => false } }).createMachine({
      initial: 'choosing',
      states: {
        choosing: { always: [{ guard: 'no', target: 'left' }, { target: 'waiting' }] },
        waiting: { always: { guard: 'no', target: 'left' }, on: { Go: 'left' } },
        left: {},
      },
    }),
  )
  expect(reportOf('gate', new Coverage([gate])).columns).toEqual(['gate.waiting', 'gate.left'])
})

describe('a parallel machine', () => {
  test('a message counts in each region in which it met the entity', () => {
    const Lamp = contract('lamp', { commands: { Toggle: empty } })
    const lamp = defineAggregate(
      Lamp,
      setup({ types: Lamp.types() }).createMachine({
        type: 'parallel',
        states: {
          light: { initial: 'off', states: { off: { on: { Toggle: 'on' } }, on: {} } },
          color: { initial: 'red', states: { red: {}, past: { type: 'history' } } },
        },
      }),
    )
    const lit = new Coverage([lamp])
    const [definition] = lit.entities as [Definition]
    const message = {
      id: 'm',
      kind: 'command',
      to: 'lamp/1',
      from: 'client',
      type: 'Toggle',
      data: {},
      correlationId: 'c',
      causationId: 'c',
      created: 0,
      contractVersion: 1,
    }
    lit.turn(
      definition,
      undefined,
      message as never,
      take(new Wiring([definition]), definition, undefined, message as never, 0),
    )
    expect(reportOf('lamp', lit).columns).toEqual(['lamp.light.off', 'lamp.light.on', 'lamp.color.red'])
    expect(reportOf('lamp', lit).messages[0]?.cells.map(({ handled }) => handled)).toEqual([1, 0, 1])
    expect(reportOf('lamp', lit).missing.states).toEqual([])
  })
})

describe('the page', () => {
  const evil = '<script>alert("x")</script>'
  test('takes nothing of a machine for markup', () => {
    const Evil = contract('evil', { commands: { Go: empty } })
    const definition = defineAggregate(
      Evil,
      setup({
        types: Evil.types(),
        guards: { [evil]: () => true },
      }).createMachine({
        description: evil,
        initial: evil,
        states: {
          [evil]: {
            description: evil,
            on: { Go: { guard: evil, description: evil, target: '"onload="x' }, [`${evil}.*`]: {} },
          },
          '"onload="x': { after: { 1000: evil } },
        },
      } as never) as never,
    ) as unknown as Definition
    const page = new Coverage([definition]).html({ title: evil })
    expect(page).not.toContain('<script')
    expect(page).not.toMatch(/<[^>]*\sonload=/)
    expect(page.split('&lt;script&gt;').length).toBeGreaterThan(8)
  })

  test('names a neighbour by its own name, a state farther away by its path, and a guard by what it says', () => {
    const Motor = contract('motor', { commands: { Go: empty, Stop: empty } })
    const motor = defineAggregate(
      Motor,
      setup({ types: Motor.types<{ n: number }>() }).createMachine({
        context: { n: 0 },
        initial: 'off',
        states: {
          off: { on: { Go: { guard: ({ context }) => context.n === 0, target: 'on.slow' } } },
          on: { initial: 'slow', states: { slow: { on: { Go: 'fast' } }, fast: {} }, on: { Stop: 'off' } },
        },
      }),
    )
    const page = new Coverage([motor]).html()
    const links = Array.from(page.matchAll(/<a class="name" href="#d0-\d+">(.*?)<\/a>/g), ([, text]) => text)
    expect(links).toEqual(['on.slow', 'off', 'fast'])
    expect(page).toContain('if <span class="name">context.n === 0</span>')
    expect(page).toContain('<th scope="col"><small>on.</small>slow</th>')
  })

  test('needs nothing from elsewhere', () => {
    expect(coverage.html()).not.toMatch(/https?:|src=|@import|url\(/)
  })
})
