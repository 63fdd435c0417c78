import { type EntityId, type HostId, type MessageId, type StoreDriver, shardOf } from '@interstate/core'
import { redisStore } from '@interstate/store-redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
// @boundaries-ignore How a server is started is said in one place for all packages.
import { describeWithRedis, type RedisServer, startServer } from '../../store-redis/test/servers.ts'
import { interstate } from './console.ts'

const a = 'host-a' as HostId
const entity = 'till/front' as EntityId
const shards = 8
const home = shardOf(entity, shards)
const away = (home + 1) % shards

describeWithRedis('a Redis', () => {
  let server: RedisServer
  let url: string

  beforeAll(async () => {
    server = await startServer({ config: { requirepass: 'sec/ret', 'maxmemory-policy': 'noeviction' } })
    url = `redis://:sec%2Fret@127.0.0.1:${server.port}`
  })
  afterAll(() => server.stop())

  test('in which no store stands gets none by being looked at', async () => {
    const { err, exitCode } = await interstate(['hosts', '--store', url, '--prefix', 'nobody'])
    expect(err).toMatch(/^STORE_MISSING: no store stands at redis:\/\/127\.0\.0\.1:\d+ under the prefix "nobody"; /)
    expect(exitCode).toBe(1)
    expect(await server.run('DBSIZE')).toBe(0)
  })

  test('with a wrong password is refused, and no password is shown', async () => {
    const { err, exitCode } = await interstate(['hosts', '--store', url.replace('sec', 'top')])
    expect(err).toMatch(/^STORE_FAILED: /)
    expect(err).not.toMatch(/sec|top|ret@/)
    expect(exitCode).toBe(1)
  })

  test('of which a database is asked for that is not there is refused, though a store stands in another', async () => {
    await using _shop = await trade('numbered')
    const { err, exitCode, out } = await interstate(['hosts', '--store', `${url}/99`, '--prefix', 'numbered'])
    expect(err).toMatch(/^STORE_UNFIT: database: The client has db 99, but is in database 0 /)
    expect([exitCode, out]).toEqual([1, ''])
  })

  test('with keys of others is left alone', async () => {
    await server.run('SET', '{theirs:cluster}:identity', 'x')
    const { err, exitCode } = await interstate(['hosts', '--store', url, '--prefix', 'theirs'])
    expect(err).toMatch(/^STORE_FOREIGN: /)
    expect(exitCode).toBe(1)
    await server.run('DEL', '{theirs:cluster}:identity')
  })

  test('tells hosts and shards, and knows P by itself', async () => {
    await using shop = await trade('look')
    await shop.store.cluster?.beat({ host: a, beat: 1, weight: 1, pins: [], runs: { till: '1' } })
    const hosts = await interstate(['hosts', '--store', url, '--prefix', 'look', '--json'])
    expect(hosts.json).toMatchObject({
      isShared: true,
      shards,
      hosts: [{ host: a, isAlive: false, shards: [home, away].sort() }],
    })
    const { json } = await interstate(['shards', '--store', url, '--prefix', 'look', '--json'])
    expect(json.rows).toHaveLength(shards)
    expect(json.rows[home]).toMatchObject({ owner: a, epoch: 1, waiting: 1, departing: 1 })
    const wrong = await interstate(['shards', '--store', url, '--prefix', 'look', '--shards', '16'])
    expect(wrong.err).toMatch(/^STORE_UNFIT: .*8 shards/)
  })

  test('is looked at and not changed', async () => {
    await using _shop = await trade('still')
    const before = await contents('still')
    const calls = [
      ['hosts'],
      ['shards'],
      ['entity', 'show', entity],
      ['dead-letters', 'list'],
      ['shards', 'resume', '0'],
    ]
    for (const args of calls) {
      const { exitCode, err } = await interstate([...args, '--store', url, '--prefix', 'still'])
      expect([err, exitCode]).toEqual(['', 0])
    }
    expect(await contents('still')).toEqual(before)
  })

  test('gives back dead letters, and a word to the host that runs them', async () => {
    await using shop = await trade('back')
    await shop.store.cluster?.beat({ host: a, beat: 1, weight: 1, pins: [], runs: {} })
    const list = await interstate(['dead-letters', 'list', '--store', url, '--prefix', 'back', '--json'])
    expect(list.json.deadLetters).toMatchObject([{ id: 'dead', entity, shard: home }])
    const back = await interstate(['dead-letters', 'requeue', 'dead', '--store', url, '--prefix', 'back', '--json'])
    expect(back.json).toEqual({ requeued: ['dead'], refused: [] })
    expect(await shop.store.cluster?.collect(a)).toEqual([`{"news":[${home}]}`])
    const entityShow = await interstate(['entity', 'show', entity, '--store', url, '--prefix', 'back', '--json'])
    expect(entityShow.json.waiting.map(({ id }: { id: string }) => id)).toEqual(['first', 'dead'])
    expect(
      (await interstate(['purge', '--before', '2026-01-02', '-y', '--store', url, '--prefix', 'back'])).exitCode,
    ).toBe(0)
  })

  test('that lost a shard goes on when a person decides', async () => {
    const shop = await trade('lost')
    const sent = (await shop.store.lanes?.departures([home], 10)) ?? []
    await shop.store.lanes?.deliver(sent)
    await shop.store.lanes?.trim([{ from: home, to: away, number: 1 }])
    await shop.store.cluster?.halt({ shard: away, finding: 'it is empty' })
    const [record] = await keysOf('lost', /:shard$/, away)
    const tag = /^\{[^}]*\}/.exec(record ?? '')?.[0] ?? ''
    for (const key of await keysOf('lost', /./)) if (key.startsWith(tag)) await server.run('DEL', key)
    await shop[Symbol.asyncDispose]()

    const call = ['shards', 'resume', `${away}`, '--store', url, '--prefix', 'lost', '--json']
    const dry = await interstate([...call, '--dry-run'])
    expect(dry.json).toMatchObject({
      ...{ halt: 'it is empty', isResumed: false },
      losses: [{ from: home, to: away, kind: 'lost', first: 1, last: 1 }],
    })
    expect((await interstate([...call, '--yes'])).json).toMatchObject({ isResumed: true })
    expect((await interstate(call)).json).toMatchObject({ halt: null, losses: [] })

    await using again = await open('lost')
    const { leases } = await again.store.acquire(a, [away])
    expect(leases[0]?.epoch).toBeGreaterThan(1)
    await accept(again.store, away, 'next', home)
    const deliveries = await again.store.lanes?.deliver((await again.store.lanes.departures([home], 10)) ?? [])
    expect(deliveries).toMatchObject([{ outcome: 'delivered', mark: 2 }])
  })

  async function open(prefix: string) {
    const client = server.client()
    const store = redisStore({ client, prefix, shards })
    await store.probe()
    return {
      store,
      [Symbol.asyncDispose]: async () => {
        await store.close()
        client.disconnect()
      },
    }
  }

  /** `host-a` runs two shards; one message waits, one is on its way, one is a dead letter. */
  async function trade(prefix: string) {
    const shop = await open(prefix)
    const { store } = shop
    const { leases } = await store.acquire(a, [home, away])
    const lease = leases.find(({ shard }) => shard === home)
    if (lease === undefined) throw new Error('no lease')
    const letter = { ...message('dead', home), reason: JSON.stringify({ code: 'X', text: 'why', attempts: 1, at: 0 }) }
    const nothing = { trouble: undefined, wakeAt: undefined, unsettled: false, consumed: [], outbox: [], replies: [] }
    const commit = { ...nothing, lease, entity, expectedVersion: 0, tag: 't', snapshot: 's', deadLetters: [letter] }
    await store.write({ owner: a, tag: 'g', accepted: [], registrations: [], commits: [commit], mode: 'each' })
    await accept(store, home, 'first')
    await accept(store, away, 'going', home)
    return shop
  }

  async function keysOf(prefix: string, pattern: RegExp, shard?: number): Promise<readonly string[]> {
    const all = (await server.run('KEYS', `*${prefix}:*`)) as string[]
    return all
      .filter((key) => key.startsWith(`{${prefix}:`) && pattern.test(key))
      .filter((key) => shard === undefined || new RegExp(`:${shard}[:.}]|:${shard}-`).test(key))
  }

  async function contents(prefix: string): Promise<unknown> {
    const keys = [...(await keysOf(prefix, /./))].sort()
    return Promise.all(keys.map(async (key) => [key, await server.run('DUMP', key)]))
  }
})

async function accept(store: StoreDriver, shard: number, id: string, entry?: number): Promise<void> {
  const accepted = [{ ...message(id, shard), lease: undefined, entry }]
  await store.write({ owner: a, tag: id, accepted, registrations: [], commits: [], mode: 'each' })
}

function message(id: string, shard: number) {
  const body = {
    ...{ id, kind: 'command', to: entity, from: 'client', type: 'Sell', data: {} },
    ...{ correlationId: id, causationId: id, created: 0, contractVersion: 1 },
  }
  return { id: id as MessageId, to: entity, shard, body: JSON.stringify(body) }
}
