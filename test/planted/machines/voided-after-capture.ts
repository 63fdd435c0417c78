// voided-after-capture.ts: a compensation that is refused in the state that the payment has reached by then.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Payment = contract('payment', {
  commands: { Authorise: nothing, Capture: nothing, Void: nothing, Refund: nothing },
  replies: { Authorised: nothing, Captured: nothing, Voided: nothing, Refunded: nothing },
})
const Parcel = contract('parcel', {
  commands: { Ship: z.object({ to: z.string() }) },
  replies: { Shipped: nothing },
})
const Order = contract('order', {
  commands: { Submit: z.object({ to: z.string() }), Confirm: nothing, Cancel: nothing },
})

const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types() }).createMachine({
    initial: 'open',
    states: {
      open: { on: { Authorise: { target: 'authorised', actions: Payment.reply({ type: 'Authorised' }) } } },
      authorised: {
        on: {
          Capture: { target: 'captured', actions: Payment.reply({ type: 'Captured' }) },
          Void: { target: 'voided', actions: Payment.reply({ type: 'Voided' }) },
        },
      },
      captured: { on: { Refund: { target: 'refunded', actions: Payment.reply({ type: 'Refunded' }) } } },
      voided: {},
      refunded: {},
    },
  }),
)

const parcel = defineAggregate(
  Parcel,
  setup({ types: Parcel.types() }).createMachine({
    initial: 'packed',
    states: {
      packed: {
        on: {
          Ship: {
            guard: ({ event }) => event.to !== 'the island',
            target: 'shipped',
            actions: Parcel.reply({ type: 'Shipped' }),
          },
        },
      },
      shipped: {},
    },
  }),
)

const follows = follow()

const order = (version: Version) =>
  defineSaga(
    Order,
    follows,
    setup({
      types: follows.types<{ key: string; to: string }, typeof Payment | typeof Parcel, never, typeof Order>(),
    }).createMachine({
      context: ({ input }) => ({ key: input.key, to: '' }),
      initial: 'new',
      states: {
        new: { on: { Submit: { target: 'authorising', actions: assign({ to: ({ event }) => event.to }) } } },
        authorising: {
          entry: sendTo(({ context }) => Payment.at(context.key), { type: 'Authorise' }),
          on: { 'payment.Authorised': 'confirming' },
        },
        confirming: { on: { Confirm: 'capturing', Cancel: 'voiding' } },
        capturing: {
          entry: sendTo(({ context }) => Payment.at(context.key), { type: 'Capture' }),
          on: { 'payment.Captured': 'shipping' },
        },
        shipping: {
          entry: sendTo(
            ({ context }) => Parcel.at(context.key),
            ({ context }) => ({ type: 'Ship', to: context.to }),
          ),
          on: { 'parcel.Shipped': 'shipped', 'parcel.rejected': version === 'planted' ? 'voiding' : 'refunding' },
        },
        voiding: {
          entry: sendTo(({ context }) => Payment.at(context.key), { type: 'Void' }),
          on: { 'payment.Voided': 'cancelled', 'payment.rejected': 'cancelled' },
        },
        refunding: {
          entry: sendTo(({ context }) => Payment.at(context.key), { type: 'Refund' }),
          on: { 'payment.Refunded': 'cancelled' },
        },
        shipped: { type: 'final' },
        cancelled: { type: 'final' },
      },
    }),
    { sends: [Payment, Parcel], unhandled: 'reject' },
  )

export const voidedAfterCapture: PlantedBug = {
  mistake: 'A compensation is refused, and that passes for done',
  origin:
    'Cancelling was written for an order that is not captured yet, and used again for a later step; the refusal was mapped to "already void".',
  finding: 'INVARIANT_BROKEN a cancelled order costs nothing',
  world: (version) => {
    const saga = order(version)
    return world({ entities: [payment, parcel, saga] })
      .stimuli({
        submit: ['town', 'the island'].map((to) => send(Order.at('o1'), { type: 'Submit', to })),
        confirm: [send(Order.at('o1'), { type: 'Confirm' })],
        cancel: [send(Order.at('o1'), { type: 'Cancel' })],
      })
      .always('a cancelled order costs nothing', (w) =>
        w.all(saga).every((each) => !each.matches('cancelled') || !w.one(payment.at(each.key))?.matches('captured')),
      )
  },
}
