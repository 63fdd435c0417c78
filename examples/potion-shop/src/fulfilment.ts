// fulfilment.ts: the way of an order: set the bottles aside, take the money, book the carrier; or undo it, newest first.
import { defineSaga, effect, follow } from '@interstate/core'
import { assign, enqueueActions, sendTo, setup } from 'xstate'
import type { Carrier, CarrierAnswer, Parcel } from './carrier.ts'
import { Cart, type Line } from './cart.contract.ts'
import { confirmWithinMs } from './catalogue.ts'
import type { Outcome } from './outcome.ts'
import { Payment } from './payment.contract.ts'
import { Stock } from './stock.contract.ts'

type Context = {
  order: string
  lines: Line[]
  cents: number
  limitCents: number
  shipTo: string
  /** Lines that are set aside: the first so many. */
  reserved: number
  outcome: Outcome
}

const follows = follow(
  Cart.event('CheckedOut').bySource().starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Refused').bySource(),
  Payment.event('Refunded').bySource(),
)

/** The saga, for the carrier that it books. Its key is the order number. */
export function fulfilmentWith(carrier: Carrier) {
  return defineSaga('fulfilment', follows, machineWith(carrier), { sends: [Cart, Payment, Stock] })
}

function machineWith(carrier: Carrier) {
  return setup({
    types: follows.types<Context, typeof Stock | typeof Payment>(),
    actors: {
      book: effect<Parcel, CarrierAnswer>(({ input, idempotencyKey }) => carrier.book(input, idempotencyKey)),
    },
    delays: { customerGivesUp: confirmWithinMs },
    guards: {
      allReserved: ({ context }) => context.reserved === context.lines.length,
      noneReserved: ({ context }) => context.reserved === 0,
    },
    actions: {
      endAs: assign({ outcome: (_, outcome: Outcome) => outcome }),
      closeCart: sendTo(
        ({ context }) => Cart.at(context.order),
        ({ context }) => ({ type: 'Close', outcome: context.outcome }),
      ),
    },
  }).createMachine({
    context: ({ input: { key, message } }) => {
      const { lines, cents, limitCents, shipTo } = message
      return { order: key, lines, cents, limitCents, shipTo, reserved: 0, outcome: 'delivered' }
    },
    initial: 'picking',
    states: {
      picking: { always: [{ guard: 'allReserved', target: 'paying' }, { target: 'reserving' }] },
      reserving: {
        entry: sendTo(
          ({ context }) => Stock.at(lineAt(context, context.reserved).potion),
          ({ context }) => ({ type: 'Reserve', quantity: lineAt(context, context.reserved).quantity }),
        ),
        on: {
          'stock.Reserved': { target: 'picking', actions: assign({ reserved: ({ context }) => context.reserved + 1 }) },
          'stock.SoldOut': { target: 'undoing', actions: { type: 'endAs', params: 'out-of-stock' } },
        },
      },
      paying: {
        entry: sendTo(
          ({ context }) => Payment.at(context.order),
          ({ context: { cents, limitCents } }) => ({ type: 'Charge', cents, limitCents }),
        ),
        on: {
          'payment.Charged': 'booking',
          'payment.Refused': { target: 'undoing', actions: { type: 'endAs', params: 'payment-refused' } },
        },
        after: { customerGivesUp: { target: 'refunding', actions: { type: 'endAs', params: 'timed-out' } } },
      },
      booking: {
        // No onError: a refusal is an answer. A carrier that breaks parks the order until a person has looked.
        invoke: {
          src: 'book',
          input: ({ context: { order, shipTo } }) => ({ order, shipTo }),
          onDone: [
            { guard: ({ event }) => event.output.says === 'booked', target: 'delivered' },
            { target: 'refunding', actions: { type: 'endAs', params: 'carrier-refused' } },
          ],
        },
      },
      delivered: {
        type: 'final',
        entry: [
          enqueueActions(({ context, enqueue }) => {
            for (const { potion, quantity } of context.lines) {
              enqueue.sendTo(Stock.at(potion), { type: 'Dispatch', quantity })
            }
          }),
          'closeCart',
        ],
      },

      refunding: {
        entry: sendTo(({ context }) => Payment.at(context.order), { type: 'Refund' }),
        on: {
          'payment.Refunded': 'undoing',
          // The customer confirmed in the very last moment; the refund is on its way.
          'payment.Charged': {},
          // It was refused in the very last moment; so is the refund, and nothing was charged.
          'payment.Refused': {},
          'payment.rejected': 'undoing',
        },
      },
      undoing: { always: [{ guard: 'noneReserved', target: 'undone' }, { target: 'releasing' }] },
      releasing: {
        entry: sendTo(
          ({ context }) => Stock.at(lineAt(context, context.reserved - 1).potion),
          ({ context }) => ({ type: 'Release', quantity: lineAt(context, context.reserved - 1).quantity }),
        ),
        on: {
          'stock.Released': { target: 'undoing', actions: assign({ reserved: ({ context }) => context.reserved - 1 }) },
        },
      },
      undone: { type: 'final', entry: 'closeCart' },
    },
  })
}

function lineAt({ order, lines }: Context, index: number): Line {
  const line = lines[index]
  if (line === undefined) throw new Error(`Order ${order} has no line ${index}.`)
  return line
}
