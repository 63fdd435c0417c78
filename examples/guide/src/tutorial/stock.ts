// The bottles of one potion: left on the shelf, set aside for an order, sold. The key is the potion's name.

// #region contract
import { contract, defineAggregate } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

const some = z.object({ quantity: z.number().int().positive() })

export const Stock = contract('stock', {
  commands: { Deliver: some, Reserve: some, Release: some, Dispatch: some },
  replies: { Reserved: z.object({}), SoldOut: z.object({}) },
})
// #endregion

// #region machine
export const stock = defineAggregate(
  Stock,
  setup({
    types: Stock.types<{ left: number; reserved: number; sold: number }>(),
  }).createMachine({
    context: { left: 0, reserved: 0, sold: 0 },
    on: {
      Deliver: {
        actions: assign({ left: ({ context, event }) => context.left + event.quantity }),
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
        actions: assign(({ context: { left, reserved }, event: { quantity } }) => ({
          left: left + quantity,
          reserved: reserved - quantity,
        })),
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
// #endregion
