import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { letter, Pickup, pickup } from '../src/how-to/timers.ts'
import { temporaryFile } from './temporary.ts'

const hour = 60 * 60_000

async function ready() {
  const path = temporaryFile()
  const env = new VirtualEnv()
  const open = () => createHost({ entities: [pickup, letter], store: sqliteStore({ path }), env })
  const host = await open()
  await host.send(Pickup.at('o-1'), { type: 'Ready' })
  await host.drain()
  return { env, open, host }
}

describe('timers', () => {
  test('a delayed message goes out once, when it is due and not before', async () => {
    const { env, host } = await ready()
    await env.advance(2 * hour - 1)
    expect(await host.read(letter.at('o-1'))).toBeUndefined()
    await env.advance(1)
    expect((await host.read(letter.at('o-1')))?.context.texts).toHaveLength(1)
    await env.advance(hour)
    expect((await host.read(letter.at('o-1')))?.context.texts).toHaveLength(1)
    await host.stop()
  })

  test('a timer that came due while no host ran fires when the next one starts', async () => {
    const { env, host, open } = await ready()
    await host.stop()
    await env.advance(3 * hour)
    await using next = await open()
    await next.drain()
    expect((await next.read(letter.at('o-1')))?.context.texts).toHaveLength(1)
    expect((await next.read(pickup.at('o-1')))?.value).toBe('waiting')
  })

  test('a cancelled timer never fires', async () => {
    const { env, host } = await ready()
    await host.send(Pickup.at('o-1'), { type: 'Collect' })
    await host.drain()
    await env.advance(20 * hour)
    expect(await host.read(letter.at('o-1'))).toBeUndefined()
    expect((await host.read(pickup.at('o-1')))?.value).toBe('collected')
    await host.stop()
  })

  test('a timer that is set again under its id counts from then', async () => {
    const { env, host } = await ready()
    await env.advance(3 * hour)
    await host.send(Pickup.at('o-1'), { type: 'Extend' })
    await host.drain()
    await env.advance(3 * hour)
    expect((await host.read(pickup.at('o-1')))?.value).toBe('waiting')
    await env.advance(hour)
    expect((await host.read(pickup.at('o-1')))?.value).toBe('shelved')
    await env.advance(12 * hour)
    expect((await host.read(pickup.at('o-1')))?.value).toBe('pouredAway')
    await host.stop()
  })
})
