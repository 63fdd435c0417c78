// lamp.ts: a lamp that may break, and a saga that watches it and has not thought of everything: a system with mistakes.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send } from '@interstate/testing'
import { assign, emit, setup } from 'xstate'
import { z } from 'zod'

export const Lamp = contract('lamp', {
  commands: { Press: z.object({}), Break: z.object({ volts: z.number().int().min(1).max(400) }) },
  events: { Lit: z.object({}), Dark: z.object({}) },
})
export const toPress = [send(Lamp.at('hall'), { type: 'Press' })]

/** A lamp that goes on and off; at more than 230 volts its machine throws. */
export const lamp = defineAggregate(
  Lamp,
  setup({
    types: Lamp.types<{ presses: number }>(),
    actions: { count: assign({ presses: ({ context }) => context.presses + 1 }) },
  }).createMachine({
    context: { presses: 0 },
    initial: 'dark',
    on: { Break: { actions: assign(({ context, event }) => check(context, event.volts)) } },
    states: {
      dark: { on: { Press: { target: 'lit', actions: ['count', emit({ type: 'Lit' })] } } },
      lit: { on: { Press: { target: 'dark', actions: ['count', emit({ type: 'Dark' })] } } },
    },
  }),
)

function check<T>(context: T, volts: number): T {
  if (volts > 230) throw new Error('The lamp is broken.')
  return context
}

/** Watches a lamp, and has not thought of its going dark. */
const follows = follow(Lamp.event('Lit').bySource().starts(), Lamp.event('Dark').bySource())
export const watcher = defineSaga(
  'watcher',
  follows,
  setup({ types: follows.types() }).createMachine({ initial: 'calm', states: { calm: { on: { 'lamp.Lit': {} } } } }),
)
