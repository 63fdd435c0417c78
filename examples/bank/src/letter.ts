// letter.ts: a letter to a customer, posted by an effect and tried again tomorrow while the post office is closed.
import { contract, defineAggregate, effect } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

export const Letter = contract('letter', { commands: { Write: z.object({ to: z.string() }) } })

// #region machine
export const letter = defineAggregate(
  Letter,
  setup({
    types: Letter.types<{ to: string; attempts: number }>(),
    actors: { post: effect<{ to: string }, null>(() => Promise.reject(new Error('This bank has no post office.'))) },
  }).createMachine({
    context: { to: '', attempts: 0 },
    initial: 'blank',
    states: {
      blank: { on: { Write: { target: 'posting', actions: assign({ to: ({ event }) => event.to }) } } },
      posting: {
        entry: assign({ attempts: ({ context }) => context.attempts + 1 }),
        invoke: { src: 'post', input: ({ context }) => ({ to: context.to }), onDone: 'posted', onError: 'waiting' },
      },
      waiting: { after: { 86400000: 'posting' } },
      posted: { type: 'final' },
    },
  }),
)
// #endregion
