// refunded-before-return.ts: the money goes back before the licence does.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Payment = contract('payment', {
  commands: { Charge: nothing, Refund: nothing },
  replies: { Charged: nothing, Refunded: nothing },
})
const Licence = contract('licence', {
  commands: { Grant: nothing, Revoke: nothing },
  replies: { Granted: nothing, Revoked: nothing },
})
const Purchase = contract('purchase', { commands: { Buy: nothing, Return: nothing } })

const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types() }).createMachine({
    initial: 'open',
    states: {
      open: { on: { Charge: { target: 'charged', actions: Payment.reply({ type: 'Charged' }) } } },
      charged: { on: { Refund: { target: 'refunded', actions: Payment.reply({ type: 'Refunded' }) } } },
      refunded: {},
    },
  }),
)

const licence = defineAggregate(
  Licence,
  setup({ types: Licence.types() }).createMachine({
    initial: 'none',
    states: {
      none: { on: { Grant: { target: 'valid', actions: Licence.reply({ type: 'Granted' }) } } },
      valid: { on: { Revoke: { target: 'revoked', actions: Licence.reply({ type: 'Revoked' }) } } },
      revoked: {},
    },
  }),
)

const follows = follow()

/** Undone in the order of the steps, or newest first. */
const undoing = {
  planted: { first: 'refunding', afterRefund: 'revoking', afterRevoke: 'returned' },
  mended: { first: 'revoking', afterRevoke: 'refunding', afterRefund: 'returned' },
} as const

const purchase = (version: Version) =>
  defineSaga(
    Purchase,
    follows,
    setup({
      types: follows.types<{ key: string }, typeof Payment | typeof Licence, never, typeof Purchase>(),
    }).createMachine({
      context: ({ input }) => ({ key: input.key }),
      initial: 'new',
      states: {
        new: { on: { Buy: 'charging' } },
        charging: {
          entry: sendTo(({ context }) => Payment.at(context.key), { type: 'Charge' }),
          on: { 'payment.Charged': 'granting' },
        },
        granting: {
          entry: sendTo(({ context }) => Licence.at(context.key), { type: 'Grant' }),
          on: { 'licence.Granted': 'owned' },
        },
        owned: { on: { Return: undoing[version].first } },
        refunding: {
          entry: sendTo(({ context }) => Payment.at(context.key), { type: 'Refund' }),
          on: { 'payment.Refunded': undoing[version].afterRefund },
        },
        revoking: {
          entry: sendTo(({ context }) => Licence.at(context.key), { type: 'Revoke' }),
          on: { 'licence.Revoked': undoing[version].afterRevoke },
        },
        returned: { type: 'final' },
      },
    }),
    { sends: [Payment, Licence], unhandled: 'reject' },
  )

export const refundedBeforeReturn: PlantedBug = {
  mistake: 'Steps are undone in the wrong order',
  origin: 'The compensation was copied from the steps, oldest first: for a while the customer has both.',
  finding: 'INVARIANT_BROKEN nobody has the licence and the money back',
  world: (version) =>
    world({ entities: [payment, licence, purchase(version)] })
      .stimuli({
        buy: [send(Purchase.at('p1'), { type: 'Buy' })],
        return: [send(Purchase.at('p1'), { type: 'Return' })],
      })
      .always('nobody has the licence and the money back', (w) =>
        w.all(licence).every((each) => !each.matches('valid') || !w.one(payment.at(each.key))?.matches('refunded')),
      ),
}
