// payment.ts: the money of one order: asked for, confirmed where it is much, taken, given back.
import { defineAggregate } from '@interstate/core'
import { assign, emit, setup } from 'xstate'
import { confirmAboveCents } from './catalogue.ts'
import { Payment } from './payment.contract.ts'

export const payment = defineAggregate(
  Payment,
  setup({
    types: Payment.types<{ asked: number; charged: number; refunded: number; confirmed: boolean }>(),
    actions: {
      take: assign({ charged: ({ context }) => context.asked }),
    },
  }).createMachine({
    context: { asked: 0, charged: 0, refunded: 0, confirmed: false },
    initial: 'open',
    states: {
      open: {
        on: {
          Confirm: { actions: assign({ confirmed: true }) },
          Charge: [
            {
              guard: ({ event }) => event.cents > event.limitCents,
              target: 'refused',
              actions: emit({ type: 'Refused', reason: 'above the limit' }),
            },
            {
              guard: ({ context, event }) => event.cents > confirmAboveCents && !context.confirmed,
              target: 'unconfirmed',
              actions: assign({ asked: ({ event }) => event.cents }),
            },
            { target: 'charged', actions: assign({ asked: ({ event }) => event.cents }) },
          ],
        },
      },
      unconfirmed: { on: { Confirm: 'charged', Refund: 'refunded' } },
      charged: {
        entry: ['take', emit(({ context }) => ({ type: 'Charged', cents: context.charged }))],
        on: { Refund: 'refunded' },
      },
      refused: { type: 'final' },
      refunded: {
        type: 'final',
        entry: [
          assign({ refunded: ({ context }) => context.charged }),
          emit(({ context }) => ({ type: 'Refunded', cents: context.refunded })),
        ],
      },
    },
  }),
  // A confirmation that comes late changes nothing: the money was taken, refused or given back.
  { ignores: ['Confirm'] },
)
