// What a customer wants. It is checked out once. The key is the order number.

// #region all
import { contract, defineAggregate, turn } from '@interstate/core'
import { assign, emit, setup } from 'xstate'
import { z } from 'zod'

const order = z.object({
  potion: z.string(),
  quantity: z.number().int().positive(),
  cents: z.number().int().nonnegative(),
})

export const Cart = contract('cart', {
  commands: { CheckOut: order },
  events: { CheckedOut: order },
})

export const cart = defineAggregate(
  Cart,
  setup({ types: Cart.types<{ checkedOutAt: number }>() }).createMachine({
    context: { checkedOutAt: 0 },
    initial: 'shopping',
    states: {
      shopping: {
        on: {
          CheckOut: {
            target: 'checkedOut',
            actions: [
              assign({ checkedOutAt: () => turn().now }),
              emit(({ event: { potion, quantity, cents } }) => ({ type: 'CheckedOut', potion, quantity, cents })),
            ],
          },
        },
      },
      checkedOut: {},
    },
  }),
)
// #endregion
