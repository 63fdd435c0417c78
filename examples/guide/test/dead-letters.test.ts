import type { Definition, EntityId } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { letGoOn, lookAt, prices, sendAgain, strictTill, Till, till, tryOut } from '../src/how-to/dead-letters.ts'
import { temporaryFile } from './temporary.ts'

afterEach(() => {
  delete prices.luck
})

describe('dead letters', () => {
  test('a message that keeps failing is put away after its attempts, and its entity goes on', async () => {
    const { host, sold } = await selling(till)
    expect(await sold()).toBe(500)
    expect(await host.deadLetters.list()).toMatchObject([
      {
        entity: 'till/front',
        code: 'MACHINE_FAILED',
        attempts: 4,
        message: { type: 'Sell', data: { potion: 'luck' } },
      },
    ])
    await host.stop()
  })

  test('a dry run says what would happen and changes nothing', async () => {
    const { host, sold } = await selling(till)
    const lines: string[] = []
    const [id] = await lookAt(host, (line) => lines.push(line))
    if (id === undefined) throw new Error('no dead letter')
    expect(lines[0]).toContain('Sell to till/front failed 4 times: MACHINE_FAILED')
    expect(await tryOut(host, id)).toBe('it would fail again: MACHINE_FAILED')
    prices.luck = 4_900
    expect(await tryOut(host, id)).toBe('handled; it would send 0 messages')
    expect(await sold()).toBe(500)
    await host.stop()
  })

  test('a requeued message has its effect once', async () => {
    const { host, sold } = await selling(till)
    const ids = await lookAt(host, () => {})
    prices.luck = 4_900
    await sendAgain(host, ids)
    await host.drain()
    expect(await sold()).toBe(5_400)
    expect(await host.deadLetters.list()).toEqual([])
    await expect(sendAgain(host, ids)).rejects.toMatchObject({ code: 'DEAD_LETTER_UNKNOWN' })
    expect(await sold()).toBe(5_400)
    await host.stop()
  })

  test('a parked entity keeps its messages in order, across a restart, until a person lets it go on', async () => {
    const { host, sold, open } = await selling(strictTill)
    expect(await sold(), 'the sale behind the bad one waits').toBeUndefined()
    await host.stop()

    await using next = await open()
    await next.drain()
    expect(await next.parked.list()).toMatchObject([{ entity: 'till/front', code: 'MACHINE_FAILED' }])
    prices.luck = 4_900
    await letGoOn(next, 'till/front' as EntityId)
    await next.drain()
    expect((await next.read(strictTill.at('front')))?.context.cents).toBe(5_400)
    expect(await next.parked.list()).toEqual([])
  })
})

/** A till that sold a potion without a price, and then one with. */
async function selling(entity: Definition) {
  prices.healing = 500
  const path = temporaryFile()
  const env = new VirtualEnv()
  const open = () => createHost({ entities: [entity], store: sqliteStore({ path }), env })
  const host = await open()
  await host.send(Till.at('front'), { type: 'Sell', potion: 'luck' })
  await host.send(Till.at('front'), { type: 'Sell', potion: 'healing' })
  // The attempts and the pauses between them.
  await env.advance(60_000)
  const sold = async (): Promise<number | undefined> => (await host.read(till.at('front')))?.context.cents
  return { host, sold, open }
}
