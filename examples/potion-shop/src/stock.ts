// stock.ts: the bottles of one potion: on the shelf, set aside, sold. None is promised twice.
// It keeps no list of what it has seen: each message has its effect exactly once, so counting is enough.
import { defineAggregate } from '@interstate/core'
import { assign, setup } from 'xstate'
import { Stock } from './stock.contract.ts'

/** Where the bottles of a potion are. */
export interface Shelf {
  delivered: number
  left: number
  reserved: number
  sold: number
}

export const stock = defineAggregate(
  Stock,
  setup({ types: Stock.types<{ [K in keyof Shelf]: Shelf[K] }>() }).createMachine({
    context: { delivered: 0, left: 0, reserved: 0, sold: 0 },
    on: {
      Deliver: {
        actions: assign(({ context: { delivered, left }, event: { quantity } }) => ({
          delivered: delivered + quantity,
          left: left + quantity,
        })),
      },
      Reserve: [
        {
          guard: ({ context, event }) => event.quantity <= context.left,
          actions: [
            assign(({ context: { left, reserved }, event: { quantity } }) => ({
              left: left - quantity,
              reserved: reserved + quantity,
            })),
            Stock.reply({ type: 'Reserved' }),
          ],
        },
        { actions: Stock.reply({ type: 'SoldOut' }) },
      ],
      Release: {
        guard: ({ context, event }) => event.quantity <= context.reserved,
        actions: [
          assign(({ context: { left, reserved }, event: { quantity } }) => ({
            left: left + quantity,
            reserved: reserved - quantity,
          })),
          Stock.reply({ type: 'Released' }),
        ],
      },
      Dispatch: {
        guard: ({ context, event }) => event.quantity <= context.reserved,
        actions: assign(({ context: { reserved, sold }, event: { quantity } }) => ({
          reserved: reserved - quantity,
          sold: sold + quantity,
        })),
      },
    },
  }),
)
