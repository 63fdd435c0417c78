// The store with troubles on order keeps the promise of the port, whatever befalls its calls.
import type { Group, HostId, MessageId, StoreDriver, StoredMessage } from '@interstate/core'
import { entityId, partitionsOf, shardOf } from '@interstate/core'
import { FaultyStore } from '@interstate/testing/stores'
import { describe, expect, test } from 'vitest'
import { storesUnderTest } from './stores.ts'

const a = entityId('order', 'a')

describe.each(storesUnderTest)('on $name', (under) => {
  const shards = (store: StoreDriver) => Array.from({ length: store.shards }, (_, shard) => shard)

  async function opened() {
    const { store: inner, dispose } = under.open()
    const store = new FaultyStore(inner)
    const { leases } = await store.acquire('host' as HostId, shards(store))
    const shard = shardOf(a, store.shards)
    const message: StoredMessage = { id: 'one' as MessageId, to: a, shard, body: '{}' }
    const lease = leases[shard] as (typeof leases)[number]
    const nothing = {
      trouble: undefined,
      wakeAt: undefined,
      unsettled: false,
      consumed: [],
      outbox: [],
      deadLetters: [],
    }
    const commit = { lease, entity: a, expectedVersion: 0, tag: 'c', snapshot: 's', replies: [], ...nothing }
    const group: Group = {
      owner: 'host' as HostId,
      tag: 'g',
      accepted: [{ ...message, lease }],
      registrations: [],
      commits: [commit],
      mode: 'each',
    }
    const end = async () => {
      await inner.close()
      await dispose()
    }
    const waiting = async () => (await inner.inbox(shards(inner), 0, 10)).map(({ id }) => id)
    const version = async () => (await inner.load(partitionsOf([a], inner.shards)))[0]?.version ?? 0
    return { store, inner, group, end, waiting, version }
  }
  const answered = (promise: Promise<unknown>): Promise<boolean> =>
    Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      new Promise<boolean>((resolve) => void setImmediate(() => setImmediate(() => resolve(false)))),
    ])

  test.each([
    ['fails', 'STORE_FAILED'],
    ['full', 'STORE_FULL'],
    ['fenced', 'STORE_FENCED'],
  ] as const)('a write that %s has changed nothing, and the next one passes', async (trouble, code) => {
    const { store, group, end, waiting } = await opened()
    store.nextWrite(trouble)
    await expect(store.write(group)).rejects.toMatchObject({ code })
    expect(await waiting()).toEqual([])
    expect((await store.write(group)).results).toMatchObject([{ outcome: 'committed', version: 1 }])
    await end()
  })

  test('a write whose answer is lost is repeated, and is known to be applied', async () => {
    const { store, group, end, version } = await opened()
    store.nextWrite('answer lost')
    expect((await store.write(group)).results).toEqual([{ outcome: 'already applied', version: 1 }])
    expect(await version()).toBe(1)
    await end()
  })

  test.each(['unknown before', 'unknown after'] as const)(
    'a write whose end is %s says so, and the same one again tells',
    async (trouble) => {
      const { store, group, end, version } = await opened()
      store.nextWrite(trouble)
      await expect(store.write(group)).rejects.toMatchObject({ code: 'STORE_UNCERTAIN' })
      expect(await version()).toBe(trouble === 'unknown after' ? 1 : 0)
      const outcome = trouble === 'unknown after' ? 'already applied' : 'committed'
      expect((await store.write(group)).results).toMatchObject([{ outcome, version: 1 }])
      await end()
    },
  )

  test('a conflict changes the version and nothing else', async () => {
    const { store, group, end, version } = await opened()
    store.nextWrite('conflict')
    expect((await store.write(group)).results).toEqual([{ outcome: 'conflict', version: 1 }])
    expect(await version()).toBe(1)
    await end()
  })

  test.each([
    ['killed before', []],
    ['killed after', ['one']],
    ['lands late', []],
  ] as const)('a process %s its write hears nothing any more', async (trouble, there) => {
    const { store, group, end, waiting } = await opened()
    store.nextWrite(trouble)
    expect(await answered(store.write(group))).toBe(false)
    expect(await waiting()).toEqual(there)
    expect(await answered(store.load(partitionsOf([a], store.shards)))).toBe(false)
    await end()
  })

  test('G5: what lands late is fenced when another owner is at work', async () => {
    const { store, inner, group, end } = await opened()
    store.nextWrite('lands late')
    void store.write({ ...group, accepted: [] })
    await answered(Promise.resolve())
    await new FaultyStore(inner).acquire('next' as HostId, shards(inner))
    expect(await store.land()).toMatchObject([{ results: [{ outcome: 'fenced', epoch: 2 }] }])
    expect(await store.land()).toEqual([])
    await end()
  })

  test('a held write waits until it is let go', async () => {
    const { store, group, end, waiting } = await opened()
    const go = store.holdWrite()
    const written = store.write(group)
    expect(await answered(written)).toBe(false)
    expect(await waiting()).toEqual([])
    go()
    await written
    expect(await waiting()).toEqual(['one'])
    await end()
  })

  test('calls fail as often as was ordered', async () => {
    const { store, end } = await opened()
    const left = store.fail('load', 2)
    await expect(store.load(partitionsOf([a], store.shards))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(left()).toBe(1)
    store.heal()
    expect(await store.load(partitionsOf([a], store.shards))).toEqual([undefined])
    await end()
  })
})
