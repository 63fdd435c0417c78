// What a check finds, and what it lets pass.
import { contract, defineAggregate, defineSaga, follow, sentCommands } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Coverage, send, world } from '../src/index.ts'
import { Account, account, bank, start, total, transfer, transferThat } from './bank.ts'
import { finding } from './finding.ts'
import { lamp, lampWith, nothing, presses } from './lamp.ts'

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
