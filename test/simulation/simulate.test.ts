import { expect, test } from 'vitest'
import { bank } from './bank.ts'

test('try', async () => {
  const t = performance.now()
  console.log(String(await bank().simulate({ runs: 10, faults: 'none' })), performance.now() - t)
})
test('mild', async () => {
  const t = performance.now()
  console.log(String(await bank().simulate({ runs: 100, faults: 'mild' })), performance.now() - t)
})
test('harsh', async () => {
  const t = performance.now()
  console.log(String(await bank().simulate({ runs: 100, faults: 'harsh' })), performance.now() - t)
})
