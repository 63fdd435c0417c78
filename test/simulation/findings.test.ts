// Everything that a simulation can find is found, by the name that a check gives it, with a short story.
import { contract, defineAggregate, effect, turn } from '@interstate/core'
import { publish, send, type WorldError, world } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { found } from './found.ts'
import { Lamp, lamp, toPress, watcher } from './lamp.ts'

function last(error: WorldError) {
  return error.story?.steps.at(-1)
}

describe('Found is', () => {
  test('a turn that fails', async () => {
    const house = world({ entities: [lamp] }).stimuli({ break: [send(Lamp.at('hall'), { type: 'Break', volts: 380 })] })
    const error = await found(house.simulate({ runs: 3 }))
    expect(error.finding).toBe('TURN_FAILED lamp Break')
    expect(last(error)).toMatchObject({ to: 'lamp/hall', what: 'Break', outcome: 'fails', data: { volts: 380 } })
    await house.accept('TURN_FAILED lamp Break').simulate({ runs: 3 })
  })

  test('a message that parks a saga, unless it is accepted by its name', async () => {
    const house = world({ entities: [lamp, watcher] }).stimuli({ press: toPress })
    const error = await found(house.simulate())
    expect(error.finding).toBe('MESSAGE_UNHANDLED watcher lamp.Dark')
    expect(last(error)).toMatchObject({ from: 'lamp/hall', to: 'watcher/hall', what: 'lamp.Dark' })
    expect(last(error)?.outcome).toBe('not handled')
    expect(error.story?.steps.length).toBeLessThanOrEqual(5)
    // What waits behind it is at rest: for a person.
    await house.accept(error.finding).simulate({ runs: 10, faults: 'harsh' })
  })

  test('a loop of messages, told by one round of it', async () => {
    const Ping = contract('ping', { commands: { Go: z.object({}) } })
    const Pong = contract('pong', { commands: { Go: z.object({}) } })
    const player = <C extends typeof Ping | typeof Pong>(of: C, other: typeof Ping | typeof Pong) =>
      defineAggregate(
        of as typeof Ping,
        setup({ types: (of as typeof Ping).types() }).createMachine({
          on: { Go: { actions: sendTo(other.at('1'), { type: 'Go' }) } },
        }),
        { sends: [other] },
      )
    const table = world({ entities: [player(Ping, Pong), player(Pong, Ping)] })
    const served = table.stimuli({ serve: [send(Ping.at('1'), { type: 'Go' })] })
    const error = await found(served.simulate())
    expect(error.finding).toBe('MESSAGES_LOOP')
    expect((await found(served.check() as Promise<unknown>)).finding).toBe(error.finding)
    expect(error.story?.steps.length).toBeLessThanOrEqual(12)
    expect(last(error)).toMatchObject({ to: 'ping/1', what: 'Go' })
    expect((await found(served.replay(error.token ?? ''))).story).toEqual(error.story)
  })

  test('a machine that asks the clock', async () => {
    const Stamp = contract('stamp', { commands: { Set: z.object({}) } })
    const stamp = defineAggregate(
      Stamp,
      setup({ types: Stamp.types<{ at: number }>() }).createMachine({
        context: { at: 0 },
        on: { Set: { actions: assign({ at: () => Date.now() }) } },
      }),
    )
    const office = world({ entities: [stamp] }).stimuli({ set: [send(Stamp.at('1'), { type: 'Set' })] })
    const error = await found(office.simulate({ runs: 3 }))
    expect(error.finding).toBe('NOT_DETERMINISTIC stamp Set')
    expect(error.what).toContain('calls Date.now')
    expect(last(error)).toMatchObject({ to: 'stamp/1', what: 'Set', outcome: 'fails' })
  })

  test('a property that throws at some moment', async () => {
    const house = world({ entities: [lamp] })
      .stimuli({ press: toPress })
      .always('a lit lamp is known', (w) => {
        if (w.any(lamp, (each) => each.matches('lit'))) throw new Error('who is it?')
        return true
      })
    const error = await found(house.simulate({ runs: 5 }))
    expect(error.finding).toBe('PROPERTY_THREW a lit lamp is known')
    expect(last(error)).toMatchObject({ from: 'client', to: 'lamp/hall', what: 'Press', outcome: 'begins in lit' })
    expect(error.story?.changes).toMatchObject([{ entity: 'lamp/hall', before: undefined, previous: undefined }])
  })

  test('what never happens, and what does not come to hold at rest', async () => {
    const house = world({ entities: [lamp] }).stimuli({ press: toPress })
    const thrice = house.sometimes('pressed a thousand times', (w) =>
      w.any(lamp, ({ context }) => context.presses > 999),
    )
    expect((await found(thrice.simulate({ runs: 3 }))).finding).toBe('SOMETIMES_NEVER pressed a thousand times')
    const dark = house.eventually('the house is dark', (w) => w.all(lamp).every((each) => each.matches('dark')))
    const error = await found(dark.simulate())
    expect(error.finding).toBe('EVENTUALLY_NEVER the house is dark')
    expect(last(error)).toMatchObject({ to: 'lamp/hall', what: 'Press' })
    expect(last(error)?.outcome).toMatch(/lit$/)
    await dark.accept(error.finding).simulate({ runs: 5 })
  })
})

describe('From outside come', () => {
  test('facts that are published', async () => {
    const facts = world({ entities: [lamp, watcher] })
      .stimuli({ dark: [publish(Lamp.at('hall'), { type: 'Lit' }), publish(Lamp.at('hall'), { type: 'Dark' })] })
      .sometimes('somebody watches', (w) => w.any(watcher, () => true))
    const error = await found(facts.simulate())
    expect(error.finding).toBe('MESSAGE_UNHANDLED watcher lamp.Dark')
    expect(last(error)).toMatchObject({ to: 'watcher/hall', what: 'lamp.Dark' })
    expect((await facts.accept(error.finding).simulate({ runs: 10 })).sometimes).toEqual(['somebody watches'])
  })

  test('commands that fit the schemas of the contracts, where none are told', async () => {
    const derived = world({ entities: [lamp] })
      .accept('TURN_FAILED lamp Break')
      .sometimes('lit', (w) => w.any(lamp, (each) => each.matches('lit')))
    await derived.simulate({ runs: 10 })
    const error = await found(world({ entities: [lamp] }).simulate())
    expect(error.finding).toBe('TURN_FAILED lamp Break')
    expect(last(error)?.data).toEqual({ volts: 400 })
  })
})

test('an effect that is written into its machine is known by its place', async () => {
  const byHand = effect(() => Promise.reject(new Error('no hands in a test')))
  const Door = contract('door', { commands: { Knock: z.object({}) } })
  const door = defineAggregate(
    Door,
    setup({ types: Door.types<{ at: number }>() }).createMachine({
      context: { at: 0 },
      initial: 'shut',
      states: {
        shut: { on: { Knock: { target: 'opening', actions: assign({ at: () => turn().now }) } } },
        opening: { invoke: { src: byHand, onDone: 'open', onError: 'shut' } as never },
        open: { type: 'final' },
      },
    }),
  )
  const house = world({ entities: [door] }).stimuli({ knock: [send(Door.at('front'), { type: 'Knock' })] })
  const missing = await found(house.simulate({ runs: 1 }))
  expect(missing.code).toBe('EFFECT_WITHOUT_MODEL')
  const place = missing.finding.replace(/^\S+ door\./, '')
  const opened = house
    .outside({ opened: 0 })
    .effects({
      [place]: ({ outside }) => {
        outside.opened += 1
      },
    })
    .sometimes('it is open', (w) => w.any(door, ({ status }) => status === 'done') && w.outside.opened > 0)
  expect((await opened.simulate({ runs: 5 })).sometimes).toEqual(['it is open'])
})
