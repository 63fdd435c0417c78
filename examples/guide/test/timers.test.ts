import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { Invoice, invoice, letter } from '../src/how-to/timers.ts'
import { temporaryFile } from './temporary.ts'

const day = 24 * 60 * 60_000
const entities = [invoice, letter]

async function issued() {
  const path = temporaryFile()
  const env = new VirtualEnv()
  const open = () => createHost({ entities, store: sqliteStore({ path }), env })
  const host = await open()
  await host.send(Invoice.at('i-1'), { type: 'Issue', cents: 4_200 })
  await host.drain()
  return { env, open, host }
}

describe('timers', () => {
  test('a delayed message goes out once, when it is due', async () => {
    const { env, host } = await issued()
    await env.advance(10 * day - 1)
    expect(await host.read(letter.at('i-1'))).toBeUndefined()
    await env.advance(1)
    expect((await host.read(letter.at('i-1')))?.context.texts).toHaveLength(1)
    await env.advance(day)
    expect((await host.read(letter.at('i-1')))?.context.texts).toHaveLength(1)
    await host.stop()
  })

  test('a timer that came due while no host ran fires when the next one starts', async () => {
    const { env, host, open } = await issued()
    await host.stop()
    await env.advance(12 * day)
    await using next = await open()
    await next.drain()
    expect((await next.read(letter.at('i-1')))?.context.texts).toHaveLength(1)
    expect((await next.read(invoice.at('i-1')))?.value).toBe('issued')
  })

  test('a cancelled timer never fires', async () => {
    const { env, host } = await issued()
    await host.send(Invoice.at('i-1'), { type: 'Pay' })
    await host.drain()
    await env.advance(60 * day)
    expect(await host.read(letter.at('i-1'))).toBeUndefined()
    expect((await host.read(invoice.at('i-1')))?.value).toBe('paid')
    await host.stop()
  })

  test('a timer that is set again under its id counts from then', async () => {
    const { env, host } = await issued()
    await env.advance(13 * day)
    await host.send(Invoice.at('i-1'), { type: 'Extend' })
    await host.drain()
    await env.advance(13 * day)
    expect((await host.read(invoice.at('i-1')))?.value).toBe('issued')
    await env.advance(day)
    expect((await host.read(invoice.at('i-1')))?.value).toBe('collecting')
    await env.advance(30 * day)
    expect((await host.read(invoice.at('i-1')))?.value).toBe('writtenOff')
    await host.stop()
  })
})
