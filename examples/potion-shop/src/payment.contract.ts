// payment.contract.ts: what other slices may know of the payment of one order. Its key is the order number.
import { contract } from '@interstate/core'
import { z } from 'zod'

const cents = z.number().int().nonnegative()

export const Payment = contract('payment', {
  commands: {
    /** Asks for money: `Charged` or `Refused` follows; above some amount only after the customer has confirmed. */
    Charge: z.object({ cents, limitCents: cents }),
    /** The customer agrees. It may come before the charge does. */
    Confirm: z.object({}),
    /** Gives back what was charged and charges nothing any more: `Refunded` follows. */
    Refund: z.object({}),
  },
  events: {
    Charged: z.object({ cents }),
    Refused: z.object({ reason: z.string() }),
    Refunded: z.object({ cents }),
  },
})
