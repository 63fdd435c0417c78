// The whole shop at once: every order of its messages at small scope.
import { describe, test } from 'vitest'
import { fulfilment, shop } from './shop-world.ts'

describe('The shop', () => {
  test('keeps its promises in every order of messages, timeouts and crashes', async () => {
    const ends = ['delivered', 'out-of-stock', 'timed-out', 'carrier-refused', 'payment-refused'] as const
    const watched = ends.reduce(
      (each, end) =>
        each.sometimes(`an order ends ${end}`, (w) => w.any(fulfilment, ({ context }) => context.outcome === end)),
      shop,
    )
    console.info(String(await watched.check({ stimuli: 2, crashes: 1 })))
  })
})
