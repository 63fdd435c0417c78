// Publish and subscribe: one event, and everybody who follows it. The publisher knows none of them.
import { defineSaga, follow } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { assign, setup } from 'xstate'
import { Cart } from '../tutorial/cart.ts'

// #region followers
const newsletterFollows = follow(Cart.event('CheckedOut').bySource().starts())

/** One letter for each order. */
export const letter = defineSaga(
  'letter',
  newsletterFollows,
  setup({ types: newsletterFollows.types<{ potion: string }>() }).createMachine({
    context: ({ input }) => ({ potion: input.message.potion }),
    initial: 'written',
    states: { written: {} },
  }),
)

const demandFollows = follow(Cart.event('CheckedOut').by('potion').starts())

/** How many bottles of one potion were ever ordered. */
export const demand = defineSaga(
  'demand',
  demandFollows,
  setup({ types: demandFollows.types<{ bottles: number }>() }).createMachine({
    context: ({ input }) => ({ bottles: input.message.quantity }),
    on: {
      'cart.CheckedOut': {
        actions: assign({ bottles: ({ context, event }) => context.bottles + event.quantity }),
      },
    },
  }),
)
// #endregion

export async function importOldOrder(host: Host): Promise<void> {
  // #region publish
  await host.publish(Cart.at('o-1998'), { type: 'CheckedOut', potion: 'healing', quantity: 1, cents: 500 })
  // #endregion
}
