// counters.ts: the entities of the processes that are tested from outside.
import { setTimeout } from 'node:timers/promises'
import { contract, defineAggregate, effect } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

export const Counter = contract('counter', {
  commands: { Add: z.object({ by: z.number() }), Fetch: z.object({}), Wait: z.object({}) },
  replies: { Total: z.object({ total: z.number() }) },
})

export const counter = defineAggregate(
  Counter,
  setup({
    types: Counter.types<{ total: number }>(),
    actors: { slow: effect<null, number>(({ signal }) => setTimeout(60_000, 1, { signal })) },
  }).createMachine({
    context: { total: 0 },
    initial: 'counting',
    states: {
      counting: {
        on: {
          Add: {
            actions: [
              assign({ total: ({ context, event }) => context.total + event.by }),
              Counter.reply(({ context }) => ({ type: 'Total', total: context.total })),
            ],
          },
          Fetch: 'fetching',
          Wait: 'waiting',
        },
      },
      fetching: { invoke: { src: 'slow', input: null, onDone: 'counting' } },
      waiting: { after: { 3600000: 'counting' } },
    },
  }),
)
