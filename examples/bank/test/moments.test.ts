// At which moments a check lets a message come, where its receiver has several timers: all that give them another order.
import { contract, defineAggregate, effect } from '@interstate/core'
import { send, type World, type WorldView, world } from '@interstate/testing'
import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'

/** All that was noted of three things that happen, in the orders in which they happened. */
async function orders(of: World, noted: (w: WorldView) => string | undefined, stimuli: number): Promise<string[]> {
  const seen = new Set<string>()
  await of.always('noted', (w) => Boolean(seen.add(noted(w) ?? ''))).check({ stimuli })
  return [...seen].filter(({ length }) => length === 3).sort()
}

test('a message comes at every moment that gives the timers of its receiver another order', async () => {
  const Clock = contract('clock', { commands: { Wind: z.object({}), Set: z.object({}) } })
  const clock = defineAggregate(
    Clock,
    setup({
      types: Clock.types<{ rang: string }>(),
      actions: { ring: assign({ rang: ({ context }, name: string) => context.rang + name }) },
    }).createMachine({
      context: { rang: '' },
      initial: 'still',
      states: {
        still: { on: { Wind: 'wound' } },
        wound: {
          type: 'parallel',
          states: {
            a: {
              initial: 'on',
              states: { on: { after: { 3000: { target: 'off', actions: { type: 'ring', params: 'A' } } } }, off: {} },
            },
            b: {
              initial: 'on',
              states: { on: { after: { 5000: { target: 'off', actions: { type: 'ring', params: 'B' } } } }, off: {} },
            },
            c: {
              initial: 'idle',
              states: {
                idle: { on: { Set: 'on' } },
                on: { after: { 2500: { target: 'off', actions: { type: 'ring', params: 'C' } } } },
                off: {},
              },
            },
          },
        },
      },
    }),
    { unhandled: 'ignore' },
  )
  const bedroom = world({ entities: [clock] }).stimuli({
    calls: [send(Clock.at('1'), { type: 'Wind' }), send(Clock.at('1'), { type: 'Set' })],
  })
  // ACB: set a second after the others were wound, C rings between them.
  expect(await orders(bedroom, (w) => w.one(clock.at('1'))?.context.rang, 2)).toEqual(['ABC', 'ACB', 'CAB'])
})

test('and so does the result of an effect', async () => {
  const Oven = contract('oven', { commands: { Heat: z.object({}) } })
  const oven = defineAggregate(
    Oven,
    setup({
      types: Oven.types<{ seen: string }>(),
      actors: { light: effect<undefined, null>(() => Promise.reject(new Error('There is no gas here.'))) },
      actions: { note: assign({ seen: ({ context }, what: string) => context.seen + what }) },
    }).createMachine({
      context: { seen: '' },
      initial: 'cold',
      states: {
        cold: { on: { Heat: 'hot' } },
        hot: {
          type: 'parallel',
          states: {
            alarm: {
              initial: 'on',
              states: { on: { after: { 3000: { target: 'off', actions: { type: 'note', params: 'A' } } } }, off: {} },
            },
            fire: {
              initial: 'lighting',
              states: {
                lighting: {
                  invoke: { src: 'light', onDone: { target: 'lit', actions: { type: 'note', params: 'L' } } },
                },
                lit: { after: { 2000: { target: 'out', actions: { type: 'note', params: 'O' } } } },
                out: {},
              },
            },
          },
        },
      },
    }),
  )
  const kitchen = world({ entities: [oven] })
    .stimuli({ heat: [send(Oven.at('1'), { type: 'Heat' })] })
    .effects({ light: () => null })
  // LAO: lit after two seconds, the alarm comes while it burns.
  expect(await orders(kitchen, (w) => w.one(oven.at('1'))?.context.seen, 1)).toEqual(['ALO', 'LAO', 'LOA'])
})
