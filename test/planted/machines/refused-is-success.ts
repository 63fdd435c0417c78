// refused-is-success.ts: a wildcard takes the refusal of a command for its success.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Account = contract('account', {
  commands: { Charge: z.object({ order: z.string() }), Freeze: z.object({}) },
  replies: { Charged: z.object({}) },
})
const Parcel = contract('parcel', { commands: { Ship: z.object({}) } })
const Order = contract('order', { commands: { Submit: z.object({ account: z.string() }) } })

const account = defineAggregate(
  Account,
  setup({ types: Account.types<{ paid: string[] }>() }).createMachine({
    context: { paid: [] },
    initial: 'open',
    states: {
      open: {
        on: {
          Charge: {
            actions: [
              assign({ paid: ({ context, event }) => [...context.paid, event.order] }),
              Account.reply({ type: 'Charged' }),
            ],
          },
          Freeze: 'frozen',
        },
      },
      frozen: {},
    },
  }),
)

const parcel = defineAggregate(
  Parcel,
  setup({ types: Parcel.types() }).createMachine({
    initial: 'packed',
    states: { packed: { on: { Ship: 'shipped' } }, shipped: {} },
  }),
)

const follows = follow()

const order = (version: Version) =>
  defineSaga(
    Order,
    follows,
    setup({ types: follows.types<{ key: string }, typeof Account, never, typeof Order>() }).createMachine({
      context: ({ input }) => ({ key: input.key }),
      initial: 'new',
      states: {
        new: {
          on: {
            Submit: {
              target: 'charging',
              actions: sendTo(
                ({ event }) => Account.at(event.account),
                ({ context }) => ({ type: 'Charge', order: context.key }),
              ),
            },
          },
        },
        charging: {
          on: {
            ...(version === 'planted'
              ? { 'account.*': 'shipping' }
              : { 'account.Charged': 'shipping', 'account.rejected': 'refused' }),
          },
        },
        shipping: {
          entry: sendTo(({ context }) => Parcel.at(context.key), { type: 'Ship' }),
          type: 'final',
        },
        ...(version === 'planted' ? {} : { refused: { type: 'final' } }),
      },
    }),
    { sends: [Account, Parcel], unhandled: 'reject' },
  )

export const refusedIsSuccess: PlantedBug = {
  mistake: 'A refused command is taken for success',
  origin: '`account.*` was written when the contract had one reply; it also matches `account.rejected`.',
  finding: 'INVARIANT_BROKEN what is shipped is paid for',
  world: (version) =>
    world({ entities: [account, parcel, order(version)] })
      .stimuli({
        submit: ['o1', 'o2'].map((each) => send(Order.at(each), { type: 'Submit', account: 'ann' })),
        freeze: [send(Account.at('ann'), { type: 'Freeze' })],
      })
      .always('what is shipped is paid for', (w) => {
        const paid = w.all(account).flatMap(({ context }) => context.paid)
        return w.all(parcel).every((each) => !each.matches('shipped') || paid.includes(each.key))
      }),
}
