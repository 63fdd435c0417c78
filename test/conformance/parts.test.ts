// parts.test.ts: a group that is handed over in parts ends as one.
import { InterstateError } from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { describe, expect, test } from 'vitest'
import { Counter, counter } from './process/counters.ts'
import { Site } from './site.ts'
import { storesOfScope } from './stores.ts'

const names = ['a', 'b', 'c', 'd', 'e']

function callAll(host: Host): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled(names.map((name) => host.send(Counter.at(name), { type: 'Add', by: 1 })))
}

function counts(host: Host): Promise<unknown[]> {
  return Promise.all(names.map(async (name) => (await host.read(Counter.at(name)))?.context.total))
}

describe.each(storesOfScope('shard'))('a group in parts, on $name', (kind) => {
  test('G13: has one tag, and no two parts touch the same entity', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter], { groupPart: 2 })
    await callAll(host)
    const { written } = site.store
    expect(written.map(({ part }) => part)).toEqual([undefined, 1, 2])
    expect(new Set(written.map(({ tag }) => tag)).size).toBe(1)
    const entities = written.flatMap(({ commits }) => commits.map(({ entity }) => entity))
    expect(new Set(entities).size).toBe(names.length)
    const tags = written.flatMap(({ commits }) => commits.map(({ tag }) => tag))
    expect(new Set(tags).size).toBe(names.length)
  })

  test('G8: is handed over side by side, and nothing of it leaves before its last part is written', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter], { groupPart: 2 })
    site.store.hold()
    let hasLeft = false
    const calls = names.map((name) => host.send(Counter.at(name), { type: 'Add', by: 1 }))
    for (const call of calls) void call.then(() => (hasLeft = true))
    await site.env.advance(0)
    expect(site.store.held).toBe(3)
    for (const left of [2, 1]) {
      site.store.openOne()
      await site.env.advance(0)
      expect([site.store.held, hasLeft, site.told('turn').length]).toEqual([left, false, 0])
    }
    site.store.open()
    await Promise.all(calls)
    expect(site.told('turn')).toHaveLength(names.length)
  })

  test('G1, G2: a part that was refused while another stands is written again just as it is', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter], { groupPart: 2 })
    site.store.fail(undefined, new InterstateError('STORE_FULL', 'No room for this one.'))
    const calls = callAll(host)
    await site.env.advance(0)
    for (const call of await calls) expect(call).toMatchObject({ reason: { code: 'STORE_UNCERTAIN' } })
    await site.rest()
    expect(site.store.written.map(({ part }) => part)).toEqual([undefined, 2, 1])
    expect(await counts(host)).toEqual([1, 1, 1, 1, 1])
    expect(host.counters().turns.handled).toBe(names.length)
  })

  test('G3: an entity with more messages than it handles at once goes on in the next group, not behind its own part', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter], { groupPart: 1 })
    await Promise.all(Array.from({ length: 100 }, () => host.send(Counter.at('a'), { type: 'Add', by: 1 })))
    expect(new Set(site.store.written.map(({ tag }) => tag)).size).toBe(2)
    const next = await site.host([counter])
    expect((await next.read(Counter.at('a')))?.context.total).toBe(100)
  })

  test('G12: a group of which every part was refused is undone', async () => {
    await using site = new Site(kind)
    const host = await site.host([counter], { groupPart: 2 })
    const full = (): InterstateError => new InterstateError('STORE_FULL', 'No room for any.')
    site.store.fail(full(), full(), full())
    for (const call of await callAll(host)) expect(call).toMatchObject({ reason: { code: 'STORE_FULL' } })
    await site.rest()
    expect(await counts(host)).toEqual([undefined, undefined, undefined, undefined, undefined])
    await callAll(host)
    expect(await counts(host)).toEqual([1, 1, 1, 1, 1])
  })
})
