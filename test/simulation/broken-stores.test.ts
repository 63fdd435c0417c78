// A store that breaks a guarantee is found by its number, by nothing but running a bank on it.
import { expect, test } from 'vitest'
import { bank } from './bank.ts'
import { found } from './found.ts'
import { brokenStores, storeOf } from './stores.ts'

test.each(brokenStores)('a store that %s is found to break %s', { timeout: 60_000 }, async (_, guarantee, Store) => {
  const error = await found(bank().simulate({ faults: 'harsh', stores: [storeOf(Store)] }))
  expect(error.finding).toBe(`GUARANTEE_BROKEN ${guarantee}`)
  expect(error.story?.steps.length).toBeLessThanOrEqual(12)
})
