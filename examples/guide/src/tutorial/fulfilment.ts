// The way of an order: set the bottles aside, take the money; or undo it, newest first. The key is the order number.

// #region follows
import { defineSaga, follow } from '@interstate/core'
import { assign, sendTo, setup } from 'xstate'
import { Cart } from './cart.ts'
import { Payment } from './payment.ts'
import { Stock } from './stock.ts'

const follows = follow(
  Cart.event('CheckedOut').bySource().starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Refused').bySource(),
  Payment.event('Refunded').bySource(),
)
// #endregion

// #region context
interface Context {
  id: string
  potion: string
  quantity: number
  cents: number
  outcome: string
}
// #endregion

export const fulfilment = defineSaga(
  'fulfilment',
  follows,
  // #region setup
  setup({
    types: follows.types<Context, typeof Stock | typeof Payment>(),
    delays: { customerGivesUp: 30 * 60_000 },
    actions: {
      endAs: assign({ outcome: (_, outcome: string) => outcome }),
      reserve: sendTo(
        ({ context }) => Stock.at(context.potion),
        ({ context: { quantity } }) => ({ type: 'Reserve', quantity }),
      ),
      release: sendTo(
        ({ context }) => Stock.at(context.potion),
        ({ context: { quantity } }) => ({ type: 'Release', quantity }),
      ),
      dispatch: sendTo(
        ({ context }) => Stock.at(context.potion),
        ({ context: { quantity } }) => ({ type: 'Dispatch', quantity }),
      ),
      charge: sendTo(
        ({ context }) => Payment.at(context.id),
        ({ context: { cents } }) => ({ type: 'Charge', cents }),
      ),
      refund: sendTo(({ context }) => Payment.at(context.id), { type: 'Refund' }),
    },
  }).createMachine({
    // #endregion
    context: ({ input: { key, message } }) => ({
      id: key,
      potion: message.potion,
      quantity: message.quantity,
      cents: message.cents,
      outcome: 'delivered',
    }),
    initial: 'reserving',
    // #region states
    states: {
      reserving: {
        entry: 'reserve',
        on: {
          'stock.Reserved': 'paying',
          'stock.SoldOut': { target: 'ended', actions: { type: 'endAs', params: 'out of stock' } },
        },
      },
      paying: {
        entry: 'charge',
        on: {
          'payment.Charged': 'dispatching',
          'payment.Refused': { target: 'undoingStock', actions: { type: 'endAs', params: 'payment refused' } },
        },
        after: {
          customerGivesUp: { target: 'undoingPayment', actions: { type: 'endAs', params: 'timed out' } },
        },
      },
      dispatching: { entry: 'dispatch', always: 'ended' },
      undoingPayment: {
        entry: 'refund',
        on: {
          'payment.Refunded': 'undoingStock',
          // It crossed our refund on the way: the money was taken, and is given back.
          'payment.Charged': {},
          // So did this: nothing was taken, and there is nothing that the refund could give back.
          'payment.Refused': {},
          'payment.rejected': 'undoingStock',
        },
      },
      undoingStock: { entry: 'release', always: 'ended' },
      ended: { type: 'final' },
    },
    // #endregion
  }),
  { sends: [Stock, Payment] },
)
