// strictness.test.ts: who is let in, and that what is not implemented is never a quiet success.
import { CosmosClient } from '@azure/cosmos'
import { describe, expect, test } from 'vitest'
import { httpClient } from './http-client.ts'
import { failureOf, itemOf, models, start } from './places.ts'
import { CosmosService, defaultKey } from './service.ts'

describe.each(models)('the service $name', ({ open }) => {
  test('lets in who signs with its key, and no other: 401 (/rest/api/cosmos-db/access-control-on-cosmosdb-resources)', async () => {
    await using opened = await open()
    const other = opened.connect({ key: Buffer.from('another').toString('base64') })
    expect((await failureOf(other.database('test').read())).code).toBe(401)
    expect((await failureOf(other.database('test').container('items').items.create(itemOf('x', 'a')))).code).toBe(401)
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(404)
    // Ids are signed as they are, and sent encoded.
    expect((await opened.container.items.create(itemOf('ü/=', 'ä b%20+c'))).statusCode).toBe(201)
    expect((await opened.container.item('ä b%20+c', [7, 'ü/=']).read()).statusCode).toBe(200)
  })

  test.each(['Strong', 'BoundedStaleness', 'Session', 'ConsistentPrefix', 'Eventual'] as const)(
    'tells its consistency %s and its regions (/javascript/api/@azure/cosmos/databaseaccount)',
    async (consistency) => {
      await using opened = await open({}, { consistency })
      const { resource } = await opened.client.getDatabaseAccount()
      expect(resource?.consistencyPolicy).toBe(consistency)
      expect(resource?.writableLocations.map(({ name }) => name)).toEqual(['West Europe'])
      expect(resource?.enableMultipleWritableLocations).toBe(false)
    },
  )

  test('an account of several write regions says so, and has no items here', async () => {
    await using opened = await open({}, { multipleWriteRegions: true, regions: ['West Europe', 'North Europe'] })
    const { resource } = await opened.client.getDatabaseAccount()
    expect(resource?.enableMultipleWritableLocations).toBe(true)
    expect(resource?.writableLocations).toHaveLength(2)
    expect((await failureOf(opened.container.items.create(itemOf('x', 'a')))).code).toBe(501)
  })

  test('settings of containers that mean something it does not do are refused', async () => {
    await using opened = await open()
    const { containers } = opened.container.database
    const partitionKey = '/p'
    const refused = [
      containers.create({ id: 'b', partitionKey, defaultTtl: 60 }),
      containers.create({ id: 'b', partitionKey, uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/n'] }] } }),
      containers.create({ id: 'b', partitionKey, maxThroughput: 1_000 }),
      containers.create({ id: 'b', partitionKey: { paths: ['/p'], version: 1 } }),
      containers.create({ id: 'b', partitionKey, indexingPolicy: { compositeIndexes: [] } }),
      opened.container.replace({ id: 'items', partitionKey: { paths: ['/p'] } }),
      opened.client.databases.create({ id: 'c', throughput: 400 }),
    ]
    for (const failure of await Promise.all(refused.map(failureOf))) {
      expect(failure).toMatchObject({ code: 501, message: expect.stringContaining('Not implemented') })
    }
    expect((await failureOf(opened.container.database.container('b').read())).code).toBe(404)
  })

  test('operations that it does not do are refused, and change nothing', async () => {
    await using opened = await open()
    const { container } = opened
    const { items } = container
    await items.create(itemOf('x', 'a', { n: 1 }))
    const item = container.item('a', [7, 'x'])
    const create = itemOf('x', 'b')
    const refused = [
      items.create(itemOf('x', 'b', { ttl: 5 })),
      items.create(create, { indexingDirective: 'Exclude' }),
      items.create(create, { preTriggerInclude: 'before' }),
      items.create(create, { accessCondition: { type: 'IfNoneMatch', condition: '*' } }),
      items.create({ id: 'b', shard: 7 }),
      item.replace(itemOf('x', 'a', { n: 2 }), { accessCondition: { type: 'IfMatch', condition: '*' } }),
      item.patch({ condition: 'FROM c WHERE c.n = 1', operations: [{ op: 'set', path: '/n', value: 2 }] }),
      item.patch([{ op: 'move', from: '/n', path: '/m' } as never]),
      item.read({ priorityLevel: 'High' as never }),
      container.scripts.storedProcedure('s').execute([7, 'x'], []),
      container.readOffer(),
      items.changeFeed([7, 'x'], { startTime: new Date(start) }).fetchNext(),
      container.deleteAllItemsForPartitionKey([7, 'x']),
    ]
    for (const failure of await Promise.all(refused.map(failureOf))) {
      expect(failure).toMatchObject({ code: 501, message: expect.stringContaining('Not implemented') })
    }
    expect((await item.read()).resource).toMatchObject({ n: 1 })
    expect((await items.readAll({ partitionKey: [7, 'x'] }).fetchAll()).resources).toHaveLength(1)
  })

  test('bulk, which is not atomic, is refused', async () => {
    await using opened = await open()
    const [response] = await opened.container.items.executeBulkOperations([
      { operationType: 'Create', partitionKey: [7, 'x'], resourceBody: itemOf('x', 'a') },
    ])
    expect(response?.error ?? response?.response).toMatchObject({ code: 501 })
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(404)
  })
})

test('an Entra token that the account knows is let in, any other is not (/rest/api/cosmos-db/access-control-on-cosmosdb-resources)', async () => {
  const service = new CosmosService({ now: () => start, random: () => 0, tokens: ['good'] })
  const connect = (token: string): CosmosClient =>
    new CosmosClient({
      endpoint: 'https://interstate.test',
      aadCredentials: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
      httpClient: httpClient(service),
      connectionPolicy: { enableEndpointDiscovery: false },
    })
  expect((await connect('good').databases.createIfNotExists({ id: 'a' })).statusCode).toBe(201)
  expect((await failureOf(connect('bad').database('a').read())).code).toBe(401)
})

test('the same requests at the same times are answered alike, byte for byte', async () => {
  const answers = async (): Promise<string[]> => {
    let now = start
    const service = new CosmosService({ now: () => now, random: () => 0.3, maxLagMs: 10 })
    const heard: string[] = []
    const inner = httpClient(service)
    const client = new CosmosClient({
      endpoint: 'https://interstate.test',
      key: defaultKey,
      connectionPolicy: { enableEndpointDiscovery: false },
      httpClient: {
        async sendRequest(request) {
          now += 7
          const response = await inner.sendRequest(request)
          heard.push(JSON.stringify([response.status, response.headers.toJSON(), response.bodyAsText]))
          return response
        },
      },
    })
    const { database } = await client.databases.create({ id: 'test' })
    const { container } = await database.containers.create({ id: 'items', partitionKey: { paths: ['/entity'] } })
    for (const id of ['a', 'b', 'a']) await container.items.upsert(itemOf('x', id))
    await container.item('a', 'x').read()
    await container.items.readAll({ partitionKey: 'x' }).fetchAll()
    return heard
  }
  expect(await answers()).toEqual(await answers())
})
