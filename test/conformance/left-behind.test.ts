// What waits in an inbox is met by its host, whatever came in between (G16). Each of these once stood there for good.
import type { GroupResult, StoreDriver } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { expect, test } from 'vitest'
import { Clerk, cast, Till } from './cast.ts'
import { detectMs, Fleet, type Member } from './fleet.ts'
import { type StoreUnderTest, storesOfScope } from './stores.ts'

const [byShards] = storesOfScope('shard')

test('G16: a message that was marked after a crash has its turn, though shards of a second crashed host come before it', async () => {
  const { till, entities } = cast(() => {})
  await using fleet = new Fleet(byShards as StoreUnderTest, entities)
  const [one, two, three] = (await fleet.start(3)) as [Member, Member, Member]
  const keys = await fleet.keysOn(two, 'till', 8)
  fleet.kill(two)
  for (const key of keys) await one.host.send(Till.at(key), { type: 'Ring', n: 1 })
  const wake = one.store.holdWrite(({ commits }) => commits.some(({ trouble }) => trouble !== undefined))
  await fleet.env.advance(2 * detectMs)
  fleet.kill(three)
  await fleet.env.advance(2 * detectMs)
  wake()
  await fleet.env.advance(2 * detectMs)
  for (const key of keys) expect((await one.host.read(till.at(key)))?.context.rung).toEqual([1])
  await fleet.rest()
  expect(await fleet.judge()).toEqual([])
})

test('G16: a message that goes into memory does so although of another one of its group it is not known where it stands', async () => {
  const { till, entities } = cast(() => {})
  const inner = memoryStore({ scope: 'shard', shards: 1 })
  let forgot = 0
  const store: StoreDriver = Object.assign(Object.create(inner) as StoreDriver, {
    async write(group: Parameters<StoreDriver['write']>[0]): Promise<GroupResult> {
      const result = await inner.write(group)
      const senders = group.commits.filter(({ outbox }) => outbox.length > 0)
      if (senders.length < 2 || forgot > 0) return result
      forgot += 1
      // As after an attempt whose answer was lost.
      const last = group.commits.lastIndexOf(senders.at(-1) as (typeof senders)[number])
      const results = result.results.map((each, index) => {
        return index === last && each.outcome === 'committed'
          ? { outcome: 'already applied' as const, version: each.version }
          : each
      })
      return { ...result, results }
    },
  })
  const env = new VirtualEnv()
  await using host = await createHost({ entities, store, env, policies: { stopOnTerminate: false, hangMs: false } })
  const calls = ['c1', 'c2'].map((key, n) => host.send(Clerk.at(key), { type: 'Tell', to: 't', n }))
  await env.advance(0)
  await Promise.all(calls)
  await env.advance(5_000)
  expect(forgot).toBe(1)
  expect((await host.read(till.at('t')))?.context.rung.toSorted()).toEqual([0, 1])
  const stopped = host.stop()
  await env.advance(1_000)
  await stopped
})
