import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { describe, expect, test } from 'vitest'
import { forgetOldKeys, onRequest, reserveOnce } from '../src/how-to/idempotency-keys.ts'
import { stock } from '../src/tutorial/stock.ts'
import { temporaryFile } from './temporary.ts'

const request = { id: 'request-1', madeAt: new Date('2026-01-02T08:00:00Z'), quantity: 12 }
const open = (path: string) => createHost({ entities: [stock], store: sqliteStore({ path }) })

describe('idempotency keys', () => {
  test('a repeated request has its effect once, also after a restart', async () => {
    const path = temporaryFile()
    const first = await open(path)
    expect(await onRequest(first, request)).toBe(false)
    expect(await onRequest(first, request)).toBe(true)
    await first.stop()
    await using second = await open(path)
    expect(await onRequest(second, request)).toBe(true)
    await second.drain()
    expect((await second.read(stock.at('healing')))?.context.left).toBe(12)
    expect(second.counters().duplicates).toBe(1)
  })

  test('a repeated question gets the reply that was given, whatever the state is now', async () => {
    const path = temporaryFile()
    const first = await open(path)
    await onRequest(first, request)
    expect(await reserveOnce(first, { ...request, id: 'request-2' })).toBe('Reserved')
    await first.stop()
    await using second = await open(path)
    expect(await reserveOnce(second, { ...request, id: 'request-2' })).toBe('Reserved')
    expect(await reserveOnce(second, { ...request, id: 'request-3' })).toBe('SoldOut')
    expect((await second.read(stock.at('healing')))?.context.reserved).toBe(12)
  })

  test('the same key with another payload is refused', async () => {
    await using host = await open(temporaryFile())
    await onRequest(host, request)
    await expect(onRequest(host, { ...request, quantity: 13 })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
  })

  test('a key from before the purge mark is refused, whether it was ever used or not', async () => {
    await using host = await open(temporaryFile())
    await onRequest(host, request)
    expect(await forgetOldKeys(host, new Date('2026-03-01T08:00:00Z'))).toBe(1)
    await expect(onRequest(host, request)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_EXPIRED' })
    await expect(onRequest(host, { ...request, id: 'never-used' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_EXPIRED',
    })
    expect(await onRequest(host, { ...request, madeAt: new Date('2026-02-28T08:00:00Z') })).toBe(false)
  })
})
