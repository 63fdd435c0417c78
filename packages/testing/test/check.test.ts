// What a check finds, what it lets pass, and that nothing it could not look at is a green tick.
import {
  contract,
  defineAggregate,
  defineSaga,
  effect,
  follow,
  sentCommands,
  type TypedDefinition,
  turn,
} from '@interstate/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Coverage, publish, send, type World, WorldError, world } from '../src/index.ts'
import { Account, account, bank, start, total, transfer, transferThat } from './bank.ts'

async function finding(checked: Promise<unknown>): Promise<WorldError> {
  const end = await checked.catch((error: unknown) => error)
  if (end instanceof WorldError) return end
  throw new Error(`Nothing was found: ${String(end)}`, { cause: end })
}

const nothing = z.object({})
const Lamp = contract('lamp', { commands: { Press: nothing, Break: nothing } })
const lampWith = (on: Record<string, unknown>): TypedDefinition<typeof Lamp, AnyStateMachine> =>
  defineAggregate(
    Lamp,
    setup({ types: Lamp.types() }).createMachine({
      initial: 'off',
      states: { off: { on: { Press: 'lit', Break: 'broken' } }, lit: { on }, broken: {} },
    } as never) as never,
  )
const lamp = lampWith({ Press: 'off' })
const presses = [send(Lamp.at('1'), { type: 'Press' })]

describe('A world that is right passes', () => {
  test('with every order of its deliveries looked at', async () => {
    const report = await bank.check({ stimuli: 3 })
    expect(report.states).toBeGreaterThan(400)
    expect(report.unreached).toEqual([])
    expect(String(report)).toMatch(/^Nothing found in all of [\d,]+ states/)
  })

  test('and the same check looks at the same states again', async () => {
    const [one, two] = [await bank.check(), await bank.check()]
    expect(two).toEqual({ ...one, ms: expect.any(Number), toString: expect.any(Function) })
  })
})

test('A check tells a coverage of every turn', async () => {
  const coverage = new Coverage([lamp])
  const pressed = world({ entities: [lamp], coverage }).stimuli({ press: presses })
  await pressed.accept('STATE_UNREACHED lamp.broken').check({ stimuli: 2 })
  const report = JSON.stringify(coverage.report())
  expect(report).toContain('lamp.lit')
  expect(() => coverage.require({ states: 100 })).toThrow('lamp.broken')
})

describe('A property that is broken is found', () => {
  const forgetful = transferThat('forgets')
  const world2 = world({ entities: [account, forgetful] })
    .setup((w) => {
      w.send(Account.at('A'), { type: 'Open', cents: 500 })
    })
    .stimuli({ start: [start('1', 'A', 'C', 300)] })

  test('with a shortest story, what it changed, and a token that brings it up again', async () => {
    const error = await finding(world2.always('money is conserved', (w) => total(w, forgetful) === 500).check())
    expect(error.finding).toBe('INVARIANT_BROKEN money is conserved')
    expect(error.story?.steps.map(({ from, to, what }) => `${from} ${to} ${what}`)).toEqual([
      'client transfer/1 Start',
      'transfer/1 account/A Debit',
      'account/A transfer/1 account.Debited',
      'transfer/1 account/C Credit',
      'account/C transfer/1 account.Declined',
    ])
    expect(error.message).toContain('* transfer/1 state: - -> "failed"')
    expect(error.message).toContain('p0->>p1: Start')
    const again = await finding(
      world2.always('money is conserved', (w) => total(w, forgetful) === 500).replay(error.token as string),
    )
    expect(again.message).toBe(error.message)
  })

  test('and a token whose story is right by now passes', async () => {
    const broken = world2.always('money is conserved', (w) => total(w, forgetful) === 500)
    const { token } = await finding(broken.check())
    await world2.replay(token as string)
  })

  test('where something must come to hold and never does', async () => {
    const wish = world({ entities: [lamp] })
      .stimuli({ press: presses })
      .eventually('the lamp is broken', (w) => w.any(lamp, (each) => each.matches('broken')))
    expect((await finding(wish.check({ unreached: 'report' }))).finding).toBe('EVENTUALLY_NEVER the lamp is broken')
  })

  test('where something must come to hold, and does at the end of each story, nothing is found', async () => {
    const settles = bank.eventually('no money is under way', (w) => w.underWay.length === 0)
    await settles.check({ stimuli: 2 })
  })
})

describe('Without any property', () => {
  const Door = contract('door', { commands: { Knock: nothing }, events: { Knocked: nothing, Opened: nothing } })
  const doorThat = (says: ('Knocked' | 'Opened')[]) =>
    defineAggregate(
      Door,
      setup({ types: Door.types() }).createMachine({
        on: { Knock: { actions: says.map((type) => emit({ type })) } },
      }),
    )
  const hears = follow(Door.event('Knocked').bySource().starts(), Door.event('Opened').bySource())
  const guest = (states: Record<string, unknown>, initial = 'waiting') =>
    defineSaga('guest', hears, setup({ types: hears.types() }).createMachine({ initial, states } as never) as never)

  test('a message that a saga can not take is found', async () => {
    const deaf = guest({ waiting: { type: 'final' }, never: { on: { 'door.Opened': 'waiting' } } }, 'never')
    await world({ entities: [doorThat(['Knocked', 'Opened']), deaf] }).check({ stimuli: 1 })
    const surprised = guest({ waiting: { on: { 'door.Opened': 'in' } }, in: {} })
    const error = await finding(world({ entities: [doorThat(['Knocked', 'Opened', 'Opened']), surprised] }).check())
    expect(error.finding).toBe('MESSAGE_UNHANDLED guest door.Opened')
    // Accepted, it parks the saga as a host would: what comes later waits.
    await world({ entities: [doorThat(['Knocked', 'Opened', 'Opened']), surprised] })
      .accept('MESSAGE_UNHANDLED guest door.Opened', 'MESSAGE_UNHANDLED guest door.Knocked')
      .sometimes('a guest is parked', (w) => w.any(surprised, ({ parked }) => parked))
      .eventually('every guest is parked', (w) => w.all(surprised).every(({ parked }) => parked))
      .check({ stimuli: 2 })
    // An event that is refused has nobody who would hear of it.
    const refusing = defineSaga('guest', hears, surprised.machine as never, { unhandled: 'reject' })
    const refused = await finding(world({ entities: [doorThat(['Knocked', 'Opened', 'Opened']), refusing] }).check())
    expect(refused.finding).toBe('MESSAGE_UNHANDLED guest door.Opened')
  })

  test('a saga that nothing moves on is found, and one that a client moves on is not', async () => {
    const waiting = guest({ waiting: { on: { 'door.Opened': 'in', 'door.Knocked': {} } }, in: { type: 'final' } })
    const knocked = world({ entities: [doorThat(['Knocked']), waiting] })
    const stuck = await finding(knocked.check({ stimuli: 1 }))
    expect(stuck.finding).toBe('SAGA_STUCK guest')
    await knocked.accept('SAGA_STUCK guest').check({ stimuli: 1, unreached: 'report' })
    const patient = guest({ waiting: { on: { 'door.Knocked': 'in' } }, in: { type: 'final' } })
    await world({ entities: [doorThat(['Knocked']), patient] }).check()
  })

  test('a turn that throws is found, with its cause', async () => {
    const broken = lampWith({
      Press: {
        actions: assign(() => {
          throw new RangeError('burnt out')
        }),
      },
    })
    const error = await finding(
      world({ entities: [broken] })
        .stimuli({ press: presses })
        .check(),
    )
    expect(error.finding).toBe('TURN_FAILED lamp Press')
    expect(error.message).toContain('burnt out')
  })

  test('messages that go round are found, whether or not something grows on the way', async () => {
    for (const grows of [0, 1]) {
      const Ping = contract('ping', { commands: { Hit: z.object({ n: z.number() }) } })
      const Pong = contract('pong', { commands: { Hit: z.object({ n: z.number() }) } })
      const player = (own: typeof Ping, other: typeof Ping) =>
        defineAggregate(
          own,
          setup({ types: own.types() }).createMachine({
            on: { Hit: { actions: sendTo(other.at('1'), ({ event }) => ({ type: 'Hit', n: event.n + grows })) } },
          }),
          { sends: [other] },
        )
      const entities = [player(Ping, Pong as never), player(Pong as never, Ping)]
      const error = await finding(
        world({ entities })
          .stimuli({ hit: [send(Ping.at('1'), { type: 'Hit', n: 0 })] })
          .check(),
      )
      expect(error.code).toBe('MESSAGES_LOOP')
      expect(error.story?.steps.length).toBeGreaterThan(2)
    }
  })

  test('messages that go round are found where they begin to late in the story', async () => {
    const Dog = contract('dog', { commands: { Wake: nothing, Bark: nothing } })
    const dog = defineAggregate(
      Dog,
      setup({ types: Dog.types<{ key: string }>() }).createMachine({
        context: ({ input }) => ({ key: input.key }),
        initial: 'asleep',
        states: {
          asleep: { on: { Wake: 'awake', Bark: {} } },
          awake: {
            on: {
              Bark: {
                actions: sendTo(({ context }) => Dog.at(context.key === '1' ? '2' : '1'), { type: 'Bark' }),
              },
              Wake: {},
            },
          },
        },
      }),
      { sends: [Dog] },
    )
    const wake = ['1', '2'].map((key) => send(Dog.at(key), { type: 'Wake' }))
    const dogs = world({ entities: [dog] }).stimuli({ wake, bark: [send(Dog.at('1'), { type: 'Bark' })] })
    await dogs.check({ stimuli: 2 })
    const error = await finding(dogs.check({ stimuli: 3 }))
    expect(error.code).toBe('MESSAGES_LOOP')
    expect(error.story?.steps.map(({ what }) => what)).toEqual(['Wake', 'Wake', 'Bark'])
  })

  test('a state that is never reached is found by its name, which accepts it', async () => {
    const pressed = world({ entities: [lamp] }).stimuli({ press: presses })
    expect((await finding(pressed.check())).finding).toBe('STATE_UNREACHED lamp.broken')
    await pressed.accept('STATE_UNREACHED lamp.broken').check()
    expect((await pressed.check({ unreached: 'report' })).unreached).toEqual(['lamp.broken'])
  })

  test('stimuli are derived from the schemas of commands that nobody sends', async () => {
    const report = await world({ entities: [lamp] }).check({ stimuli: 2 })
    expect(report.states).toBeGreaterThan(4)
    // Debits and credits are the saga's: only a client opens accounts and starts transfers.
    expect([...sentCommands([account, transfer])].sort()).toEqual(['account.Credit', 'account.Debit'])
    const derived = world({ entities: [account, transfer] }).sometimes('a transfer is tried', (w) =>
      w.any(transfer, ({ value }) => value !== 'new'),
    )
    await derived.check({ stimuli: 2, unreached: 'report' })
  })
})

describe('What could not be looked at is no green tick', () => {
  const lit = world({ entities: [lamp] }).stimuli({ press: presses })

  test('a search that a bound stopped', async () => {
    const error = await finding(bank.check({ stimuli: 3, maxStates: 100 }))
    expect(error.code).toBe('SEARCH_STOPPED')
    expect(error.message).toMatch(/stopped at \d+ states, \d+ of them on the frontier/)
  })

  test('a world without stimuli', async () => {
    expect((await finding(lit.stimuli({ press: [] }).check())).code).toBe('STIMULI_MISSING')
  })

  test('a `sometimes` that no state shows', async () => {
    const never = lit.sometimes('it burns', () => false)
    expect((await finding(never.check({ unreached: 'report' }))).finding).toBe('SOMETIMES_NEVER it burns')
  })

  test('a property that throws', async () => {
    const error = await finding(
      lit.always('there is a lamp', (w) => (w.all(lamp)[0] as { value: unknown }).value !== 'burning').check(),
    )
    expect(error.finding).toBe('PROPERTY_THREW there is a lamp')
    expect(error.cause).toBeInstanceOf(TypeError)
  })

  test.each([
    ['a promise', async () => false],
    ['a number', () => 0],
    ['nothing', () => undefined],
  ])('a property that gives %s instead of an answer', async (_, holds) => {
    const error = await finding(lit.always('it is well', holds as never).check())
    expect(error.finding).toBe('PROPERTY_THREW it is well')
    expect(error.message).toContain('instead of true or false')
  })

  test('a property that looks for what is not there: a type, a state', async () => {
    const blind = lit.always('nobody is overdrawn', (w) => w.all(account).length === 0)
    expect((await finding(blind.check())).message).toContain('no "account" is in this world')
    const misspelt = lit.always('it is never litt', (w) => !w.any(lamp, (each) => each.matches('litt')))
    expect((await finding(misspelt.check())).message).toContain('lamp has no state "litt"')
    const nested = lit.always('it is never lit.up', (w) => !w.any(lamp, (each) => each.matches({ lit: 'up' })))
    expect((await finding(nested.check())).code).toBe('PROPERTY_THREW')
  })

  test('a world that is told nonsense', () => {
    const refused = (tell: () => unknown): string => {
      try {
        tell()
      } catch (error) {
        return (error as Error).message
      }
      return 'not refused'
    }
    const given: readonly (readonly [() => unknown, string])[] = [
      [() => world({ entites: [lamp] } as never), 'A world takes { entities'],
      [() => world([lamp] as never), 'A world takes { entities'],
      [() => world({ entities: [Lamp] } as never), 'Entity 1 of the world is no definition'],
      [() => lit.setup((async () => {}) as never), 'The set-up gave a promise'],
      [() => lit.stimuli({ press: presses[0] } as never), 'Stimulus "press" is neither'],
      [() => lit.stimuli({ press: undefined } as never), 'Stimulus "press" is neither'],
      [() => send('lamp/1' as never, { type: 'Press' } as never), 'ADDRESS_INVALID'],
      [() => lit.outside({ seen: new Map() } as never), 'an instance of Map'],
      [() => lit.outside([] as never), 'an object of plain data'],
      [() => lit.effects({ shine: () => 1 }), 'No machine of this world has an effect "shine"'],
      [() => bank.interchangeable(Lamp, ['1', '2']), 'No "lamp" is in this world'],
    ]
    for (const [tell, why] of given) expect(refused(tell)).toContain(why)
  })

  test.fails('a test that does not wait for its check', () => {
    void bank.check({ stimuli: 6 })
  })

  test('two properties of one name, and one without', () => {
    const one = lit.always('it is well', () => true)
    expect(() => one.eventually('it is well', () => true)).toThrow('Two properties are named "it is well"')
    expect(() => one.always('', () => true)).toThrow('WORLD_INVALID')
  })

  test('a property whose failure is accepted is not judged', async () => {
    const dark = lit.always('it is dark', (w) => !w.any(lamp, (each) => each.matches('lit')))
    expect((await finding(dark.check())).finding).toBe('INVARIANT_BROKEN it is dark')
    await dark.accept('INVARIANT_BROKEN it is dark').check({ unreached: 'report' })
    expect(() => lit.accept('INVARIANT_BROKEN it is dark')).toThrow('WORLD_INVALID')
  })

  test.each([
    'STATE_UNREACHED lamp.brokn',
    'STATE_UNREACHED',
    'SAGA_STUCK lamp',
    'MESSAGE_UNHANDLED lamp',
    'TURN_FAILED lmap Press',
    'INVARIANT_BROKEN money is conserved',
    'nonsense',
    '',
  ])('a name to accept that no finding can have: %s', (name) => {
    expect(() => lit.accept(name)).toThrow(`No finding of this world is named "${name}"`)
  })

  test('a machine that looks at the clock of the computer', async () => {
    const clock = lampWith({ Press: { guard: () => Date.now() > 0, target: 'off' } })
    const error = await finding(
      world({ entities: [clock] })
        .stimuli({ press: presses })
        .check(),
    )
    expect(error.code).toBe('NOT_DETERMINISTIC')
    expect(error.message).toContain('Date.now')
  })

  test('an abstraction that leaves out what a property looks at', async () => {
    const hiding = bank.abstract(account, ({ cents }) => cents > 0)
    expect((await finding(hiding.check())).finding).toBe('ABSTRACTION_HIDES money is conserved')
  })

  test('an abstraction that leaves out nothing that matters passes, with fewer states', async () => {
    const Meter = contract('meter', { commands: { Tick: nothing } })
    const meter = defineAggregate(
      Meter,
      setup({ types: Meter.types<{ n: number }>() }).createMachine({
        context: { n: 0 },
        on: { Tick: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
      }),
    )
    const ticking = world({ entities: [meter] })
      .stimuli({ tick: [send(Meter.at('1'), { type: 'Tick' })] })
      .always('it counts up', (w) => w.all(meter).every(({ context }) => context.n >= 0))
    const whole = await ticking.check({ stimuli: 6 })
    const abstract = await ticking.abstract(meter, ({ n }) => n > 0).check({ stimuli: 6 })
    expect([whole.states, abstract.states]).toEqual([7, 7])
    expect(abstract.turns).toBeLessThan(whole.turns)
  })

  test('an effect of which nobody says what it comes to, or whose model gives a promise', async () => {
    const Letter = contract('letter', { commands: { Post: nothing } })
    const letter = defineAggregate(
      Letter,
      setup({
        types: Letter.types(),
        actors: { post: effect<void, string>(() => Promise.reject(new Error('no network here'))) },
      }).createMachine({
        initial: 'written',
        states: {
          written: { on: { Post: 'posting' } },
          posting: { invoke: { src: 'post', onDone: 'posted', onError: 'lost' } },
          posted: {},
          lost: {},
        },
      }),
    )
    const post = world({ entities: [letter] }).stimuli({ post: [send(Letter.at('1'), { type: 'Post' })] })
    expect((await finding(post.check())).finding).toBe('EFFECT_WITHOUT_MODEL letter.post')
    expect(() => post.effects({ post: [] })).toThrow('has no way to go')
    expect(() => post.effects({ post: 'sent' as never })).toThrow('is no function')
    const promising = post.effects({ post: () => Promise.resolve('sent') })
    expect((await finding(promising.check())).code).toBe('WORLD_INVALID')
    for (const ask of [() => Math.random(), () => Date.now(), () => globalThis.crypto.randomUUID()]) {
      expect((await finding(post.effects({ post: ask }).check())).finding).toBe('NOT_DETERMINISTIC post')
    }
    let calls = 0
    const counting = post.effects({ post: () => ++calls })
    expect((await finding(counting.check())).message).toContain('came to two ends')
    const fails = (): never => {
      throw new Error('no stamp')
    }
    await post.effects({ post: [() => 'sent', fails] }).check()
    expect((await finding(post.effects({ post: () => 'sent' }).check())).finding).toBe('STATE_UNREACHED letter.lost')
  })

  test('a set-up that is refused', async () => {
    const twice = bank.setup((w) => w.send(Account.at('A'), { type: 'Open', cents: 1 }))
    const error = await finding(twice.check())
    expect(error.code).toBe('WORLD_INVALID')
    expect(error.message).toContain('Call 3 of the set-up (Open)')
  })

  test.each([
    { stimuli: -1 },
    { stimuli: 1.5 },
    { maxStates: Number.NaN },
    { crashes: Number.POSITIVE_INFINITY },
    { unreached: 'maybe' as never },
    { stimulus: 3 } as never,
  ])('an option that is none: %o', async (options) => {
    expect((await finding(lit.check(options))).code).toBe('WORLD_INVALID')
  })

  test.each(['', 'i1:', 'i1:nonsense', 'x', 'i1:q1bKS8xNVbJSSkzLSc0rAQA'])(
    'a token that is none: %s',
    async (token) => {
      expect((await finding(lit.replay(token))).code).toBe('TOKEN_UNREADABLE')
    },
  )

  test('a token of another world', async () => {
    const { token } = await finding(bank.always('nothing moves', (w) => w.all(transfer).length === 0).check())
    expect((await finding(lit.replay(token as string))).code).toBe('REPLAY_DIFFERS')
  })
})

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

describe('Fewer states, and the same findings', () => {
  const keys = ['1', '2', '3']
  const symmetric = world({ entities: [account, transfer] })
    .setup((w) => {
      w.send(Account.at('A'), { type: 'Open', cents: 500 })
      w.send(Account.at('B'), { type: 'Open', cents: 500 })
    })
    .stimuli({ start: keys.flatMap((key) => [start(key, 'A', 'B', 300), start(key, 'B', 'A', 300)]) })
    .always('money is conserved', (w) => total(w) === 1_000)
    .accept('STATE_UNREACHED transfer.refunding', 'STATE_UNREACHED account.closed')

  test('where keys are interchangeable', async () => {
    const all = await symmetric.check({ stimuli: 2 })
    const accounts = await symmetric.interchangeable(Account, ['A', 'B']).check({ stimuli: 2 })
    const both = await symmetric
      .interchangeable(Account, ['A', 'B'])
      .interchangeable(transfer, keys)
      .check({ stimuli: 2 })
    expect(accounts.states).toBeLessThan(all.states * 0.6)
    expect(both.states).toBeLessThan(all.states * 0.2)
    const rich = symmetric.always('nobody is rich', (w) => w.all(account).every(({ context }) => context.cents < 800))
    for (const each of [rich, rich.interchangeable(Account, ['A', 'B'])]) {
      const error = await finding(each.check({ stimuli: 2 }))
      expect(error.finding).toBe('INVARIANT_BROKEN nobody is rich')
      expect(error.story?.steps).toHaveLength(4)
    }
  })

  test('keys that the set-up or the stimuli tell apart are not interchangeable', async () => {
    const richer = symmetric.setup((w) => w.send(Account.at('A'), { type: 'Credit', transfer: 'x', cents: 1 }))
    expect((await finding(richer.interchangeable(Account, ['A', 'B']).check())).code).toBe('SYMMETRY_BROKEN')
    const oneWay = symmetric.stimuli({ start: [start('1', 'A', 'B', 300)] })
    expect((await finding(oneWay.interchangeable(Account, ['A', 'B']).check())).code).toBe('SYMMETRY_BROKEN')
  })

  test('where deliveries commute and no property looks', async () => {
    const looked = await bank.check({ stimuli: 3 })
    const blind = world({ entities: [account, transfer] })
      .setup((w) => {
        w.send(Account.at('A'), { type: 'Open', cents: 500 })
        w.send(Account.at('B'), { type: 'Open', cents: 500 })
      })
      .stimuli({ start: [start('1', 'A', 'B', 300), start('2', 'B', 'A', 300), start('3', 'A', 'C', 300)] })
    const report = await blind.check({ stimuli: 3 })
    expect(report.reduced).toBeGreaterThan(0)
    expect(report.states).toBeLessThan(looked.states)
  })

  test('and of two who race for an entity that no property looks at, either may be first', async () => {
    const Gun = contract('gun', { commands: { Fire: nothing } })
    const Runner = contract('runner', { commands: { Run: nothing } })
    const Echo = contract('echo', { commands: { Fire: nothing } })
    const Tape = contract('tape', { commands: { Cross: z.object({ by: z.string() }) } })
    const Board = contract('board', { commands: { Show: z.object({ winner: z.string() }) } })
    const gun = defineAggregate(
      Gun,
      setup({ types: Gun.types() }).createMachine({
        on: { Fire: { actions: [sendTo(Runner.at('a'), { type: 'Run' }), sendTo(Echo.at('1'), { type: 'Fire' })] } },
      }),
      { sends: [Runner, Echo] },
    )
    // The second runner hears of it later, and may be faster all the same.
    const echo = defineAggregate(
      Echo,
      setup({ types: Echo.types() }).createMachine({
        on: { Fire: { actions: sendTo(Runner.at('b'), { type: 'Run' }) } },
      }),
      { sends: [Runner] },
    )
    const runner = defineAggregate(
      Runner,
      setup({ types: Runner.types<{ key: string }>() }).createMachine({
        context: ({ input }) => ({ key: input.key }),
        on: { Run: { actions: sendTo(Tape.at('1'), ({ context }) => ({ type: 'Cross', by: context.key })) } },
      }),
      { sends: [Tape] },
    )
    const tape = defineAggregate(
      Tape,
      setup({ types: Tape.types() }).createMachine({
        initial: 'whole',
        states: {
          whole: {
            on: {
              Cross: {
                target: 'torn',
                actions: sendTo(Board.at('1'), ({ event }) => ({ type: 'Show', winner: event.by })),
              },
            },
          },
          torn: { on: { Cross: {} } },
        },
      }),
      { sends: [Board] },
    )
    const board = defineAggregate(
      Board,
      setup({ types: Board.types<{ winner: string }>() }).createMachine({
        context: { winner: '' },
        on: { Show: { actions: assign({ winner: ({ event }) => event.winner }) } },
      }),
    )
    const winnersOf = async (race: World): Promise<string[]> => {
      const winners = new Set<string>()
      const looked = race.always('looked at', (w) => Boolean(winners.add(w.one(board.at('1'))?.context.winner ?? '')))
      expect((await looked.check({ stimuli: 2 })).reduced).toBeGreaterThan(0)
      return [...winners].sort()
    }
    const race = world({ entities: [gun, echo, runner, tape, board] }).stimuli({
      fire: [send(Gun.at('1'), { type: 'Fire' })],
    })
    expect(await winnersOf(race)).toEqual(['', 'a', 'b'])
    const cheating = race.stimuli({ cross: [send(Tape.at('1'), { type: 'Cross', by: 'a spectator' })] })
    expect(await winnersOf(cheating)).toEqual(['', 'a', 'a spectator', 'b'])
  })

  test('and what goes on beside messages that go round without an end is not put off for ever', async () => {
    const Hit = { commands: { Hit: nothing } }
    const [Ping, Pong] = [contract('ping', Hit), contract('pong', Hit)]
    const ping = defineAggregate(
      Ping,
      setup({ types: Ping.types() }).createMachine({ on: { Hit: { actions: sendTo(Pong.at('1'), { type: 'Hit' }) } } }),
      { sends: [Pong] },
    )
    const pong = defineAggregate(
      Pong,
      setup({ types: Pong.types() }).createMachine({ on: { Hit: { actions: sendTo(Ping.at('1'), { type: 'Hit' }) } } }),
      { sends: [Ping] },
    )
    const Switch = contract('switch', { commands: { Flip: nothing } })
    const flip = defineAggregate(
      Switch,
      setup({ types: Switch.types() }).createMachine({
        on: { Flip: { actions: [sendTo(Ping.at('1'), { type: 'Hit' }), sendTo(Lamp.at('1'), { type: 'Press' })] } },
      }),
      { sends: [Ping, Lamp] },
    )
    const both = world({ entities: [ping, pong, flip, lamp] })
      .stimuli({ flip: [send(Switch.at('1'), { type: 'Flip' })] })
      .sometimes('the lamp is lit', (w) => w.any(lamp, (each) => each.matches('lit')))
    const report = await both.accept('MESSAGES_LOOP').check({ stimuli: 1, unreached: 'report' })
    expect(report.reduced).toBeGreaterThan(0)
  })

  test('drawn values are the same for a seed, and others for another', async () => {
    const drawn = (seed: number) => {
      const sent = new Set<string>()
      return world({ entities: [account, transfer] })
        .stimuli({ start: fc.integer({ min: 1, max: 1_000 }).map((cents) => start('1', 'X', 'Y', cents)) })
        .always('looked at', (w) => {
          for (const { context } of w.all(transfer)) sent.add(String(context.cents))
          return true
        })
        .check({ stimuli: 1, seed, unreached: 'report' })
        .then(() => [...sent].sort().join())
    }
    expect(await drawn(1)).toBe(await drawn(1))
    expect(await drawn(2)).not.toBe(await drawn(1))
  })
})
