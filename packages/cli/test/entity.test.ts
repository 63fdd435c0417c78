import { type EntityId, type Lease, type ShardId, type StoreDriver, shardOf } from '@interstate/core'
import { memoryStore } from '@interstate/store-memory'
import { describe, expect, test } from 'vitest'
import { interstate } from './console.ts'
import { trade } from './shop.ts'

async function shop(): Promise<StoreDriver> {
  const store = memoryStore()
  await trade(store)
  return store
}

describe('entity show', () => {
  test('shows state, context and version', async () => {
    const store = await shop()
    const { json, exitCode } = await interstate(['entity', 'show', 'till/front', '--json'], { store })
    expect(exitCode).toBe(0)
    expect(json).toMatchObject({
      ...{ entity: 'till/front', shard: shardOf('till/front' as EntityId, 64), status: 'active', value: 'open' },
      ...{ context: { cents: 500 }, machine: '1', damage: null, trouble: null, isParked: false, waiting: [] },
    })
    expect(json.version).toBeGreaterThan(0)
    expect(Object.keys(json)).toEqual([
      ...['entity', 'shard', 'version', 'wakeAt', 'status', 'value', 'context', 'output', 'machine', 'incarnation'],
      ...['turns', 'lastTurn', 'damage', 'timers', 'running', 'trouble', 'isParked', 'waiting', 'hasMoreWaiting'],
    ])
    const { out } = await interstate(['entity', 'show', 'till/front'], { store })
    expect(out).toContain('{"cents":500}')
    expect(out).toContain('No message waits.')
  })

  test('shows timers with what they will do', async () => {
    const store = await shop()
    const { json } = await interstate(['entity', 'show', 'till/back', '--json'], { store })
    expect(json.timers).toMatchObject([{ due: '2026-01-01T01:00:00.000Z', raises: expect.stringContaining('after') }])
    expect(json.wakeAt).toBe('2026-01-01T01:00:00.000Z')
    expect((await interstate(['entity', 'show', 'till/back'], { store })).out).toContain('2026-01-01 01:00:00Z')
  })

  test('shows effects that run', async () => {
    const { json } = await interstate(['entity', 'show', 'till/side', '--json'], { store: await shop() })
    expect(json.running).toMatchObject([{ src: 'print', key: expect.any(String), input: { text: 'a receipt' } }])
  })

  test('shows a parked entity, why it stands still, and what waits behind', async () => {
    const store = await shop()
    const { json } = await interstate(['entity', 'show', 'safe/cellar', '--json'], { store })
    expect(json).toMatchObject({
      isParked: true,
      trouble: { code: 'MACHINE_FAILED', text: expect.stringContaining('no price for luck'), attempts: 4 },
      waiting: [{ type: 'Sell' }, { type: 'Sell' }],
    })
    expect(json.trouble.message).toBe(json.waiting[0].id)
    const { out } = await interstate(['entity', 'show', 'safe/cellar', '--limit', '1'], { store })
    expect(out).toMatch(/parked +since 2026-01-01/)
    expect(out).toContain('and more: --limit 10')
  })

  test('finds one that a placement rule has put elsewhere than its hash says', async () => {
    const store = memoryStore({ scope: 'shard', shards: 8 })
    const entity = 'till/vip' as EntityId
    const pinned = (shardOf(entity, 8) + 3) % 8
    await put(store, entity, pinned, 'i1:00000000:{}')
    // The store in memory finds an entity in any shard; one on servers does not.
    const strict = Object.assign(Object.create(store) as StoreDriver, {
      load: async (places: readonly { entity: EntityId; shard: ShardId }[]) => {
        const rows = await store.load(places)
        return rows.map((row, index) => (places[index]?.shard === pinned ? row : undefined))
      },
    })
    const { json } = await interstate(['entity', 'show', entity, '--json'], { store: strict })
    expect(json).toMatchObject({ entity, shard: pinned, version: 1 })
  })

  test.each([
    ['i1:00000000:{"format":1,"entity":"till/x","value":"open"}', 'its checksum is wrong'],
    ['nonsense', 'it is not a snapshot'],
    ['i1:00000000:{', 'it is not JSON'],
    ['i1:00000000:[]', 'it is not an object'],
    ['i9:4a17b156:{}', 'its checksum is wrong'],
    ['i1:00000000:{"timers":{"a":7},"running":[],"value":"\\u001b[2J"}', 'its checksum is wrong'],
  ])('shows what can be read of a damaged snapshot: %s', async (snapshot, damage) => {
    const store = memoryStore()
    await put(store, 'till/x' as EntityId, 0, snapshot)
    const { json, exitCode } = await interstate(['entity', 'show', 'till/x', '--json'], { store })
    expect(json.damage).toBe(damage)
    expect(exitCode).toBe(0)
    const { out } = await interstate(['entity', 'show', 'till/x'], { store })
    expect(out).toContain(damage)
    expect(out).not.toContain('\u001b')
  })

  test('of one that is not there is refused', async () => {
    const { err, exitCode } = await interstate(['entity', 'show', 'till/nobody'], { store: memoryStore() })
    expect(err).toMatch(/^NOT_FOUND: nothing is stored of till\/nobody/)
    expect(exitCode).toBe(1)
  })

  test.each([
    ['till', /^ADDRESS_INVALID: /],
    ['till/', /^ADDRESS_INVALID: /],
    ['a/b/c/d', /^ADDRESS_INVALID: /],
    ['till/a{b', /^ADDRESS_INVALID: /],
    ['till/a b', /^USAGE: .*write till\/a%20b/],
    ['till/__proto__', /^NOT_FOUND: /],
  ])('refuses what is no name of an entity: %s', async (name, line) => {
    const { err, exitCode } = await interstate(['entity', 'show', name], { store: memoryStore() })
    expect(err).toMatch(line)
    expect(err.trimEnd()).not.toContain('\n')
    expect(exitCode).toBe(err.startsWith('NOT_FOUND') ? 1 : 2)
  })
})

async function put(store: StoreDriver, entity: EntityId, shard: ShardId, snapshot: string): Promise<void> {
  const { leases } = await store.acquire('a' as never, [shard])
  const lease = leases[0] as Lease
  const nothing = { trouble: undefined, wakeAt: undefined, unsettled: false, consumed: [], outbox: [], replies: [] }
  const commit = { ...nothing, lease, entity, expectedVersion: 0, tag: 't', snapshot, deadLetters: [] }
  await store.write({ owner: lease.owner, tag: 'g', accepted: [], registrations: [], commits: [commit], mode: 'each' })
}
