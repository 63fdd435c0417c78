// consistency.test.ts: what reads may see. The page is learn.microsoft.com/azure/cosmos-db/consistency-levels.
// Only of the model: a real account lags when it likes.
import { ConsistencyLevel } from '@azure/cosmos'
import { describe, expect, test } from 'vitest'
import { failureOf, itemOf, models, type OpenedModel } from './places.ts'

/** Replicas that are always 50 ms behind. */
const lagging = { maxLagMs: 100 }

async function nOf({ client }: Pick<OpenedModel, 'client'>): Promise<unknown> {
  const { resource } = await client.database('test').container('items').item('a', [7, 'x']).read()
  return resource?.n
}

describe.each(models)('reads $name', ({ open }) => {
  test.each(['Strong', 'BoundedStaleness'] as const)('at %s see the last committed write', async (consistency) => {
    await using opened = await open({}, { ...lagging, consistency })
    await opened.container.items.create(itemOf('x', 'a', { n: 1 }))
    expect(await nOf(opened)).toBe(1)
    opened.advance(10)
    await opened.container.items.upsert(itemOf('x', 'a', { n: 2 }))
    expect(await nOf(opened)).toBe(2)
  })

  test.each(['Eventual', 'ConsistentPrefix'] as const)('at %s may be behind, and catch up', async (consistency) => {
    await using opened = await open({}, { ...lagging, consistency })
    await opened.container.items.create(itemOf('x', 'a', { n: 1 }))
    expect(await nOf(opened)).toBeUndefined()
    opened.advance(60)
    await opened.container.items.upsert(itemOf('x', 'a', { n: 2 }))
    expect(await nOf(opened)).toBe(1)
    opened.advance(60)
    expect(await nOf(opened)).toBe(2)
  })

  test('in a session see its own writes; another client reads like at Eventual', async () => {
    await using opened = await open({}, { ...lagging, consistency: 'Session' })
    const mine = opened.connect({ consistencyLevel: ConsistencyLevel.Session })
    const items = mine.database('test').container('items').items
    await items.create(itemOf('x', 'a', { n: 1 }))
    expect(await nOf({ client: mine })).toBe(1)
    expect(await nOf({ client: opened.connect({ consistencyLevel: ConsistencyLevel.Session }) })).toBeUndefined()
  })

  test('in a session send no token unless the client is told its level (observed with the SDK)', async () => {
    await using opened = await open({}, { ...lagging, consistency: 'Session' })
    await opened.container.items.create(itemOf('x', 'a', { n: 1 }))
    expect(await nOf(opened)).toBeUndefined()
  })

  test('with a token of the future are answered with 404 and substatus 1002, which looks like absent', async () => {
    await using opened = await open({}, { consistency: 'Session' })
    await opened.container.items.create(itemOf('x', 'a'))
    const read = await opened.container.item('a', [7, 'x']).read({ sessionToken: '0:-1#9' })
    expect(read).toMatchObject({ statusCode: 404, substatus: 1002, resource: undefined })
  })

  test('may ask for a weaker level than the account, not for a stronger: 400 (/rest/api/cosmos-db/http-status-codes-for-cosmosdb)', async () => {
    await using opened = await open({}, { ...lagging, consistency: 'Session' })
    await opened.container.items.create(itemOf('x', 'a'))
    const item = opened.container.item('a', [7, 'x'])
    expect((await failureOf(item.read({ consistencyLevel: ConsistencyLevel.Strong }))).code).toBe(400)
    expect((await item.read({ consistencyLevel: ConsistencyLevel.Eventual })).statusCode).toBe(404)
  })

  test('see a transaction whole or not at all, at any level', async () => {
    await using opened = await open({}, { ...lagging, consistency: 'Eventual' })
    const create = (id: string): Promise<unknown> =>
      opened.container.items.batch(
        [1, 2].map((n) => ({ operationType: 'Create', resourceBody: itemOf('x', `${id}${n}`) }) as const),
        [7, 'x'],
      )
    const seen = async (): Promise<number> =>
      (await opened.container.items.query('SELECT * FROM c', { partitionKey: [7, 'x'] }).fetchAll()).resources.length
    await create('a')
    expect(await seen()).toBe(0)
    opened.advance(60)
    await create('b')
    expect(await seen()).toBe(2)
    opened.advance(60)
    expect(await seen()).toBe(4)
  })

  test('conditional writes are decided against the last committed write, whatever the level', async () => {
    await using opened = await open({}, { ...lagging, consistency: 'Eventual' })
    await opened.container.items.create(itemOf('x', 'a'))
    expect(await nOf(opened)).toBeUndefined()
    expect((await failureOf(opened.container.items.create(itemOf('x', 'a')))).code).toBe(409)
  })
})

describe('regions, in the process', () => {
  const [inProcess] = models
  const regions = ['West Europe', 'North Europe'] as const
  const opening = async (consistency: 'BoundedStaleness' | 'Strong'): Promise<OpenedModel> => {
    if (inProcess === undefined) throw new Error('There is no model.')
    return await inProcess.open({}, { regions, consistency, maxLagMs: 20_000 })
  }

  test('bounded staleness reads of another region are behind by the bound at most; strong ones are not', async () => {
    for (const consistency of ['BoundedStaleness', 'Strong'] as const) {
      await using opened = await opening(consistency)
      const far = opened.connect({ connectionPolicy: { preferredLocations: ['North Europe'] } })
      await opened.container.items.create(itemOf('x', 'a', { n: 1 }))
      expect(await nOf({ client: far })).toBe(consistency === 'Strong' ? 1 : undefined)
      opened.advance(5_000)
      expect(await nOf({ client: far })).toBe(1)
      far.dispose()
    }
  })

  test('the client finds the region that takes the writes (/rest/api/cosmos-db/http-status-codes-for-cosmosdb, 403.3)', async () => {
    await using opened = await opening('Strong')
    const far = opened.connect({ connectionPolicy: { preferredLocations: ['North Europe'] } })
    const { statusCode } = await far.database('test').container('items').items.create(itemOf('x', 'a'))
    expect(statusCode).toBe(201)
    expect(await far.getReadEndpoint()).toContain('northeurope')
    far.dispose()
  })
})
