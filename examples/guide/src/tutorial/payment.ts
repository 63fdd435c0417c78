// The money of one order: asked for, confirmed where it is much, taken, given back. The key is the order number.

// #region contract
import { contract, defineAggregate } from '@interstate/core'
import { assign, emit, setup } from 'xstate'
import { z } from 'zod'

const amount = z.object({ cents: z.number().int().nonnegative() })

export const Payment = contract('payment', {
  commands: { Charge: amount, Confirm: z.object({}), Refund: z.object({}) },
  events: { Charged: amount, Refused: z.object({ reason: z.string() }), Refunded: amount },
})
// #endregion

// #region machine
/** Nobody has so much money with them. */
const limitCents = 50_000
/** A customer confirms what is above this. */
const confirmAboveCents = 5_000

export const payment = defineAggregate(
  Payment,
  setup({
    types: Payment.types<{ asked: number; taken: number }>(),
  }).createMachine({
    context: { asked: 0, taken: 0 },
    initial: 'open',
    states: {
      open: {
        on: {
          Charge: [
            {
              guard: ({ event }) => event.cents > limitCents,
              target: 'refused',
              actions: emit({ type: 'Refused', reason: 'above the limit' }),
            },
            {
              guard: ({ event }) => event.cents > confirmAboveCents,
              target: 'unconfirmed',
              actions: assign({ asked: ({ event }) => event.cents }),
            },
            { target: 'charged', actions: assign({ asked: ({ event }) => event.cents }) },
          ],
        },
      },
      unconfirmed: { on: { Confirm: 'charged', Refund: 'refunded' } },
      charged: {
        entry: [
          assign({ taken: ({ context }) => context.asked }),
          emit(({ context }) => ({ type: 'Charged', cents: context.taken })),
        ],
        on: { Refund: 'refunded' },
      },
      refused: { type: 'final' },
      refunded: {
        type: 'final',
        entry: [emit(({ context }) => ({ type: 'Refunded', cents: context.taken })), assign({ taken: 0 })],
      },
    },
  }),
)
// #endregion
