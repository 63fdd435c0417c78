// charges.test.ts: what operations cost, and what happens where there is no more.
// The page is learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption. Only of the model: real charges
// change over time, as the page says.
import { describe, expect, test } from 'vitest'
import { failureOf, itemOf, models, twoPaths } from './places.ts'

const body = (bytes: number, n = 1): Record<string, unknown> => {
  const empty = JSON.stringify(itemOf('x', 'a', { kind: 'k', n, body: '' })).length
  return itemOf('x', 'a', { kind: 'k', n, body: 'x'.repeat(bytes - empty) })
}

/** Gives up at the first 429. */
const impatient = {
  enableEndpointDiscovery: false,
  retryOptions: { maxRetryAttemptCount: 0, fixedRetryIntervalInMilliseconds: 0, maxWaitTimeInSeconds: 0 },
}

describe.each(models)('charges $name', ({ open }) => {
  test('of an item of 1 KB with two indexed paths', async () => {
    await using opened = await open({ indexingPolicy: twoPaths as never }, { consistency: 'Session' })
    const { items } = opened.container
    const item = opened.container.item('a', [7, 'x'])
    const charges = {
      create: (await items.create(body(1_024))).requestCharge,
      read: (await item.read()).requestCharge,
      'replace, index unchanged': (await item.replace(body(1_024) as never)).requestCharge,
      'replace, one index changed': (await item.replace(body(1_024, 2) as never)).requestCharge,
      patch: (await item.patch([{ op: 'set', path: '/n', value: 3 }])).requestCharge,
      delete: (await item.delete()).requestCharge,
      absent: (await item.read()).requestCharge,
    }
    expect(charges).toEqual({
      create: 5.35,
      read: 1,
      'replace, index unchanged': 9.9,
      'replace, one index changed': 10.3,
      patch: 10.7,
      delete: 5.35,
      absent: 1,
    })
  })

  test('grow with the size as in the table, on a line between its rows', async () => {
    await using opened = await open(
      { indexingPolicy: { ...twoPaths, includedPaths: [] } as never },
      { consistency: 'Session' },
    )
    const charges: number[] = []
    for (const kb of [1, 2, 3, 16, 100, 1_024]) {
      const created = await opened.container.items.create(body(kb * 1_024))
      const read = await opened.container.item('a', [7, 'x']).read()
      charges.push(created.requestCharge, read.requestCharge)
      await opened.container.item('a', [7, 'x']).delete()
    }
    expect(charges).toEqual([4.95, 1, 6.29, 1.04, 6.48, 1.09, 9.52, 1.67, 37.03, 7.68, 625, 145.9])
  })

  test('of reads are double at strong consistency and bounded staleness (/azure/cosmos-db/request-units)', async () => {
    for (const consistency of ['Strong', 'BoundedStaleness'] as const) {
      await using opened = await open({}, { consistency })
      await opened.container.items.create(itemOf('x', 'a'))
      expect((await opened.container.item('a', [7, 'x']).read()).requestCharge).toBe(2)
    }
  })

  test('of a batch are those of its operations together; a path that is indexed costs where it is absent, too (/azure/cosmos-db/index-policy)', async () => {
    await using opened = await open({ indexingPolicy: twoPaths as never })
    const { result, headers } = await opened.container.items.batch(
      ['a', 'b'].map((id) => ({ operationType: 'Create', resourceBody: itemOf('x', id) }) as const),
      [7, 'x'],
    )
    expect(result?.map(({ requestCharge }) => requestCharge)).toEqual([5.35, 5.35])
    expect(headers).toMatchObject({ 'x-ms-request-charge': '10.7' })
    expect(opened.service.usage.requestUnits).toBeCloseTo(10.7)
  })

  test('over what is provisioned are refused with 429 and a time to wait, and nothing is written (/azure/cosmos-db/troubleshoot-request-rate-too-large)', async () => {
    await using opened = await open({ throughput: 400, indexingPolicy: twoPaths as never })
    const client = opened.connect({
      connectionPolicy: impatient,
    })
    const { items } = client.database('test').container('items')
    const createdIn = async (ms: number): Promise<number> => {
      let created = 0
      for (let at = 0; at < ms; at += 50) {
        for (let n = 0; n < 5; n += 1) {
          try {
            await items.create(itemOf('x', crypto.randomUUID(), { body: 'x'.repeat(64 * 1_024 - 100) }))
            created += 1
          } catch (error) {
            expect(error).toMatchObject({ code: 429, substatus: 3200 })
          }
        }
        opened.advance(50)
      }
      return created
    }
    // 1200 units in three seconds are 52 creates of 23.07; the one that begins before they are used up is let in. Were
    // nothing owed from second to second, it were 54.
    expect(await createdIn(3_000)).toBe(53)
    await createdIn(500)
    const refused = await failureOf(items.create(itemOf('x', 'last')))
    expect(refused).toMatchObject({ code: 429, retryAfterInMs: 500 })
    opened.advance(2_000)
    expect((await opened.container.item('last', [7, 'x']).read()).statusCode).toBe(404)
  })

  test('of one logical partition are bound by 10,000 a second, whatever its container has (/azure/cosmos-db/concepts-limits)', async () => {
    await using opened = await open({ throughput: 20_000, indexingPolicy: twoPaths as never })
    const client = opened.connect({ connectionPolicy: impatient })
    const { items } = client.database('test').container('items')
    const create = (entity: string): Promise<unknown> =>
      items.create(itemOf(entity, crypto.randomUUID(), { body: 'x'.repeat(1_000_000) }))
    // 584.52 each.
    for (let n = 0; n < 18; n += 1) await create('x')
    expect((await failureOf(create('x'))).code).toBe(429)
    await create('y')
  })

  test('a container has at least 400 request units a second (/azure/cosmos-db/concepts-limits)', async () => {
    await using opened = await open()
    const { database } = opened.container
    expect(
      (await failureOf(database.containers.create({ id: 'small', partitionKey: '/p', throughput: 300 }))).code,
    ).toBe(400)
  })
})
