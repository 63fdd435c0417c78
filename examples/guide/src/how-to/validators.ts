// One contract, three validators. Any library that speaks Standard Schema will do.
// #region zod
import { contract } from '@interstate/core'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'

export const WithZod = contract('zod', {
  commands: { Charge: z.object({ cents: z.number().int().positive(), currency: z.string().default('EUR') }) },
})
// #endregion

// #region valibot
export const WithValibot = contract('valibot', {
  commands: {
    Charge: v.object({
      cents: v.pipe(v.number(), v.integer(), v.minValue(1)),
      currency: v.optional(v.string(), 'EUR'),
    }),
  },
})
// #endregion

// #region arktype
export const WithArktype = contract('arktype', {
  commands: { Charge: type({ cents: 'number.integer > 0', currency: "string = 'EUR'" }) },
})
// #endregion
