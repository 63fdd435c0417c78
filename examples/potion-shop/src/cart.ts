// cart.ts: a cart is checked out once; it stays open until its order has come to an end.
import { defineAggregate } from '@interstate/core'
import { assign, emit, setup } from 'xstate'
import { Cart } from './cart.contract.ts'
import { priceOf } from './catalogue.ts'
import type { Outcome } from './outcome.ts'

export const cart = defineAggregate(
  Cart,
  setup({ types: Cart.types<{ outcome?: Outcome }>() }).createMachine({
    context: {},
    initial: 'shopping',
    states: {
      shopping: {
        on: {
          CheckOut: {
            target: 'checkedOut',
            actions: emit(({ event: { lines, limitCents, shipTo } }) => ({
              type: 'CheckedOut',
              cents: priceOf(lines),
              lines,
              limitCents,
              shipTo,
            })),
          },
        },
      },
      checkedOut: {
        on: { Close: { target: 'closed', actions: assign({ outcome: ({ event }) => event.outcome }) } },
      },
      closed: { type: 'final' },
    },
  }),
)
