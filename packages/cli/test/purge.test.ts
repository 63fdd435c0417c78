import { type IdempotencyKey, idempotencyKey } from '@interstate/core'
import { memoryStore } from '@interstate/store-memory'
import { describe, expect, test } from 'vitest'
import { interstate } from './console.ts'
import { opening, trade } from './shop.ts'

const key: IdempotencyKey = idempotencyKey('order-1', { at: opening })

describe('purge', () => {
  test('asks, and forgets keys made before the date', async () => {
    const store = memoryStore()
    await trade(store)
    const { asked, exitCode, out } = await interstate(['purge', '--before', '2026-01-02'], { store, answers: true })
    expect(asked).toEqual([
      "Forget all idempotency keys made before 2026-01-02 00:00:00Z? They are refused from then on; this can't be taken back.",
    ])
    expect(exitCode).toBe(0)
    expect(out).toMatch(/^1 key made before 2026-01-02 00:00:00Z forgotten/)
    expect(await store.keys([{ key, shard: 0 }])).toEqual([{ state: 'purged' }])
  })

  test.each([
    [false, /^NOT_CONFIRMED: it was not confirmed/],
    [undefined, /^NOT_CONFIRMED: nobody is at a terminal to be asked; give --yes/],
  ])('forgets nothing without a yes: %s', async (answers, line) => {
    const store = memoryStore()
    await trade(store)
    const around = answers === undefined ? { store } : { store, answers }
    const { err, exitCode } = await interstate(['purge', '--before', '2026-01-02'], around)
    expect(err).toMatch(line)
    expect(exitCode).toBe(1)
    expect(await store.keys([{ key, shard: 0 }])).toMatchObject([{ state: 'known' }])
  })

  test('with --yes asks nobody', async () => {
    const store = memoryStore()
    await trade(store)
    const { json } = await interstate(['purge', '--before', '2026-01-02T00:00:00+01:00', '--yes', '--json'], { store })
    expect(json).toEqual({ before: '2026-01-01T23:00:00.000Z', forgotten: 1 })
  })

  test.each(['yesterday', '2026-02-30', '2026-13-01', '2026-01-02T00:00', '1', '', '2026-06-02', '1969-12-31'])(
    'refuses what is no past date: %s',
    async (before) => {
      const { err, exitCode, asked } = await interstate(['purge', '--before', before], {
        store: memoryStore(),
        answers: true,
      })
      expect(err).toMatch(/^USAGE: /)
      expect(exitCode).toBe(2)
      expect(asked).toEqual([])
    },
  )
})
