// Several hosts at once on one store that they share: calls enter by any, anything befalls any, and every promise holds.
import { MemoryStore, memoryStore } from '@interstate/store-memory'
import type { SimulatedStore } from '@interstate/testing'
import { expect, test } from 'vitest'
import { bank } from './bank.ts'
import { found } from './found.ts'
import { memory } from './stores.ts'

const byShards: SimulatedStore = {
  name: 'memory by shards',
  open: () => {
    const store = memoryStore({ scope: 'shard', shards: 16 })
    return { store, reopen: async () => store }
  },
}

test('three hosts keep what a bank promises, while everything fails', { timeout: 60_000 }, async () => {
  const report = await bank().simulate({ runs: 40, hosts: 3, faults: 'harsh' })
  expect(report.hosts).toBe(3)
  expect(report.stores).toEqual(['memory by shards'])
  expect(report.crashes).toBeGreaterThan(40)
  for (const fault of ['pause', 'restart', 'lateWrite', 'lostBell', 'join', 'cutOff'] as const) {
    expect(report.struck[fault], fault).toBeGreaterThan(5)
  }
})

test('one host after the other does so on a store by shards', { timeout: 60_000 }, async () => {
  const report = await bank().simulate({ runs: 20, faults: 'harsh', stores: [byShards] })
  expect(report.hosts).toBe(1)
  expect(report.crashes).toBeGreaterThan(20)
})

test('calls enter by all hosts, and all of them run entities', async () => {
  const lines: string[] = []
  await bank().simulate({ runs: 3, hosts: 3, faults: 'none', onRun: (log) => void lines.push(...log) })
  for (const host of ['host 1', 'host 2', 'host 3']) {
    expect(lines.some((line) => line.includes(`${host} {"signal":"turn"`))).toBe(true)
    expect(lines.some((line) => new RegExp(`${host} writes .*: \\+[1-9]`).test(line))).toBe(true)
  }
})

test('hosts can share no store whose scope is all of it', async () => {
  const error = await found(bank().simulate({ hosts: 2, stores: [memory] }))
  expect(error.finding).toBe('WORLD_INVALID')
  expect(error.message).toContain('"memory"')
  expect((await found(bank().simulate({ hosts: 0 }))).finding).toBe('WORLD_INVALID')
})

/** Lets whoever ran a shard once write there for ever. */
class NeverFences extends MemoryStore {
  constructor() {
    super({ scope: 'shard', shards: 8 })
  }

  protected override fenced(): undefined {}
}

test('a store that fences nobody is found, told shortly, and found again by its token', {
  timeout: 60_000,
}, async () => {
  const store = new NeverFences().name
  const stores = [{ name: store, open: () => alone(new NeverFences()) }]
  const error = await found(bank().simulate({ hosts: 3, faults: 'harsh', stores }))
  expect(error.finding).toBe('GUARANTEE_BROKEN G5')
  expect(error.story?.steps.length).toBeLessThanOrEqual(12)
  const again = await found(bank().replay(error.token ?? '', { stores }))
  expect(again.finding).toBe(error.finding)
})

function alone(store: MemoryStore) {
  return { store, reopen: async () => store }
}
