// What a check could not look at is no green tick, and what a world is told wrongly is refused.
import { contract, defineAggregate, effect } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { send, world } from '../src/index.ts'
import { Account, account, bank, transfer } from './bank.ts'
import { finding } from './finding.ts'
import { Lamp, lamp, lampWith, nothing, presses } from './lamp.ts'

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
