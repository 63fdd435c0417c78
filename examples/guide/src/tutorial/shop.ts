// The whole saga: set the bottles aside, take the money, book the carrier; or undo it, newest first.

import { type Definition, defineSaga, effect, follow } from '@interstate/core'
import { assign, sendTo, setup } from 'xstate'
import type { Carrier } from './carrier.ts'
import { Cart, cart } from './cart.ts'
import { Payment, payment } from './payment.ts'
import { Stock, stock } from './stock.ts'

const follows = follow(
  Cart.event('CheckedOut').bySource().starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Refused').bySource(),
  Payment.event('Refunded').bySource(),
)

interface Context {
  id: string
  potion: string
  quantity: number
  cents: number
  outcome: string
  parcel: string
}

/** The saga, for the carrier that it books. */
export function fulfilmentWith(carrier: Carrier) {
  return defineSaga(
    'fulfilment',
    follows,
    setup({
      types: follows.types<Context, typeof Stock | typeof Payment>(),
      // #region effect
      actors: {
        book: effect<{ order: string }, string>(async ({ input, idempotencyKey }) => {
          const booking = await carrier.book(input.order, idempotencyKey)
          return booking.parcel
        }),
      },
      // #endregion
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
      context: ({ input: { key, message } }) => ({
        id: key,
        potion: message.potion,
        quantity: message.quantity,
        cents: message.cents,
        outcome: 'delivered',
        parcel: '',
      }),
      initial: 'reserving',
      states: {
        reserving: {
          entry: 'reserve',
          on: {
            'stock.Reserved': 'paying',
            'stock.SoldOut': { target: 'ended', actions: { type: 'endAs', params: 'out of stock' } },
          },
        },
        // #region booking
        paying: {
          entry: 'charge',
          on: {
            'payment.Charged': 'booking',
            'payment.Refused': { target: 'undoingStock', actions: { type: 'endAs', params: 'payment refused' } },
          },
          after: {
            customerGivesUp: { target: 'undoingPayment', actions: { type: 'endAs', params: 'timed out' } },
          },
        },
        booking: {
          invoke: {
            src: 'book',
            input: ({ context }) => ({ order: context.id }),
            onDone: { target: 'dispatching', actions: assign({ parcel: ({ event }) => event.output }) },
            onError: { target: 'undoingPayment', actions: { type: 'endAs', params: 'no carrier' } },
          },
        },
        // #endregion
        dispatching: { entry: 'dispatch', always: 'ended' },
        undoingPayment: {
          entry: 'refund',
          on: {
            'payment.Refunded': 'undoingStock',
            'payment.Charged': {},
            'payment.Refused': {},
            'payment.rejected': 'undoingStock',
          },
        },
        undoingStock: { entry: 'release', always: 'ended' },
        ended: { type: 'final' },
      },
    }),
    { sends: [Stock, Payment] },
  )
}

/** Everything that the shop hosts. */
export function entitiesOf(fulfilment: Definition): readonly Definition[] {
  return [cart, stock, payment, fulfilment]
}
