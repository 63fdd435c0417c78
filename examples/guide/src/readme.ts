// The larger example of the README: an order, its payment, and a saga that gives up after half an hour.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'

// #region aggregate
export const Payment = contract('payment', {
  commands: { Charge: z.object({ cents: z.number().int().positive() }), Confirm: z.object({}), Cancel: z.object({}) },
  events: { Charged: z.object({}), Cancelled: z.object({}) },
})

export const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types<{ cents: number }>() }).createMachine({
    context: { cents: 0 },
    initial: 'open',
    states: {
      open: {
        on: { Charge: { target: 'unconfirmed', actions: assign({ cents: ({ event }) => event.cents }) } },
      },
      unconfirmed: { on: { Confirm: 'charged', Cancel: 'cancelled' } },
      charged: { type: 'final', entry: emit({ type: 'Charged' }) },
      cancelled: { type: 'final', entry: emit({ type: 'Cancelled' }) },
    },
  }),
)
// #endregion

export const Order = contract('order', {
  commands: { Submit: z.object({ cents: z.number().int().positive() }) },
  events: { Submitted: z.object({ cents: z.number() }) },
})

export const order = defineAggregate(
  Order,
  setup({ types: Order.types<{ cents: number }>() }).createMachine({
    context: { cents: 0 },
    initial: 'draft',
    states: {
      draft: {
        on: {
          Submit: {
            target: 'submitted',
            actions: [
              assign({ cents: ({ event }) => event.cents }),
              emit(({ event }) => ({ type: 'Submitted', cents: event.cents })),
            ],
          },
        },
      },
      submitted: {},
    },
  }),
)

// #region saga
const follows = follow(
  Order.event('Submitted').bySource().starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Cancelled').bySource(),
)

export const fulfilment = defineSaga(
  'fulfilment',
  follows,
  setup({
    types: follows.types<{ order: string; cents: number }>(),
    delays: { patience: 30 * 60_000 },
  }).createMachine({
    context: ({ input }) => ({ order: input.key, cents: input.message.cents }),
    initial: 'paying',
    states: {
      paying: {
        entry: sendTo(
          ({ context }) => Payment.at(context.order),
          ({ context }) => ({ type: 'Charge', cents: context.cents }),
        ),
        on: { 'payment.Charged': 'paid' },
        after: { patience: 'givingUp' },
      },
      givingUp: {
        entry: sendTo(({ context }) => Payment.at(context.order), { type: 'Cancel' }),
        // The confirmation and our Cancel may cross: whichever came first has won.
        on: { 'payment.Cancelled': 'unpaid', 'payment.Charged': 'paid', 'payment.rejected': {} },
      },
      paid: { type: 'final' },
      unpaid: { type: 'final' },
    },
  }),
  { sends: [Payment] },
)
// #endregion
