import { createHost } from '@interstate/runtime'
import { sqliteStore } from '@interstate/store-sqlite'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { brewer, Counter, counter } from '../src/how-to/asynchronous-reply.ts'
import { forest, meadow, Purchase, purchase, swamp } from '../src/how-to/gather.ts'
import { takeDelivery } from '../src/how-to/one-way.ts'
import { demand, importOldOrder, letter } from '../src/how-to/publish-subscribe.ts'
import { reserve } from '../src/how-to/request-reply.ts'
import { Cart, cart } from '../src/tutorial/cart.ts'
import { stock } from '../src/tutorial/stock.ts'
import { temporaryFile } from './temporary.ts'

const minute = 60_000

describe('interaction styles', () => {
  test('one-way: the same delivery note sent twice takes the bottles in once', async () => {
    await using host = await createHost({ entities: [stock], store: sqliteStore({ path: temporaryFile() }) })
    const note = { number: 'note-1', at: new Date('2026-01-02') }
    expect(await takeDelivery(host, note)).toBe(false)
    expect(await takeDelivery(host, note)).toBe(true)
    await host.drain()
    expect((await host.read(stock.at('healing')))?.context.left).toBe(12)
  })

  test('request and reply: the outcome is the reply of the very command', async () => {
    await using host = await createHost({ entities: [stock], store: sqliteStore({ path: temporaryFile() }) })
    await takeDelivery(host, { number: 'note-1', at: new Date('2026-01-02') })
    expect(await reserve(host, 5)).toBe('yours')
    expect(await reserve(host, 500)).toBe('sold out')
  })

  test('asynchronous reply: it comes in a later turn, to who asked, and a restart in between does not matter', async () => {
    const path = temporaryFile()
    const env = new VirtualEnv()
    const entities = [brewer, counter]
    {
      await using host = await createHost({ entities, store: sqliteStore({ path }), env })
      await host.send(Counter.at('left'), { type: 'Order', potion: 'healing' })
      await host.drain()
      await host.send(Counter.at('right'), { type: 'Order', potion: 'luck' })
      await host.drain()
      expect((await host.read(counter.at('left')))?.value).toBe('waiting')
      expect((await host.read(counter.at('right')))?.value, 'the brewer was busy').toBe('open')
      await env.advance(10 * minute)
    }
    await using host = await createHost({ entities, store: sqliteStore({ path }), env })
    await env.advance(10 * minute)
    expect(await host.read(counter.at('left'))).toMatchObject({ value: 'open', context: { served: ['healing'] } })
    expect(await host.read(counter.at('right'))).toMatchObject({ value: 'open', context: { served: [] } })
  })

  test('publish and subscribe: everybody who follows an event gets it, each by its own key', async () => {
    const entities = [cart, letter, demand]
    await using host = await createHost({ entities, store: sqliteStore({ path: temporaryFile() }) })
    await host.send(Cart.at('o-1'), { type: 'CheckOut', potion: 'healing', quantity: 2, cents: 1_000 })
    await host.send(Cart.at('o-2'), { type: 'CheckOut', potion: 'healing', quantity: 3, cents: 1_500 })
    await importOldOrder(host)
    await host.drain()
    expect((await host.read(letter.at('o-1')))?.context.potion).toBe('healing')
    expect((await host.read(letter.at('o-2')))?.context.potion).toBe('healing')
    expect((await host.read(letter.at('o-1998')))?.context.potion).toBe('healing')
    expect((await host.read(demand.at('healing')))?.context.bottles).toBe(6)
  })

  test('publish and gather: the saga decides when its time is up, with the offers that came', async () => {
    const env = new VirtualEnv()
    const entities = [purchase, meadow, forest, swamp]
    await using host = await createHost({ entities, store: sqliteStore({ path: temporaryFile() }), env })
    await host.send(Purchase.at('p-1'), { type: 'Open', herb: 'sage', grams: 100 })
    await host.drain()
    const gathering = await host.read(purchase.at('p-1'))
    expect(gathering?.value).toBe('gathering')
    expect(gathering?.context.offers).toHaveLength(2)
    await env.advance(5 * minute)
    expect(await host.read(purchase.at('p-1'))).toMatchObject({
      value: 'decided',
      output: { from: 'forest', cents: 300 },
    })
  })
})
