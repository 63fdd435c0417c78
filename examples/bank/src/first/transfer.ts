// transfer.ts: moves money from one account to another, as it was first written. It makes money.
// #region machine
import { defineSaga, follow } from '@interstate/core'
import { assign, sendTo, setup } from 'xstate'
import { Account } from '../account.ts'
import { Transfer, type TransferContext } from '../transfer.contract.ts'

const follows = follow()

export const transfer = defineSaga(
  Transfer,
  follows,
  setup({
    types: follows.types<TransferContext, typeof Account, never, typeof Transfer>(),
  }).createMachine({
    context: { from: '', to: '', cents: 0 },
    initial: 'new',
    states: {
      new: {
        on: {
          Start: { target: 'debiting', actions: assign(({ event: { from, to, cents } }) => ({ from, to, cents })) },
        },
      },
      debiting: {
        entry: sendTo(
          ({ context }) => Account.at(context.from),
          ({ context: { cents } }) => ({ type: 'Debit', cents }),
        ),
        on: { 'account.Debited': 'crediting', 'account.Declined': 'declined' },
      },
      // #region crediting
      crediting: {
        entry: sendTo(
          ({ context }) => Account.at(context.to),
          ({ context: { cents } }) => ({ type: 'Credit', cents }),
        ),
        on: { 'account.Credited': 'done', 'account.Declined': 'refunding' },
        after: { 60000: 'refunding' },
      },
      // #endregion
      refunding: {
        entry: sendTo(
          ({ context }) => Account.at(context.from),
          ({ context: { cents } }) => ({ type: 'Credit', cents }),
        ),
        on: { 'account.Credited': 'refunded' },
      },
      done: { type: 'final' },
      declined: { type: 'final' },
      refunded: { type: 'final' },
    },
  }),
  { sends: [Account], unhandled: 'reject' },
)
// #endregion
