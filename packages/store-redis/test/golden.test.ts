// What stands in Redis is a persisted format: this version writes what the file says, byte by byte, and goes on with a store
// that one of before has written.
import { readFileSync } from 'node:fs'
import type { HostId } from '@interstate/core'
import { expect, test } from 'vitest'
import { redisStore } from '../src/index.ts'
import { type Contents, contents, fill, key, restore, shards } from './golden/store.ts'
import { commit, entityIn, group } from './hand.ts'
import { describeWithRedis, startServer } from './servers.ts'

const golden: Contents = JSON.parse(readFileSync(new URL('./golden/store-v1.json', import.meta.url), 'utf8'))

describeWithRedis('the format of keys and rows', () => {
  test('is what it was: one that changes needs a number of its own, a migration, and the next golden file', async () => {
    await using server = await startServer()
    const client = server.client()
    await fill(client)
    expect(await contents(client)).toEqual(golden)
  })

  test('of version 1 is read, and written on', async () => {
    await using server = await startServer()
    const client = server.client()
    await restore(client, golden)
    expect(await contents(client)).toEqual(golden)
    const store = redisStore({ client, shards, absent: 'refuse' })
    const entity = entityIn(store, 0)
    expect(await store.load([{ entity, shard: 0 }])).toEqual([
      {
        ...{ entity, version: 1, tag: 'c1', snapshot: 'i1:the snapshot', trouble: '{"attempts":1}' },
        wakeAt: 1_767_225_660_000,
      },
    ])
    const waiting = (await store.inbox([0], 0, 10)).map(({ id, position }) => [position, id])
    expect(waiting).toEqual([
      [2, 'message-second'],
      [3, 'message-here'],
      [4, 'message-coming'],
      [5, 'message-mended'],
    ])
    expect(await store.due([0, 1], Number.POSITIVE_INFINITY, 10)).toEqual([{ entity, wakeAt: 1_767_225_660_000 }])
    expect(await store.unsettled([0, 1], undefined, 10)).toEqual([entity])
    expect(await store.keys([{ key, shard: 0 }])).toEqual([
      { state: 'known', message: 'message-first', fingerprint: 'print', reply: '{"end":"done"}' },
    ])
    expect(await store.deadLetters(undefined, 10)).toMatchObject([{ id: 'message-dead', to: entity, shard: 0 }])
    const departing = (await store.lanes?.departures([0, 1], 10)) ?? []
    expect(departing).toMatchObject([{ from: 0, to: 1, messages: [{ id: 'message-away', number: 1 }] }])
    expect(await store.lanes?.deliver(departing)).toMatchObject([{ outcome: 'delivered', mark: 1 }])
    expect(await store.lanes?.marks([0])).toMatchObject([{ from: 1, to: 0, number: 1 }])
    expect(await store.cluster?.view()).toMatchObject({
      hosts: [{ host: 'host-a', beat: 1 }],
      assignment: { version: 1, owners: ['host-a', 'host-a'] },
      halts: [{ shard: 1 }],
    })
    const { leases, crashes } = await store.acquire('host-b' as HostId, [0, 1])
    expect([leases.map(({ epoch }) => epoch), crashes]).toEqual([[2, 2], 1])
    const next = commit(leases, entity, { expectedVersion: 1, consumed: ['message-second' as never] })
    const { results } = await store.write(group({ commits: [next] }))
    expect(results).toMatchObject([{ outcome: 'committed', version: 2 }])
    expect(await store.requeue('message-dead' as never)).toMatchObject({ position: 6 })
    await store.close()
  })
})
