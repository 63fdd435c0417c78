// stock.contract.ts: what other slices may know of the stock of one potion. Its key is the potion's name.
import { contract } from '@interstate/core'
import { z } from 'zod'

const some = z.object({ quantity: z.number().int().positive() })

export const Stock = contract('stock', {
  commands: {
    /** Bottles have come in. */
    Deliver: some,
    /** Sets bottles aside. Answers `Reserved` or `SoldOut`. */
    Reserve: some,
    /** Puts bottles that were set aside back on the shelf. Answers `Released`. */
    Release: some,
    /** Bottles that were set aside leave the house. */
    Dispatch: some,
  },
  replies: { Reserved: z.object({}), SoldOut: z.object({}), Released: z.object({}) },
})
