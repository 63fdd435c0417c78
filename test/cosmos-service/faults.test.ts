// faults.test.ts: trouble on demand, as the real client sees it.
// What a status says about a write: learn.microsoft.com/azure/cosmos-db/conceptual-resilient-sdk-applications.
import { ConsistencyLevel } from '@azure/cosmos'
import { describe, expect, test } from 'vitest'
import { failureOf, itemOf, models } from './places.ts'

describe.each(models)('faults $name', ({ open }) => {
  test('a dropped request was not served, a dropped answer was: the client cannot tell, and does not try again', async () => {
    await using opened = await open()
    const { container, service } = opened
    service.faults.inject({ fault: { kind: 'drop request' } })
    expect((await failureOf(container.items.create(itemOf('x', 'a')))).code).toBe('ECONNRESET')
    expect((await container.item('a', [7, 'x']).read()).statusCode).toBe(404)
    service.faults.inject({ fault: { kind: 'drop answer' } })
    expect((await failureOf(container.items.create(itemOf('x', 'a')))).code).toBe('ECONNRESET')
    expect((await container.item('a', [7, 'x']).read()).statusCode).toBe(200)
    expect(service.faults.count).toBe(2)
  })

  test('an answer that never comes is a timeout of the client, after the write took effect', async () => {
    await using opened = await open()
    const client = opened.connect({ connectionPolicy: { enableEndpointDiscovery: false, requestTimeout: 100 } })
    opened.service.faults.inject({ fault: { kind: 'withhold answer' } })
    const { items } = client.database('test').container('items')
    expect((await failureOf(items.create(itemOf('x', 'a')))).code).toBe('TimeoutError')
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(200)
  })

  test.each([410, 449, 503] as const)('%i was not processed, and a write is not tried again', async (status) => {
    await using opened = await open()
    opened.service.faults.inject({ fault: { kind: 'refuse', status } })
    expect((await failureOf(opened.container.items.create(itemOf('x', 'a')))).code).toBe(status)
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(404)
  })

  test.each([408, 500, 502, 504] as const)('%i says nothing about the write', async (status) => {
    await using opened = await open()
    for (const processed of [false, true]) {
      opened.service.faults.inject({ fault: { kind: 'fail', status, processed } })
      expect((await failureOf(opened.container.items.create(itemOf('x', 'a')))).code).toBe(status)
      const { statusCode } = await opened.container.item('a', [7, 'x']).read()
      expect(statusCode).toBe(processed ? 200 : 404)
    }
  })

  test('a storm of 429 is sat out by the client, which waits as long as it is told', async () => {
    await using opened = await open()
    opened.service.faults.inject({ fault: { kind: 'throttle', retryAfterMs: 20 }, times: 3 })
    const begin = performance.now()
    const { statusCode, headers } = await opened.container.items.create(itemOf('x', 'a'))
    expect(statusCode).toBe(201)
    expect(performance.now() - begin).toBeGreaterThanOrEqual(55)
    expect(headers).toMatchObject({ 'x-ms-throttle-retry-count': 3 })
  })

  test('a storm that does not end is an error after ten attempts', async () => {
    await using opened = await open()
    opened.service.faults.inject({ fault: { kind: 'throttle', retryAfterMs: 1 }, times: Number.POSITIVE_INFINITY })
    expect((await failureOf(opened.container.items.create(itemOf('x', 'a')))).code).toBe(429)
    expect(opened.service.faults.count).toBe(10)
  })

  test('a rule befalls the requests that it names, as often as it says', async () => {
    await using opened = await open()
    const { faults } = opened.service
    const stop = faults.inject({
      on: ({ operation, id }) => operation === 'replace' && id === 'a',
      fault: { kind: 'refuse', status: 503 },
      times: Number.POSITIVE_INFINITY,
    })
    await opened.container.items.create(itemOf('x', 'a'))
    await opened.container.items.create(itemOf('x', 'b'))
    const replace = (id: string): Promise<unknown> => opened.container.item(id, [7, 'x']).replace(itemOf('x', id))
    await replace('b')
    await failureOf(replace('a'))
    await failureOf(replace('a'))
    stop()
    await replace('a')
    expect(faults.count).toBe(2)
  })

  test('answers and requests may be late', async () => {
    await using opened = await open()
    for (const kind of ['delay answer', 'delay request'] as const) {
      opened.service.faults.inject({ fault: { kind, ms: 40 } })
      const begin = performance.now()
      await opened.container.items.create(itemOf('x', kind))
      expect(performance.now() - begin).toBeGreaterThanOrEqual(38)
    }
  })

  test('a stale read happens only at the levels that allow one', async () => {
    for (const [consistency, n] of [
      ['Eventual', 1],
      ['Strong', 2],
    ] as const) {
      await using opened = await open({}, { consistency, historyMs: 1_000 })
      await opened.container.items.create(itemOf('x', 'a', { n: 1 }))
      opened.advance(100)
      await opened.container.items.upsert(itemOf('x', 'a', { n: 2 }))
      opened.service.faults.inject({ fault: { kind: 'lag', ms: 50 } })
      expect((await opened.container.item('a', [7, 'x']).read()).resource).toMatchObject({ n })
    }
  })

  test('a lost session looks like an absent item until the substatus is looked at', async () => {
    await using opened = await open({}, { consistency: 'Session' })
    await opened.container.items.create(itemOf('x', 'a'))
    opened.service.faults.inject({ fault: { kind: 'lose session' } })
    const item = opened.container.item('a', [7, 'x'])
    expect(await item.read()).toMatchObject({ statusCode: 404, substatus: 1002 })
    expect((await item.read()).statusCode).toBe(200)
  })

  test('a batch over 5 s is given up, with nothing written (/azure/cosmos-db/transactional-batch, limitations)', async () => {
    await using opened = await open()
    const batch = (): Promise<{ code?: number | undefined }> =>
      opened.container.items.batch([{ operationType: 'Create', resourceBody: itemOf('x', 'a') }], [7, 'x'])
    opened.service.faults.inject({ fault: { kind: 'slow execution', ms: 5_001 } })
    expect((await failureOf(batch())).cause).toMatchObject({ code: 408 })
    opened.service.faults.inject({ fault: { kind: 'slow execution', ms: 5_000 } })
    expect((await batch()).code).toBe(200)
  })

  test('a failover loses the newest writes, and a session that saw them (/azure/reliability/reliability-cosmos-db-nosql)', async () => {
    await using opened = await open({}, { consistency: 'Session' })
    const client = opened.connect({ consistencyLevel: ConsistencyLevel.Session })
    const container = client.database('test').container('items')
    const first = await container.items.create(itemOf('x', 'a', { n: 1 }))
    const mark = opened.service.mark('test', 'items')
    const second = await container.items.upsert(itemOf('x', 'a', { n: 2 }))
    await container.items.create(itemOf('x', 'b'))
    opened.service.rollBack('test', 'items', mark)
    mark.release()
    expect(await container.item('a', [7, 'x']).read()).toMatchObject({ statusCode: 404, substatus: 1002 })
    const read = await opened.container.item('a', [7, 'x']).read()
    expect(read).toMatchObject({ etag: first.etag, resource: { n: 1 } })
    const again = await opened.container.items.upsert(itemOf('x', 'a', { n: 3 }))
    expect([first.etag, second.etag]).not.toContain(again.etag)
    expect((await opened.container.item('b', [7, 'x']).read()).statusCode).toBe(404)
  })

  test('history can be taken back to a while ago, and in one logical partition alone', async () => {
    await using opened = await open({}, { historyMs: 1_000 })
    for (const entity of ['x', 'y']) await opened.container.items.create(itemOf(entity, 'a', { n: 1 }))
    opened.advance(500)
    for (const entity of ['x', 'y']) await opened.container.items.upsert(itemOf(entity, 'a', { n: 2 }))
    opened.service.rollBack('test', 'items', { agoMs: 100 }, [7, 'x'])
    expect((await opened.container.item('a', [7, 'x']).read()).resource).toMatchObject({ n: 1 })
    expect((await opened.container.item('a', [7, 'y']).read()).resource).toMatchObject({ n: 2 })
    opened.advance(5_000)
    await opened.container.items.upsert(itemOf('y', 'a', { n: 3 }))
    expect(() => opened.service.rollBack('test', 'items', { lsn: 2 })).toThrow('mark it beforehand')
  })
})
