// What waits in an inbox is met by its host, whatever came in between (G16). Each of these once stood there for good.
import {
  contract,
  defineAggregate,
  type EntityId,
  effect,
  entityId,
  type GroupResult,
  type HostId,
  type Lease,
  type MessageId,
  type StoreDriver,
  shardOf,
} from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { Clerk, cast, Till } from './cast.ts'
import { detectMs, Fleet, type Member } from './fleet.ts'
import { Site } from './site.ts'
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

/** Looks something up, and is done with the answer. */
const Seeker = contract('seeker', { commands: { Seek: z.object({}) } })

function seekerOf(look: () => Promise<number>) {
  return defineAggregate(
    Seeker,
    setup({
      types: Seeker.types<{ found: number }>(),
      actors: { look: effect<null, number>(look) },
    }).createMachine({
      context: { found: 0 },
      initial: 'idle',
      states: {
        idle: { on: { Seek: 'seeking' } },
        seeking: {
          invoke: {
            src: 'look',
            input: null,
            onDone: { target: 'done', actions: assign({ found: ({ event }) => event.output }) },
          },
        },
        done: {},
      },
    }),
  )
}

test('G16: a result that no write took is not forgotten, though its shard goes to another host and comes back', async () => {
  const answer = Promise.withResolvers<number>()
  let runs = 0
  const seeker = seekerOf(() => {
    runs += 1
    // Whoever takes it over looks again, and finds nothing.
    return runs <= 40 ? answer.promise : new Promise<never>(() => {})
  })
  await using fleet = new Fleet(byShards as StoreUnderTest, [seeker])
  const [one] = (await fleet.start(1)) as [Member]
  const keys = await fleet.keysOn(one, 'seeker', 40)
  const calls = keys.map((key) => one.host.send(Seeker.at(key), { type: 'Seek' }))
  await fleet.settle()
  await Promise.all(calls)
  // Its results are in the queues of their entities, and nobody else has them.
  one.store.nextWrite('fails')
  answer.resolve(7)
  await fleet.settle()
  // All this before the host tries to write again.
  const two = await fleet.join()
  await fleet.env.advance(250)
  expect((await fleet.owned(two)).length).toBeGreaterThan(0)
  void two.host.stop()
  await fleet.env.advance(200)
  expect(await fleet.owned(one)).toEqual(fleet.shards)
  await fleet.rest()
  const found = await Promise.all(keys.map(async (key) => (await one.host.read(Seeker.at(key)))?.context.found))
  expect(found).toEqual(keys.map(() => 7))
})

test('G1: a result that waits in memory and is read from its inbox as well has one turn', async () => {
  await using site = new Site(byShards as StoreUnderTest)
  const answer = Promise.withResolvers<number>()
  const seeker = seekerOf(() => answer.promise)
  const host = await site.host([seeker])
  await host.send(Seeker.at('a'), { type: 'Seek' })
  const entity = entityId('seeker', 'a')
  const shard = shardOf(entity, site.store.shards)
  const { store } = site
  // Somebody else has written to the entity: what comes of the result is undone, and it is to be handled from its inbox.
  const [row] = await store.load([{ entity, shard }])
  const [lease] = (await store.cluster?.leases([shard])) ?? []
  const commit = { lease: lease as Lease, entity, expectedVersion: 1, tag: 'their commit', snapshot: row?.snapshot }
  const rest = {
    trouble: undefined,
    wakeAt: undefined,
    unsettled: true,
    consumed: [],
    outbox: [],
    deadLetters: [],
    replies: [],
  }
  // Somebody else's message comes before it: where the result stands then does not follow what is in memory.
  const [stranger] = Array.from({ length: 1_000 }, (_, index) => entityId('seeker', `other-${index}`)).filter(
    (each) => shardOf(each, store.shards) === shard,
  )
  const envelope = { id: 'from-elsewhere', to: stranger, kind: 'command', from: 'client', type: 'Seek', data: {} }
  const body = JSON.stringify({ ...envelope, contractVersion: 1, correlationId: 'c', created: 1 })
  const message = {
    id: envelope.id as MessageId,
    to: stranger as EntityId,
    shard: shardOf(stranger as EntityId, 16),
    body,
  }
  const accepted = [{ ...message, lease: undefined }]
  const group = { tag: 'theirs', accepted, registrations: [], commits: [{ ...commit, ...rest }], mode: 'each' as const }
  await store.write({ ...group, owner: 'another' as HostId })
  answer.resolve(7)
  await site.env.advance(60_000)
  expect((await host.read(Seeker.at('a')))?.value).toBe('done')
  expect(site.told('regrouped').map(({ why }) => why)).toEqual(['conflict'])
})
