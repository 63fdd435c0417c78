// transfer.ts: moves money from one account to another. Silence is no answer: it waits until the account has spoken.
import { defineSaga, follow } from '@interstate/core'
import { assign, sendTo, setup } from 'xstate'
import { Account } from './account.ts'
import { Transfer, type TransferContext } from './transfer.contract.ts'

// #region machine
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
        initial: 'prompt',
        states: {
          prompt: { after: { 60000: 'overdue' } },
          // For somebody to look after. The credit is still under way: only the account knows what became of it.
          overdue: {},
        },
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
