// cart.contract.ts: what other slices may know of a cart. Its key is the order number.
import { contract } from '@interstate/core'
import { z } from 'zod'
import { outcomes } from './outcome.ts'

const lines = z.array(z.object({ potion: z.string(), quantity: z.number().int().positive() })).min(1)
/** Some bottles of one potion. */
export type Line = z.infer<typeof lines>[number]

const checkout = {
  lines,
  /** What the customer can pay at most. */
  limitCents: z.number().int().nonnegative(),
  shipTo: z.string(),
}

export const Cart = contract('cart', {
  commands: {
    CheckOut: z.object(checkout),
    Close: z.object({ outcome: z.enum(outcomes) }),
  },
  events: { CheckedOut: z.object({ ...checkout, cents: z.number().int() }) },
})
