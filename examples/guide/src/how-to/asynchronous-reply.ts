// A reply between entities, minutes later: a brewer answers the counter when the potion is ready.
import { contract, defineAggregate } from '@interstate/core'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'

// #region brewer
export const Brewer = contract('brewer', {
  commands: { Brew: z.object({ potion: z.string() }) },
  replies: { Ready: z.object({ potion: z.string() }) },
})

export const brewer = defineAggregate(
  Brewer,
  setup({
    types: Brewer.types<{ potion: string }>(),
    delays: { brewing: 20 * 60_000 },
  }).createMachine({
    context: { potion: '' },
    initial: 'idle',
    states: {
      idle: {
        on: { Brew: { target: 'brewing', actions: assign({ potion: ({ event }) => event.potion }) } },
      },
      brewing: {
        after: {
          brewing: {
            target: 'idle',
            // It goes to whoever sent Brew, although that was another message and another turn.
            actions: Brewer.reply(({ context }) => ({ type: 'Ready', potion: context.potion })),
          },
        },
      },
    },
  }),
)
// #endregion

// #region counter
export const Counter = contract('counter', {
  commands: { Order: z.object({ potion: z.string() }) },
})

export const counter = defineAggregate(
  Counter,
  setup({
    types: Counter.types<{ served: string[] }, typeof Brewer>(),
  }).createMachine({
    context: { served: [] },
    initial: 'open',
    states: {
      open: {
        on: {
          Order: {
            target: 'waiting',
            actions: sendTo(Brewer.at('cellar'), ({ event }) => ({ type: 'Brew', potion: event.potion })),
          },
        },
      },
      waiting: {
        on: {
          'brewer.Ready': {
            target: 'open',
            actions: assign({ served: ({ context, event }) => [...context.served, event.potion] }),
          },
          // The brewer had no transition for Brew: it is at work for somebody else.
          'brewer.rejected': 'open',
        },
      },
    },
  }),
  { sends: [Brewer] },
)
// #endregion
