// negative-refund.ts: a refund less a fee that is larger than what was paid.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Payment = contract('payment', {
  commands: { Refund: z.object({ cents: z.number().int().positive() }) },
  replies: { Refunded: z.object({}) },
})
const Cancellation = contract('cancellation', {
  commands: { Cancel: z.object({ paidCents: z.number().int().nonnegative() }) },
})

const feeCents = 500

const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types<{ refunded: number }>() }).createMachine({
    context: { refunded: 0 },
    on: {
      Refund: {
        actions: [
          assign({ refunded: ({ context, event }) => context.refunded + event.cents }),
          Payment.reply({ type: 'Refunded' }),
        ],
      },
    },
  }),
)

const follows = follow()

const cancellation = (version: Version) =>
  defineSaga(
    Cancellation,
    follows,
    setup({
      types: follows.types<{ key: string; paidCents: number }, typeof Payment, never, typeof Cancellation>(),
    }).createMachine({
      context: ({ input }) => ({ key: input.key, paidCents: 0 }),
      initial: 'new',
      states: {
        new: {
          on: {
            Cancel: [
              {
                guard: ({ event }) => event.paidCents > (version === 'planted' ? 0 : feeCents),
                target: 'refunding',
                actions: assign({ paidCents: ({ event }) => event.paidCents }),
              },
              { target: 'closed' },
            ],
          },
        },
        refunding: {
          entry: sendTo(
            ({ context }) => Payment.at(context.key),
            ({ context }) => ({ type: 'Refund', cents: context.paidCents - feeCents }),
          ),
          on: { 'payment.Refunded': 'closed' },
        },
        closed: { type: 'final' },
      },
    }),
    { sends: [Payment], unhandled: 'reject' },
  )

export const negativeRefund: PlantedBug = {
  mistake: "The receiver's schema is stricter than what the sender computes",
  origin: 'Whoever wrote the sum had no cheap order in mind, and types say `number` on both sides.',
  finding: 'TURN_FAILED cancellation Cancel',
  world: (version) =>
    world({ entities: [payment, cancellation(version)] }).stimuli({
      cancel: [0, 300, 2_000].map((paidCents) => send(Cancellation.at('c1'), { type: 'Cancel', paidCents })),
    }),
}
