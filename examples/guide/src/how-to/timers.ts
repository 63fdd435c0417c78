// Timers: a state that is left after a while, a message that is sent later, and taking one back.
import { contract, defineAggregate } from '@interstate/core'
import { assign, cancel, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'

export const Letter = contract('letter', {
  commands: { Write: z.object({ text: z.string() }) },
})

export const letter = defineAggregate(
  Letter,
  setup({ types: Letter.types<{ texts: string[] }>() }).createMachine({
    context: { texts: [] },
    on: {
      Write: { actions: assign({ texts: ({ context, event }) => [...context.texts, event.text] }) },
    },
  }),
)

export const Pickup = contract('pickup', {
  commands: { Ready: z.object({}), Collect: z.object({}), Extend: z.object({}) },
})

const hour = 60 * 60_000

// #region machine
type Internal = { type: 'EXPIRED' }

export const pickup = defineAggregate(
  Pickup,
  setup({
    types: Pickup.types<{ order: string }, never, Internal>(),
    delays: { patience: 4 * hour },
  }).createMachine({
    context: ({ input }) => ({ order: input.key }),
    initial: 'brewing',
    states: {
      brewing: { on: { Ready: 'waiting' } },
      waiting: {
        entry: [
          // A message to another entity, in two hours. Its id is what `cancel` takes.
          sendTo(
            ({ context }) => Letter.at(context.order),
            { type: 'Write', text: 'Your potion is ready.' },
            { delay: 2 * hour, id: 'reminder' },
          ),
          // An event to itself.
          raise({ type: 'EXPIRED' }, { delay: 'patience', id: 'expiry' }),
        ],
        on: {
          Collect: { target: 'collected', actions: [cancel('reminder'), cancel('expiry')] },
          // The same id again: the old timer is replaced, and never fires.
          Extend: { actions: raise({ type: 'EXPIRED' }, { delay: 'patience', id: 'expiry' }) },
          EXPIRED: 'shelved',
        },
      },
      shelved: {
        on: { Collect: 'collected' },
        // `after` belongs to its state: leaving the state takes it back.
        after: { [12 * hour]: 'pouredAway' },
      },
      collected: { type: 'final' },
      pouredAway: { type: 'final' },
    },
  }),
  { sends: [Letter] },
)
// #endregion
