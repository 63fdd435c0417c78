// account.ts: an account that never pays out more than it has.

// #region contract
import { contract, defineAggregate } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

const money = z.object({ cents: z.number().int().positive() })

export const Account = contract('account', {
  commands: { Open: money, Debit: money, Credit: money },
  replies: { Debited: z.object({}), Credited: z.object({}), Declined: z.object({}) },
})
// #endregion

// #region machine
export const account = defineAggregate(
  Account,
  setup({
    types: Account.types<{ cents: number }>(),
    guards: { covered: ({ context, event }) => event.cents <= context.cents },
    actions: {
      add: assign({ cents: ({ context, event }) => context.cents + event.cents }),
      take: assign({ cents: ({ context, event }) => context.cents - event.cents }),
      decline: Account.reply({ type: 'Declined' }),
    },
  }).createMachine({
    context: { cents: 0 },
    initial: 'closed',
    states: {
      closed: {
        on: { Open: { target: 'open', actions: 'add' }, Debit: { actions: 'decline' }, Credit: { actions: 'decline' } },
      },
      open: {
        on: {
          Debit: [{ guard: 'covered', actions: ['take', Account.reply({ type: 'Debited' })] }, { actions: 'decline' }],
          Credit: { actions: ['add', Account.reply({ type: 'Credited' })] },
        },
      },
    },
  }),
)
// #endregion
