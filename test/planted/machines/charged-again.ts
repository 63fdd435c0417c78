// charged-again.ts: a retry under a new id, after a charge whose answer was only slow.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Payment = contract('payment', {
  commands: { Charge: z.object({ order: z.string() }) },
  replies: { Charged: z.object({}) },
})
const Order = contract('order', { commands: { Pay: z.object({}) } })

const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types<{ order: string }>() }).createMachine({
    context: { order: '' },
    initial: 'open',
    states: {
      open: {
        on: {
          Charge: {
            target: 'charged',
            actions: [assign({ order: ({ event }) => event.order }), Payment.reply({ type: 'Charged' })],
          },
        },
      },
      charged: { on: { Charge: { actions: Payment.reply({ type: 'Charged' }) } } },
    },
  }),
)

const follows = follow()

const order = (version: Version) =>
  defineSaga(
    Order,
    follows,
    setup({
      types: follows.types<{ key: string; attempt: number }, typeof Payment, never, typeof Order>(),
    }).createMachine({
      context: ({ input }) => ({ key: input.key, attempt: 0 }),
      initial: 'new',
      states: {
        new: { on: { Pay: 'charging' } },
        charging: {
          entry: [
            assign({ attempt: ({ context }) => context.attempt + 1 }),
            sendTo(
              ({ context: { key, attempt } }) => Payment.at(version === 'planted' ? `${key}-${attempt}` : key),
              ({ context }) => ({ type: 'Charge', order: context.key }),
            ),
          ],
          on: { 'payment.Charged': 'paid' },
          after: { 30000: { guard: ({ context }) => context.attempt < 2, target: 'charging', reenter: true } },
        },
        paid: { type: 'final' },
      },
    }),
    { sends: [Payment], unhandled: 'reject' },
  )

export const chargedAgain: PlantedBug = {
  mistake: 'A retry after a timeout charges under a new id',
  origin: 'A timeout was read as "it failed"; and a fresh id an attempt made the log easier to read.',
  finding: 'INVARIANT_BROKEN an order is charged once',
  world: (version) =>
    world({ entities: [payment, order(version)] })
      .stimuli({ pay: ['o1', 'o2'].map((each) => send(Order.at(each), { type: 'Pay' })) })
      .always('an order is charged once', (w) => {
        const charged = w.all(payment).filter((each) => each.matches('charged'))
        return new Set(charged.map(({ context }) => context.order)).size === charged.length
      }),
}
