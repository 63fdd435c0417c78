// transfer.contract.ts: what a transfer is told, whichever way it is made.
import { contract } from '@interstate/core'
import { z } from 'zod'

export const Transfer = contract('transfer', {
  commands: { Start: z.object({ from: z.string(), to: z.string(), cents: z.number().int().positive() }) },
})

/** What a transfer knows. */
export interface TransferContext {
  from: string
  to: string
  cents: number
}
