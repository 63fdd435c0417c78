// old-event-name.ts: an event is published under its new spelling, and who follows the old one never hears of it.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Order = contract('order', {
  commands: { Place: nothing, Cancel: nothing },
  /** `Canceled` is the old spelling; it stays for those who follow it. */
  events: { Placed: nothing, Cancelled: nothing, Canceled: nothing },
})
const Payment = contract('payment', { commands: { Refund: nothing }, replies: { Refunded: nothing } })

const order = (version: Version) =>
  defineAggregate(
    Order,
    setup({ types: Order.types() }).createMachine({
      initial: 'open',
      states: {
        open: { on: { Place: { target: 'placed', actions: emit({ type: 'Placed' }) } } },
        placed: {
          on: {
            Cancel: {
              target: 'cancelled',
              actions:
                version === 'planted'
                  ? emit({ type: 'Cancelled' })
                  : [emit({ type: 'Cancelled' }), emit({ type: 'Canceled' })],
            },
          },
        },
        cancelled: {},
      },
    }),
  )

const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types<{ isRefunded: boolean }>() }).createMachine({
    context: { isRefunded: false },
    on: { Refund: { actions: [assign({ isRefunded: true }), Payment.reply({ type: 'Refunded' })] } },
  }),
)

const follows = follow(Order.event('Placed').bySource().starts(), Order.event('Canceled').bySource())

/** For two weeks an order may be cancelled. */
const refund = defineSaga(
  'refund',
  follows,
  setup({ types: follows.types<{ order: string }, typeof Payment>() }).createMachine({
    context: ({ input }) => ({ order: input.key }),
    initial: 'waiting',
    states: {
      waiting: { on: { 'order.Canceled': 'refunding' }, after: { 1209600000: 'closed' } },
      refunding: {
        entry: sendTo(({ context }) => Payment.at(context.order), { type: 'Refund' }),
        on: { 'payment.Refunded': 'closed' },
      },
      closed: { type: 'final' },
    },
  }),
  { sends: [Payment] },
)

export const oldEventName: PlantedBug = {
  mistake: 'A state is reached by an event only that nobody publishes any longer',
  origin: 'The spelling was corrected where the event is published; contract and followers still know both.',
  finding: 'STATE_UNREACHED refund.refunding',
  world: (version) =>
    world({ entities: [order(version), payment, refund] }).stimuli({
      place: [send(Order.at('o1'), { type: 'Place' })],
      cancel: [send(Order.at('o1'), { type: 'Cancel' })],
    }),
}
