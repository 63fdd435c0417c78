// Each way in which a search may take for equal what is not, or pass over what it should find.
import { contract, defineAggregate, defineSaga, effect, follow, turn } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, cancel, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Coverage, type EffectCall, publish, send, type World, world } from '../src/index.ts'
import { finding } from './finding.ts'

const nothing = z.object({})
const nowhere = effect<void, null>(() => Promise.reject(new Error('no network here')))

const Job = contract('job', { commands: { Go: nothing } })
const go = send(Job.at('1'), { type: 'Go' })
/** A job that books; `Go` while it does either begins anew or changes nothing. */
const jobThat = (again: { target: 'working'; reenter: true } | Record<never, never>) =>
  defineAggregate(
    Job,
    setup({ types: Job.types(), actors: { book: nowhere } }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { Go: 'working' } },
        working: { on: { Go: again }, invoke: { id: 'b', src: 'book', onDone: 'done' } },
        done: { on: { Go: {} } },
      },
    }),
  )
const job = jobThat({})
const Lamp = contract('lamp', { commands: { On: nothing } })
/** A lamp that blinks for ever, if it does. */
const lampThat = (blinks: boolean) =>
  defineAggregate(
    Lamp,
    setup({ types: Lamp.types() }).createMachine({
      initial: 'off',
      states: {
        off: { on: { On: 'on' } },
        on: { on: { On: {} }, ...(blinks ? { after: { 1000: { target: 'dim' } } } : {}) },
        dim: { on: { On: {} }, after: { 1000: 'on' } },
      },
    }),
  )
const Guest = contract('guest', { commands: { Go: nothing } })
const guests = follow()
/** A saga that waits, and with the second `Go` leaves. */
const guestThat = (leaves: boolean) =>
  defineSaga(
    Guest,
    guests,
    setup({ types: guests.types<Record<never, never>, never, never, typeof Guest>() }).createMachine({
      initial: 'new',
      states: {
        new: { on: { Go: 'waiting' } },
        waiting: { on: { Go: leaves ? 'gone' : {} } },
        gone: { type: 'final' },
      },
    } as never) as never,
  )
const guestGo = { go: [send(Guest.at('1'), { type: 'Go' })] }

describe('What differs is not taken for equal', () => {
  test.each([false, true])(
    'a second delayed message does not overwrite the first (ids asked for: %s)',
    async (looks) => {
      const Bell = contract('bell', { commands: { Remind: nothing } })
      const bell = defineAggregate(
        Bell,
        setup({ types: Bell.types<{ asked: number; rung: number }, never, { type: 'Due' }>() }).createMachine({
          context: { asked: 0, rung: 0 },
          on: {
            Remind: {
              actions: [
                raise({ type: 'Due' }, { delay: 1000 }),
                assign({ asked: ({ context }) => context.asked + (looks ? Math.sign(turn().id().length) : 1) }),
              ],
            },
            Due: { actions: assign({ rung: ({ context }) => context.rung + 1 }) },
          },
        }),
      )
      await world({ entities: [bell] })
        .stimuli({ remind: [send(Bell.at('1'), { type: 'Remind' })] })
        .eventually('it rings as often as it was asked to', (w) =>
          w.all(bell).every(({ context: { asked, rung } }) => asked === rung),
        )
        .check()
    },
  )

  test('ids that people give timers are told apart, though they look as if a turn had given them', async () => {
    const Bell = contract('bell', { commands: { One: nothing, Two: nothing, Stop: nothing } })
    const [one, two] = ['remind-customer-late-1', 'remind-customer-late-2'] as const
    const bell = defineAggregate(
      Bell,
      setup({ types: Bell.types<{ rung: boolean }, never, { type: 'Due' }>() }).createMachine({
        context: { rung: false },
        initial: 'still',
        states: {
          still: {
            on: {
              One: { target: 'set', actions: raise({ type: 'Due' }, { delay: 9, id: one }) },
              Two: { target: 'set', actions: raise({ type: 'Due' }, { delay: 9, id: two }) },
              Stop: {},
            },
          },
          set: { on: { One: {}, Two: {}, Stop: { target: 'stopped', actions: cancel(one) }, Due: {} } },
          stopped: { on: { One: {}, Two: {}, Stop: {}, Due: { actions: assign({ rung: true }) } } },
        },
      }),
    )
    const rings = world({ entities: [bell] })
      .stimuli({ calls: (['One', 'Two', 'Stop'] as const).map((type) => send(Bell.at('1'), { type })) })
      .always('what was stopped does not ring', (w) => w.all(bell).every(({ context }) => !context.rung))
    const error = await finding(rings.check({ stimuli: 2 }))
    expect(error.story?.steps.map(({ what }) => what)).toEqual(['Two', 'Stop', expect.stringContaining('Due')])
  })

  test.each([
    ['a timer', { after: { 1000: { target: 'over', actions: 'note' } } }],
    ['an effect', { invoke: { src: 'burn', onDone: { target: 'over', actions: 'note' } } }],
  ])('what %s was caused by counts where machines look at it', async (what, armed) => {
    const Match = contract('match', {
      commands: { Mend: nothing },
      events: { Struck: nothing, Lit: nothing, Blown: nothing },
    })
    const match = defineAggregate(Match, setup({ types: Match.types() }).createMachine({ on: { Mend: {} } }))
    const follows = follow(
      Match.event('Struck').bySource().starts(),
      Match.event('Lit').bySource(),
      Match.event('Blown').bySource(),
    )
    // Nobody asks here, so that nothing but the cause differs.
    const fuse = defineSaga(
      'fuse',
      follows,
      setup({
        types: follows.types<{ cause: string }>(),
        actors: { burn: nowhere },
        actions: { note: assign({ cause: () => turn().message.correlationId }) },
      }).createMachine({
        context: { cause: '' },
        initial: 'idle',
        on: { 'match.Struck': {}, 'match.Lit': {}, 'match.Blown': {} },
        states: { idle: { on: { 'match.Lit': 'armed' } }, armed, over: { type: 'final' } },
      } as never) as never,
    )
    for (const types of [['Lit', 'Blown'] as const, ['Blown', 'Lit'] as const]) {
      const causes = new Set<string>()
      await world({ entities: [match, fuse] })
        .setup((w) => w.publish(Match.at('1'), { type: 'Struck' }))
        .stimuli({ calls: types.map((type) => publish(Match.at('1'), { type })) })
        .effects(what === 'an effect' ? { burn: () => null } : {})
        .always('looked at', (w) => {
          for (const { context } of w.all(fuse)) causes.add((context as { cause: string }).cause)
          return true
        })
        .check({ stimuli: 2, crashes: 0, unreached: 'report' })
      expect([...causes].sort()).toEqual(['', 'call-1', 'call-2'])
    }
  })

  test.each([false, true])('an effect that begins anew acts anew (its key looked at: %s)', async (looks) => {
    const restless = jobThat({ target: 'working', reenter: true })
    const booked = world({ entities: [restless] })
      .outside({ booked: 0 })
      .effects({
        book: (run) => {
          run.outside.booked += looks ? Math.sign(run.idempotencyKey.length) : 1
          return null
        },
      })
      .stimuli({ go: [go] })
      .always('it is booked once', (w) => w.outside.booked < 2)
    expect((await finding(booked.check({ stimuli: 2, crashes: 0 }))).finding).toBe('INVARIANT_BROKEN it is booked once')
  })

  describe('and who asked for an effect counts', () => {
    const Desk = contract('desk', { commands: { Ask: nothing }, replies: { Answer: nothing } })
    const Client = contract('client', { commands: { Go: nothing } })
    const desk = defineAggregate(
      Desk,
      setup({ types: Desk.types(), actors: { look: nowhere } }).createMachine({
        initial: 'idle',
        states: {
          idle: { on: { Ask: 'looking' } },
          looking: {
            invoke: { src: 'look', onDone: { target: 'idle', actions: Desk.reply({ type: 'Answer' }) } },
          },
        },
      }),
    )
    const client = defineAggregate(
      Client,
      setup({ types: Client.types<{ told: string }, typeof Desk>() }).createMachine({
        context: { told: '' },
        initial: 'new',
        states: {
          new: { on: { Go: { target: 'asking', actions: sendTo(Desk.at('1'), { type: 'Ask' }) } } },
          asking: {
            on: {
              Go: {},
              'desk.Answer': { actions: assign({ told: 'the answer' }) },
              'desk.rejected': { actions: assign({ told: 'to go away' }) },
            },
          },
        },
      }),
      { sends: [Desk] },
    )
    const asking = world({ entities: [desk, client] })
      .effects({ look: () => null })
      .stimuli({ go: ['a', 'b'].map((key) => send(Client.at(key), { type: 'Go' })) })

    test.each(['a', 'b'])('so that a mistake in what %s is answered is found', async (asker) => {
      const silent = asking.always('one is never answered', (w) =>
        w.all(client).every(({ key, context }) => key !== asker || context.told === ''),
      )
      expect((await finding(silent.check({ stimuli: 1 }))).code).toBe('INVARIANT_BROKEN')
    })

    test('so that the answer comes to each who asked, and to nobody else', async () => {
      const told = asking.eventually('each was told', (w) => w.all(client).every(({ context }) => context.told !== ''))
      await told.check({ stimuli: 2, crashes: 0 })
    })
  })
})

describe('What lasts is found', () => {
  test.each([2, 3])(
    'messages that go round, although timers go on that nobody looks at (%s calls)',
    async (stimuli) => {
      const Ping = contract('ping', { commands: { Hit: nothing, Back: nothing } })
      const Pong = contract('pong', { commands: { Hit: nothing } })
      const toPong = sendTo(Pong.at('1'), { type: 'Hit' } as never)
      const ping = defineAggregate(
        Ping,
        setup({ types: Ping.types() }).createMachine({
          initial: 'none',
          states: {
            none: { on: { Hit: 'one' } },
            one: { on: { Hit: { target: 'two', actions: toPong } } },
            two: { on: { Hit: {}, Back: { actions: toPong } } },
          },
        } as never) as never,
        { sends: [Pong] },
      )
      const pong = defineAggregate(
        Pong,
        setup({ types: Pong.types() }).createMachine({
          on: { Hit: { actions: sendTo(Ping.at('1'), { type: 'Back' }) } },
        }),
        { sends: [Ping] },
      )
      const hits = world({ entities: [lampThat(true), ping, pong] })
        .setup((w) => w.send(Lamp.at('1'), { type: 'On' }))
        .stimuli({ hit: [send(Ping.at('1'), { type: 'Hit' })] })
        .always('few play', (w) => w.all(ping).length + w.all(pong).length < 9)
      expect((await finding(hits.check({ stimuli }))).code).toBe('MESSAGES_LOOP')
    },
  )

  test.each([false, true])('a stuck saga, although something else ticks (it does: %s)', async (blinks) => {
    const waits = world({ entities: [guestThat(false), lampThat(blinks)] })
      .setup((w) => w.send(Lamp.at('1'), { type: 'On' }))
      .stimuli(guestGo)
    expect((await finding(waits.check())).finding).toBe('SAGA_STUCK guest')
  })

  test('an `eventually` that never holds, be it the 33rd', async () => {
    let promising: World = world({ entities: [job] })
      .effects({ book: () => null })
      .stimuli({ go: [go] })
    for (let index = 1; index <= 32; index += 1) promising = promising.eventually(`it is so ${index}`, () => true)
    const broken = promising.eventually('it is never so', () => false)
    expect((await finding(broken.check())).finding).toBe('EVENTUALLY_NEVER it is never so')
  })
})

describe('What is only asked for', () => {
  test('does not count as reached, nor for coverage', async () => {
    const guest = guestThat(true)
    const coverage = new Coverage([guest])
    const once = world({ entities: [guest], coverage }).stimuli(guestGo)
    expect((await finding(once.check({ stimuli: 1 }))).finding).toBe('STATE_UNREACHED guest.gone')
    expect(() => coverage.require({ states: 100 })).toThrow('guest.gone')
  })

  test('counts where it does happen later', async () => {
    const Slow = contract('slow', { commands: { Go: nothing, Walk: nothing } })
    const slow = defineSaga(
      Slow,
      guests,
      setup({ types: guests.types<Record<never, never>, never, never, typeof Slow>() }).createMachine({
        initial: 'new',
        states: {
          new: { on: { Go: 'near', Walk: 'walking' } },
          near: { on: { Go: 'there', Walk: {} } },
          walking: { on: { Go: {}, Walk: {} }, after: { 1000: 'resting' } },
          resting: { on: { Go: {}, Walk: {} }, after: { 1000: 'there' } },
          there: { on: { Go: 'gone', Walk: {} } },
          gone: { type: 'final' },
        },
      } as never) as never,
    )
    // Two calls lead there sooner, with none left: that a third one would lead on is asked before it happens.
    const calls = (['Go', 'Walk'] as const).map((type) => send(Slow.at('1'), { type }))
    await world({ entities: [slow] })
      .stimuli({ calls })
      .check({ stimuli: 2 })
  })
})

describe('Nothing that throws loses its story', () => {
  const booking = (book: (call: EffectCall<{ booked: string[] }>) => null) =>
    world({ entities: [job] })
      .outside<{ booked: string[] }>({ booked: [] })
      .effects({ book })
      .stimuli({ go: [go] })
  const books = booking(({ outside }) => {
    outside.booked = [...outside.booked, 'x']
    return null
  })

  test('a property can not change the outside', async () => {
    const changing = books.always('it empties', (w) => {
      w.outside.booked.length = 0
      return true
    })
    expect((await finding(changing.check())).finding).toBe('PROPERTY_THREW it empties')
  })

  test('a property that throws where something happened before says what', async () => {
    const blind = books.always('it is new', (w) => w.all(job).every((each) => each.matches('nowhere' as never)))
    const error = await finding(blind.check())
    expect(error.finding).toBe('PROPERTY_THREW it is new')
    expect(error.story?.steps.map(({ what }) => what)).toEqual(['Go'])
    await expect(blind.replay(error.token as string)).rejects.toMatchObject({ finding: error.finding })
  })

  test('an effect without a model, after the first call', async () => {
    const error = await finding(
      world({ entities: [job] })
        .stimuli({ go: [go] })
        .check(),
    )
    expect(error.finding).toBe('EFFECT_WITHOUT_MODEL job.book')
    expect(error.story?.steps.map(({ what }) => what)).toEqual(['Go'])
    expect(error.token).toMatch(/^i1:/)
  })

  test('an effect without a model, after two calls', async () => {
    const Late = contract('late', { commands: { Go: nothing } })
    const late = defineAggregate(
      Late,
      setup({ types: Late.types(), actors: { book: nowhere } }).createMachine({
        initial: 'idle',
        states: {
          idle: { on: { Go: 'ready' } },
          ready: { on: { Go: 'working' } },
          working: { on: { Go: {} }, invoke: { src: 'book', onDone: 'ready' } },
        },
      }),
    )
    const error = await finding(
      world({ entities: [late] })
        .stimuli({ go: [send(Late.at('1'), { type: 'Go' })] })
        .check(),
    )
    expect(error.finding).toBe('EFFECT_WITHOUT_MODEL late.book')
    expect(error.story?.steps.map(({ what }) => what)).toEqual(['Go', 'Go'])
    expect(error.token).toMatch(/^i1:/)
  })

  test('an effect without input is told', async () => {
    const error = await finding(
      books.always('it is never done', (w) => !w.any(job, (each) => each.matches('done'))).check({ crashes: 0 }),
    )
    expect(error.finding).toBe('INVARIANT_BROKEN it is never done')
    expect(error.message).toContain('job/1 -> outside effect "book"')
  })

  test('a token of a mended world passes, although the mending looks at the key', async () => {
    const once = (of: typeof books) => of.always('it is booked once', (w) => w.outside.booked.length < 2)
    const { token, finding: name } = await finding(once(books).check())
    expect(name).toBe('INVARIANT_BROKEN it is booked once')
    const mended = once(
      booking(({ outside, idempotencyKey }) => {
        if (!outside.booked.includes(idempotencyKey)) outside.booked.push(idempotencyKey)
        return null
      }),
    )
    await mended.check()
    await mended.replay(token as string)
  })
})
