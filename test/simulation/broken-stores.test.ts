// A store that breaks a guarantee is found by its number, by nothing but running a bank on it.
import { expect, test } from 'vitest'
import { bank } from './bank.ts'
import { found } from './found.ts'
import { brokenStores, storeOf } from './stores.ts'

test.each(brokenStores)('a store that %s is found to break %s', { timeout: 60_000 }, async (_, guarantee, Store) => {
  const stores = [storeOf(Store)]
  const error = await found(bank().simulate({ faults: 'harsh', stores }))
  expect(error.finding).toBe(`GUARANTEE_BROKEN ${guarantee}`)
  expect(error.story?.steps.length).toBeLessThanOrEqual(12)
  const again = await found(bank().replay(error.token ?? '', { stores }))
  expect(again.finding).toBe(error.finding)
  // A token holds no store: without it nothing can be said.
  expect((await found(bank().replay(error.token ?? ''))).code).toBe('REPLAY_DIFFERS')
})
