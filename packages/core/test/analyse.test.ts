// analyse.test.ts: each finding by the smallest system that has the defect, beside its nearest neighbour that has not.
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, createMachine, emit, enqueueActions, fromPromise, raise, sendTo } from 'xstate'
import {
  type AnalyseOptions,
  analyse,
  contract,
  type Definition,
  type DefinitionOptions,
  defineAggregate,
  defineSaga,
  follow,
} from '../src/index.ts'
import { anything } from './hosted.ts'

const names = (definitions: readonly Definition[], options: AnalyseOptions = {}): readonly string[] =>
  analyse(definitions, options).map(({ name }) => name)
const machine = (config: object, implementations: object = {}): AnyStateMachine =>
  createMachine(config as never, implementations as never) as unknown as AnyStateMachine

const Order = contract('order', { commands: { Place: anything }, events: { Placed: anything } })
const Stock = contract('stock', {
  commands: { Reserve: anything, Release: anything },
  events: { Emptied: anything },
  replies: { Reserved: anything, SoldOut: anything },
})
const placing = { on: { Place: { actions: emit({ type: 'Placed' }) } } }
const order = defineAggregate(Order, machine(placing))
const reserving = { Reserve: { actions: Stock.reply({ type: 'Reserved' }) }, Release: {} }
const stock = (on: object = reserving, options: DefinitionOptions = {}): Definition =>
  defineAggregate(Stock, machine({ on }), options)
/** A saga that an order starts and that may send to the stock. */
const saga = (config: object, options: DefinitionOptions = {}, implementations: object = {}): Definition =>
  defineSaga('saga', follow(Order.event('Placed').bySource().starts()), machine(config, implementations), {
    sends: [Stock],
    ...options,
  })
const reserve = sendTo(Stock.at('shelf'), { type: 'Reserve' })
const release = sendTo(Stock.at('shelf'), { type: 'Release' })
/** Nobody follows it, and nobody need. */
const accept = ['event-without-follower stock.Emptied']

/** Defect and neighbour. */
interface Case {
  readonly what: string
  readonly name: string
  readonly defect: readonly Definition[]
  readonly neighbour: readonly Definition[]
  readonly limits?: AnalyseOptions['limits']
}

const sagaCases = (
  what: string,
  name: string,
  defect: Definition,
  neighbour: Definition,
  shop: Definition = stock(),
): Case => ({ what, name, defect: [order, shop, defect], neighbour: [order, shop, neighbour] })

const Ping = contract('ping', { commands: { Serve: anything } })
const Pong = contract('pong', { commands: { Return: anything } })
const ping = (action: unknown, more: object = {}): Definition =>
  defineAggregate(Ping, machine({ on: { Serve: { actions: action, ...more } } }), { sends: [Pong] })
const pong = (action: unknown): Definition =>
  defineAggregate(Pong, machine({ on: { Return: { actions: action } } }), { sends: [Ping] })
const serve = sendTo(Ping.at('a'), () => ({ type: 'Serve' }))
const back = sendTo(Pong.at('a'), ({ event }) => ({ type: 'Return', of: event.type }))

const repeating = {
  initial: 'once',
  states: { once: { entry: reserve, after: { 5: 'again' } }, again: { entry: reserve } },
}
const waitingForEmptied = { entry: reserve, on: { 'stock.Emptied': 'fine' } }
const emptying = stock({ Reserve: { actions: emit({ type: 'Emptied' }) }, Release: {} })

const shelf = (): unknown => Stock.at('shelf')
const named = ({ event }: { event: { type: string } }): unknown => Stock.at(event.type)
const jealous = defineAggregate(
  Stock,
  machine({
    initial: 'open',
    states: { open: { on: { Reserve: 'held', Release: {} } }, held: { on: { Reserve: {} } } },
  }),
)
const asking = defineAggregate(Order, machine({ on: { ...placing.on, 'stock.Reserved': {} } }))

const cases: readonly Case[] = [
  sagaCases(
    'a command to a contract that is not in `sends`',
    'command-not-listed saga sends to stock',
    saga({ entry: release }, { sends: [] }),
    saga({ entry: release }),
  ),
  sagaCases(
    'a command that its contract does not have',
    'message-unknown saga sends stock.Relaese',
    saga({ entry: sendTo(Stock.at('shelf'), { type: 'Relaese' } as never) }),
    saga({ entry: release }),
  ),
  {
    what: 'an event that its contract does not have',
    name: 'message-unknown order sends order.Palced',
    defect: [defineAggregate(Order, machine({ on: { Place: { actions: emit({ type: 'Palced' }) } } })), saga({})],
    neighbour: [order, saga({})],
  },
  {
    what: 'an event that nobody follows',
    name: 'event-without-follower order.Placed',
    defect: [order],
    neighbour: [order, saga({}, { sends: [] })],
  },
  {
    what: 'a followed event that finds no transition',
    name: 'event-without-transition watch follows stock.Emptied',
    defect: [order, stock(), watch({ on: {} })],
    neighbour: [order, stock(), watch({ on: { 'stock.Emptied': {} } })],
  },
  sagaCases(
    'a key with a slip',
    'key-without-message saga in waiting: stock.Resreved',
    saga({ initial: 'waiting', states: { waiting: { on: { 'stock.Resreved': {} } } } }),
    saga({ initial: 'waiting', states: { waiting: { on: { 'stock.Reserved': {} } } } }),
  ),
  {
    what: 'a key for an event that it does not follow',
    name: 'key-without-message saga in any state: stock.Emptied',
    defect: [order, stock(), saga({ on: { 'stock.Emptied': {} } })],
    neighbour: [order, stock(), watch({ on: { 'stock.Emptied': {} } })],
  },
  {
    what: 'a key for a reply of a contract that it does not send to',
    name: 'key-without-message saga in any state: stock.*',
    defect: [order, stock(), saga({ on: { 'stock.*': {} } }, { sends: [] })],
    neighbour: [order, stock(), saga({ on: { 'stock.*': {} } })],
  },
  sagaCases(
    'a key that nothing raises',
    'key-without-message saga in any state: EXPIERD',
    saga({ entry: raise({ type: 'EXPIRED' }, { delay: 5 }), on: { EXPIERD: {} } }),
    saga({ entry: raise({ type: 'EXPIRED' }, { delay: 5 }), on: { EXPIRED: {} } }),
  ),
  sagaCases(
    'a state that nothing leads to',
    'state-unreachable saga in lost',
    saga({ initial: 'here', states: { here: {}, lost: {} } }),
    saga({ initial: 'here', states: { here: { after: { 5: 'lost' } }, lost: {} } }),
  ),
  sagaCases(
    'a final state that nothing leads to',
    'state-unreachable saga in here.end',
    saga({ initial: 'here', states: { here: { initial: 'a', states: { a: {}, end: { type: 'final' } } } } }),
    saga({
      initial: 'here',
      states: { here: { initial: 'a', states: { a: { always: 'end' }, end: { type: 'final' } } } },
    }),
  ),
  sagaCases(
    'a state that only the end of another leads to, which comes to none',
    'state-unreachable saga in next',
    saga({ initial: 'here', states: { here: { initial: 'a', states: { a: {} }, onDone: 'next' }, next: {} } }),
    saga({
      initial: 'here',
      states: {
        here: { initial: 'a', states: { a: { always: 'end' }, end: { type: 'final' } }, onDone: 'next' },
        next: {},
      },
    }),
  ),
  sagaCases(
    'a timer that never comes',
    'delay-impossible saga in any state: Infinity',
    saga({ after: { Infinity: { actions: [] } } }),
    saga({ after: { 1000: { actions: [] } } }),
  ),
  sagaCases(
    'a timer from before',
    'delay-impossible saga in any state: patience (-1)',
    saga({ after: { patience: { actions: [] } } }, {}, { delays: { patience: -1 } }),
    saga({ after: { patience: { actions: [] } } }, {}, { delays: { patience: 1 } }),
  ),
  sagaCases(
    'a delayed message from before',
    'delay-impossible saga in any state: -5',
    saga({ exit: sendTo(Stock.at('shelf'), { type: 'Release' }, { delay: -5 }) }),
    saga({ exit: sendTo(Stock.at('shelf'), { type: 'Release' }, { delay: 5 }) }),
  ),
  sagaCases(
    'a reply that nothing takes where it was asked for',
    'reply-unhandled saga in any state: stock.Reserved',
    saga({ entry: reserve }),
    saga({ entry: reserve, on: { 'stock.Reserved': {} } }),
  ),
  sagaCases(
    'a reply that comes after a timeout',
    'reply-unhandled saga in late: stock.Reserved',
    saga(patient({})),
    saga(patient({ on: { 'stock.Reserved': {} } })),
  ),
  sagaCases(
    'a reply that comes when all is over',
    'reply-unhandled saga in late: stock.Reserved',
    saga(patient({ type: 'final' })),
    // What was reserved is given back, in whichever order.
    saga(patient({ type: 'final', entry: release })),
  ),
  sagaCases(
    'a reply that comes minutes after its command',
    'reply-unhandled saga in any state: stock.SoldOut',
    saga({ entry: reserve }),
    saga({ entry: reserve }, { ignores: ['stock.SoldOut'] }),
    defineAggregate(
      Stock,
      machine({
        initial: 'open',
        states: {
          open: { on: { Reserve: 'looking', Release: {} } },
          looking: { after: { 60000: { target: 'open', actions: Stock.reply(() => ({ type: 'SoldOut' })) } } },
        },
      }),
    ),
  ),
  {
    what: 'an event that the saga waits for and that comes after a timeout',
    name: 'event-unhandled saga in late: stock.Emptied',
    defect: [order, emptying, follower({})],
    neighbour: [order, emptying, follower({ on: { 'stock.Emptied': {} } })],
  },
  sagaCases(
    'a second command that may find what the first one has left',
    'refusal-unhandled saga in late: stock.rejected',
    saga(patient({ entry: release, on: { 'stock.Reserved': {} } })),
    saga(patient({ entry: release, on: { 'stock.*': {} } })),
    defineAggregate(
      Stock,
      machine({ initial: 'a', states: { a: { on: reserving }, b: {}, c: {} }, on: { Reserve: '.b' } }),
    ),
  ),
  {
    what: 'two machines that answer each other for ever',
    name: 'message-cycle ping on Serve -> pong on Return -> ping on Serve',
    defect: [ping(back), pong(serve)],
    neighbour: [ping(back, { guard: () => true }), pong(serve)],
  },
  {
    what: 'two machines that go on for ever, unlike one that comes to a state that does not take the message',
    name: 'message-cycle ping on Serve -> pong on Return -> ping on Serve',
    defect: [served('a'), pong(serve)],
    neighbour: [served('b'), pong(serve)],
  },
  {
    what: 'a machine that a reply drives on',
    name: 'message-cycle echo on Again -> echo on echo.Yes -> echo on Again',
    defect: [echo()],
    neighbour: [echo({ delay: 1 })],
  },
  {
    what: 'a step that sends more than the store takes',
    name: 'outbox-too-small ping on Serve',
    limits: { maxOutbox: 2 },
    defect: [ping([back, back, back]), pong([])],
    neighbour: [ping([back, back]), pong([])],
  },
  sagaCases(
    'a state that only the end of parallel states leads to, of which one comes to none',
    'state-unreachable saga in next',
    saga({ initial: 'both', states: { both: both({}), next: {} } }),
    saga({ initial: 'both', states: { both: both({ always: 'end' }), next: {} } }),
  ),
  sagaCases(
    'a reply that comes when an effect has ended',
    'reply-unhandled saga in any state: stock.SoldOut',
    saga({ entry: reserve }),
    saga({ entry: reserve, on: { 'stock.SoldOut': {} } }),
    defineAggregate(
      Stock,
      machine({
        initial: 'open',
        states: {
          open: { on: { Reserve: 'looking', Release: {} } },
          looking: {
            invoke: {
              src: fromPromise(async () => 1),
              onDone: { target: 'open', actions: Stock.reply({ type: 'SoldOut' }) },
            },
          },
        },
      }),
    ),
  ),
  sagaCases(
    'a reply that is no longer awaited, but for a guard that waits for it',
    'reply-unhandled saga in late: stock.Reserved',
    saga(gathering({ after: { 1000: 'late' } })),
    saga(gathering({ always: { guard: () => true, target: 'late' } })),
  ),
  {
    what: 'an event that is awaited, unlike one that is for whoever waits next',
    name: 'event-unhandled saga in late: stock.Emptied',
    defect: [order, emptying, follower({})],
    neighbour: [order, emptying, follower({}, { entry: reserve })],
  },
  {
    what: 'a repeated command that is refused, unlike one that only others make the receiver refuse',
    name: 'refusal-unhandled saga in again: stock.rejected',
    defect: [order, stoppable('shut'), saga(repeating)],
    neighbour: [order, stoppable('open'), saga(repeating)],
  },
  {
    what: 'a race for one entity, unlike commands to whichever a message names',
    name: 'refusal-unhandled router in a: stock.rejected',
    defect: [stoppable('shut'), router(() => Stock.at('shelf'), { target: '.a', reenter: true })],
    neighbour: [stoppable('shut'), router(({ event }) => Stock.at(event.type), { target: '.a', reenter: true })],
  },
  {
    what: 'a command after the state was left, unlike one more in the same state',
    name: 'refusal-unhandled router in a: stock.rejected',
    defect: [stoppable('shut'), router(() => Stock.at('shelf'), { target: '.a', reenter: true })],
    neighbour: [stoppable('shut'), router(() => Stock.at('shelf'), {})],
  },
  {
    what: 'messages of exits and entries, where a state is left and entered again',
    name: 'outbox-too-small ping on Serve',
    limits: { maxOutbox: 2 },
    defect: [twice({ reenter: true }), pong([])],
    neighbour: [twice({ reenter: false }), pong([])],
  },
  {
    what: 'messages of parallel states together',
    name: 'outbox-too-small ping on Serve',
    limits: { maxOutbox: 1 },
    defect: [sideBySide('parallel'), pong([])],
    neighbour: [sideBySide('compound'), pong([])],
  },
  {
    what: 'a race for one entity, unlike one that began with whichever a message named',
    name: 'refusal-unhandled router in b: stock.rejected',
    defect: [jealous, racing(shelf, shelf)],
    neighbour: [jealous, racing(named, shelf)],
  },
  {
    what: 'a race for one entity, unlike one that ends with whichever a message names',
    name: 'refusal-unhandled router in b: stock.rejected',
    defect: [jealous, racing(shelf, shelf)],
    neighbour: [jealous, racing(shelf, named)],
  },
  {
    what: 'a key for a reply, unlike one of somebody who follows',
    name: 'key-without-message order in any state: stock.Reserved',
    defect: [asking, stock()],
    neighbour: [
      asking,
      defineSaga(Stock, follow(Order.event('Placed').bySource().starts()), machine({ on: { '*': {} } }), { sends: [] }),
    ],
  },
  {
    what: 'what is sent at the birth, with the first message',
    name: 'outbox-too-small ping on Serve',
    limits: { maxOutbox: 1 },
    defect: [
      defineAggregate(Ping, machine({ entry: back, on: { Serve: { actions: back } } }), { sends: [Pong] }),
      pong([]),
    ],
    neighbour: [ping(back), pong([])],
  },
  {
    what: 'an event with two followers, unlike one that goes to one',
    name: 'outbox-too-small order on Place',
    limits: { maxOutbox: 1 },
    defect: [order, saga({}, { sends: [] }), watch({ on: { '*': {} } })],
    neighbour: [order, saga({}, { sends: [] })],
  },
]

describe.each(cases)('$what', ({ name, defect, neighbour, limits }) => {
  const options = limits === undefined ? {} : { limits }

  test(`is ${name.split(' ')[0]}`, () => {
    expect(names(defect, options)).toContain(name)
  })

  test('and its neighbour is not', () => {
    expect(names(neighbour, options)).not.toContain(name)
  })
})

function watch(config: object): Definition {
  const follows = follow(Order.event('Placed').bySource().starts(), Stock.event('Emptied').bySource())
  return defineSaga('watch', follows, machine(config))
}
/** Reserves, and loses patience. */
function patient(late: object): object {
  const waiting = { entry: reserve, on: { 'stock.Reserved': 'fine' }, after: { 1000: 'late' } }
  return { initial: 'waiting', states: { waiting, fine: {}, late } }
}
function both(half: object): object {
  const end = { type: 'final' }
  const one = { initial: 'a', states: { a: { always: 'end' }, end } }
  return { type: 'parallel', states: { one, two: { initial: 'a', states: { a: half, end } } }, onDone: 'next' }
}
/** Waits until all have answered. */
function gathering(way: object): object {
  return { initial: 'waiting', states: { waiting: { entry: reserve, on: { 'stock.Reserved': {} }, ...way }, late: {} } }
}
/** Takes one reservation, and none once somebody has shut it. */
function stoppable(then: 'open' | 'shut'): Definition {
  const states = { open: { on: { Reserve: then, Release: 'shut' } }, shut: { on: { Release: {} } } }
  return defineAggregate(Stock, machine({ initial: 'open', states }))
}
/** Reserves for each that asks. */
function router(to: (args: { event: { type: string } }) => unknown, way: object): Definition {
  const Router = contract('router', { commands: { Go: anything } })
  const send = sendTo(to as never, () => ({ type: 'Reserve' }) as never)
  return defineAggregate(Router, machine({ initial: 'a', states: { a: {} }, on: { Go: { ...way, actions: send } } }), {
    sends: [Stock],
  })
}
function served(target: 'a' | 'b'): Definition {
  const states = { a: { on: { Serve: { target, actions: back } } }, b: { after: { 5: 'a' } } }
  return defineAggregate(Ping, machine({ initial: 'a', states }), { sends: [Pong] })
}
/** Reserves here, and five milliseconds later releases there. */
function racing(here: (args: never) => unknown, there: (args: never) => unknown): Definition {
  const Router = contract('router', { commands: { Go: anything } })
  const tell = (to: unknown, type: string): unknown => sendTo(to as never, () => ({ type }) as never)
  const a = { entry: tell(here, 'Reserve'), after: { 5: 'b' } }
  const states = { idle: { on: { Go: 'a' } }, a, b: { entry: tell(there, 'Release') } }
  return defineAggregate(Router, machine({ initial: 'idle', states }), { sends: [Stock] })
}
function twice(way: object): Definition {
  const a = { entry: back, exit: back, on: { Serve: { target: 'a', actions: back, ...way } } }
  return defineAggregate(Ping, machine({ initial: 'a', states: { a } }), { sends: [Pong] })
}
function sideBySide(type: 'parallel' | 'compound'): Definition {
  const half = { on: { Serve: { actions: back } } }
  const states = { one: half, two: half }
  return defineAggregate(Ping, machine(type === 'parallel' ? { type, states } : { initial: 'one', states }), {
    sends: [Pong],
  })
}
function follower(late: object, waits: object = waitingForEmptied): Definition {
  const follows = follow(Order.event('Placed').bySource().starts(), Stock.event('Emptied').by('saga' as never))
  const waiting = { ...waits, after: { 1000: 'late' } }
  return defineSaga('saga', follows, machine({ initial: 'waiting', states: { waiting, fine: {}, late } }), {
    sends: [Stock],
  })
}
function echo(delay: { readonly delay?: number } = {}): Definition {
  const Echo = contract('echo', { commands: { Again: anything }, replies: { Yes: anything } })
  const again = sendTo(Echo.at('b'), { type: 'Again' }, delay)
  const on = { Again: { actions: Echo.reply({ type: 'Yes' }) }, 'echo.Yes': { actions: again } }
  return defineAggregate(Echo, machine({ on }))
}

describe('findings', () => {
  const lost = [order, saga({ initial: 'here', states: { here: {}, lost: {} } }, { sends: [] })]

  test('of a system that is well there are none', () => {
    expect(names([order, stock(), saga(patient({ on: { 'stock.Reserved': {} } }))], { accept })).toEqual([])
  })

  test('have a code, a place, a remedy, and a name of the first two', () => {
    expect(analyse(lost)).toEqual([
      {
        code: 'state-unreachable',
        place: 'saga in lost',
        remedy: expect.stringMatching(/^[A-Z].{20,}\.$/),
        severity: 'warning',
        name: 'state-unreachable saga in lost',
      },
    ])
  })

  test('that keep a host from starting are errors, come first, and cannot be accepted', () => {
    const broken = [...lost, watch({ on: { '*': {} } })]
    const error = 'event-without-publisher watch follows stock.Emptied'
    expect(analyse(broken).map(({ severity, name }) => `${severity} ${name}`)).toEqual([
      `error ${error}`,
      'warning state-unreachable saga in lost',
    ])
    expect(names(broken, { accept: [error, 'state-unreachable saga in lost'] })).toEqual([error])
  })

  test('that are accepted by name are silent; an accepted name that stands for none is a finding', () => {
    const name = 'state-unreachable saga in lost'
    expect(names(lost, { accept: [name] })).toEqual([])
    expect(names([order, saga({}, { sends: [] })], { accept: [name] })).toEqual([`acceptance-outlived ${name}`])
  })

  test('come once, however many ways lead there', () => {
    const twice = [{ entry: reserve }, { entry: reserve }].map((state, index) => [`s${index}`, state])
    const states = { ...Object.fromEntries(twice), end: { type: 'final' } }
    const found = names([order, stock(), saga({ initial: 's0', states, after: { 5: '.s1', 9: '.end' } })], { accept })
    expect(found).toEqual([...new Set(found)])
    expect(found).toContain('reply-unhandled saga in end: stock.Reserved')
  })
})

describe('what can not be told is not found', () => {
  const waits = (actions: unknown): Definition => saga({ entry: actions, on: { Whatever: {} } })

  test.each([
    ['enqueueActions', enqueueActions(({ enqueue }) => enqueue.sendTo(Stock.at('a'), { type: 'Reserve' } as never))],
    [
      'a function that goes through a list',
      sendTo(({ context }) => Stock.at(first(context.lines)), { type: 'Reserve' }),
    ],
    [
      'a function that never comes to an end of it',
      sendTo(
        ({ context }) => endless(context as never),
        () => ({ type: 'Reserve' }) as never,
      ),
    ],
    ['a type that the context makes', sendTo(Stock.at('a'), ({ context }) => ({ type: `Re${context.what}` }) as never)],
    ['a type that is nothing', sendTo(Stock.at('a'), () => undefined as never)],
  ])('%s', (_, actions) => {
    expect(names([order, stock(), waits(actions)], { accept }).filter((name) => !name.includes('Whatever'))).toEqual([])
  })

  test('a key may be for what an unknown action raises, but not for a message of a known entity', () => {
    const raises = { entry: enqueueActions(({ enqueue }) => enqueue.raise({ type: 'Go' } as never)) }
    const found = names([order, stock(), saga({ ...raises, on: { Went: {}, 'stock.Resreved': {} } })], { accept })
    expect(found).toEqual(['key-without-message saga in any state: stock.Resreved'])
  })

  test('a function that only hands values on can be told: keys, texts, numbers, calls, parameters', () => {
    const actions = [
      sendTo(({ context }) => Stock.at(context.lines[context.at].potion), { type: 'Reserve' }),
      sendTo(
        ({ context }) => Stock.at(`a-${context.id}`),
        ({ event }) => ({ type: 'Reserve', of: event.type.length + 1 }),
      ),
      sendTo(
        ({ context }) => Stock.at(context.id.slice(3)),
        (_, { n }: { n: number }) => ({ type: 'Reserve', n }),
      ),
    ]
    for (const act of actions) {
      const named = saga({ entry: { type: 'act', params: { n: 1 } } }, {}, { actions: { act } })
      expect(names([order, stock(), named], { accept })).toEqual(['reply-unhandled saga in any state: stock.Reserved'])
    }
  })

  test('a choice by a number may go either way', () => {
    const choice = sendTo(Stock.at('a'), ({ context }) => ({ type: context.n > 3 ? 'Reserve' : 'Relaese' }) as never)
    expect(names([order, stock(), saga({ entry: choice })], { accept })).toEqual([
      'message-unknown saga sends stock.Relaese',
      'reply-unhandled saga in any state: stock.Reserved',
    ])
  })
})

const first = (lines: Iterable<string>): string => [...lines][0] ?? ''
function endless(context: { readonly next: unknown }): never {
  for (let at = context as { next: unknown }; at.next; at = at.next as never);
  throw new Error('never')
}
