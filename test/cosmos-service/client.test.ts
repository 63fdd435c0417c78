// client.test.ts: what bites in @azure/cosmos 4.10.1 itself, observed with it.
import { ChangeFeedStartFrom, CosmosClient, type OperationInput } from '@azure/cosmos'
import { describe, expect, test } from 'vitest'
import { httpClient } from './http-client.ts'
import { failureOf, itemOf, models, places, start } from './places.ts'
import { CosmosService, defaultKey } from './service.ts'

describe.each(places)('the client $name', ({ open }) => {
  test('does not throw for a batch that failed: its code is 207', async () => {
    await using opened = await open()
    const { code, result } = await opened.container.items.batch([{ operationType: 'Delete', id: 'none' }], [7, 'x'])
    expect(code).toBe(207)
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([404])
  })

  test('rewrites the partition keys in the operations that it is given: they serve one attempt', async () => {
    await using opened = await open()
    const operations: OperationInput[] = [
      { operationType: 'Create', partitionKey: [7, 'x'], resourceBody: itemOf('x', 'a') },
    ]
    expect((await opened.container.items.batch(operations, [7, 'x'])).code).toBe(200)
    expect(operations[0]?.partitionKey).toBe('[7,"x"]')
    await opened.container.item('a', [7, 'x']).delete()
    const again = opened.container.items.batch(operations, [7, 'x'])
    const outcome = await again.then(
      ({ code }) => code,
      () => 'thrown',
    )
    expect(outcome).not.toBe(200)
  })

  test('does not throw for a read of an absent item: its status is 404', async () => {
    await using opened = await open()
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(404)
  })
})

describe.each(models)('the client of the model $name', ({ open }) => {
  test('wraps the failure of a batch: the code is on the cause', async () => {
    await using opened = await open()
    opened.service.faults.inject({ fault: { kind: 'refuse', status: 503 } })
    const error = await failureOf(
      opened.container.items.batch([{ operationType: 'Create', resourceBody: itemOf('x', 'a') }], [7, 'x']),
    )
    expect(error.message).toMatch(/^Batch request error/)
    expect(error.code).toBeUndefined()
    expect(error.cause).toMatchObject({ code: 503 })
  })

  test('reads again after a broken connection, on its own', { timeout: 10_000 }, async () => {
    await using opened = await open()
    await opened.container.items.create(itemOf('x', 'a'))
    opened.service.faults.inject({ fault: { kind: 'drop answer' } })
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(200)
    expect(opened.service.faults.count).toBe(1)
  })

  test.each([408, 500] as const)('does not read again after %i', async (status) => {
    await using opened = await open()
    opened.service.faults.inject({ fault: { kind: 'fail', status, processed: true } })
    expect((await failureOf(opened.container.item('a', [7, 'x']).read())).code).toBe(status)
  })

  test('does not throw for a read in a container that is not there: only the substatus 1003 tells it from an absent item', async () => {
    await using opened = await open()
    const { database } = opened.container
    const read = await database.container('none').item('a', [7, 'x']).read()
    expect(read).toMatchObject({ statusCode: 404, substatus: 1003 })
  })

  test('gets by with the plan and the one range that it is told, for a prefix of the key and for all changes', async () => {
    await using opened = await open()
    const { items } = opened.container
    for (let n = 0; n < 8; n += 1) await items.create(itemOf(`entity-${n}`, 'a', { n }))
    const options = { forceQueryPlan: true, maxItemCount: 3 }
    const { resources } = await items.query('SELECT * FROM c WHERE c.shard = 7 AND c.n > 1', options).fetchAll()
    expect(resources).toHaveLength(6)
    const feed = items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(), maxItemCount: 5 })
    expect([(await feed.readNext()).count, (await feed.readNext()).count]).toEqual([5, 3])
    expect((await feed.readNext()).statusCode).toBe(304)
  })

  test('may look for its endpoints itself', async () => {
    await using opened = await open()
    const client = opened.connect({ connectionPolicy: { enableEndpointDiscovery: true } })
    const { items } = client.database('test').container('items')
    expect((await items.create(itemOf('x', 'a'))).statusCode).toBe(201)
    client.dispose()
  })

  test('asks for a plan beside each query that is fetched whole', async () => {
    await using opened = await open()
    opened.service.usage.reset()
    await opened.container.items.query('SELECT * FROM c', { partitionKey: [7, 'x'] }).fetchAll()
    expect(opened.service.usage.requests).toBe(2)
    opened.service.usage.reset()
    await opened.container.items.readAll({ partitionKey: [7, 'x'] }).fetchAll()
    expect(opened.service.usage.requests).toBeGreaterThan(0)
  })
})

test('in the process, time is whatever clock it is given', async () => {
  let now = start
  const service = new CosmosService({ now: () => now, random: () => 0.5 })
  const clock = {
    async sleep(ms: number): Promise<void> {
      now += ms
    },
  }
  const client = new CosmosClient({
    endpoint: 'https://interstate.test',
    key: defaultKey,
    connectionPolicy: { enableEndpointDiscovery: false },
    httpClient: httpClient(service, { clock, latencyMs: () => 1_000 }),
  })
  const { database } = await client.databases.create({ id: 'test' })
  const { container } = await database.containers.create({ id: 'items', partitionKey: { paths: ['/entity'] } })
  service.faults.inject({ fault: { kind: 'delay answer', ms: 3_600_000 } })
  const { resource } = await container.items.create(itemOf('x', 'a'))
  expect(resource?._ts).toBe(start / 1_000 + 5)
  expect(now - start).toBe(3_606_000)
})
