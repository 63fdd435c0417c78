// query.test.ts: the rules of queries and feeds. Pages are of learn.microsoft.com.
import type { Container } from '@azure/cosmos'
import { describe, expect, test } from 'vitest'
import { failureOf, itemOf, models, places, twoPaths } from './places.ts'

async function filled(container: Container): Promise<void> {
  for (const n of [3, 1, 2, 5, 4])
    await container.items.create(itemOf('x', `item-${n}`, { n, kind: n % 2 ? 'odd' : 'even' }))
  await container.items.create(itemOf('x', 'other', { n: '3' }))
  await container.items.create(itemOf('y', 'item-9', { n: 9, kind: 'odd' }))
  await container.items.create({ ...itemOf('x', 'item-8', { n: 8, kind: 'even' }), shard: 8 })
}

const idsOf = (rows: readonly { id?: string }[]): (string | undefined)[] => rows.map(({ id }) => id)

describe.each(places)('queries $name', ({ open }) => {
  test('see one logical partition where the whole key is given (/azure/cosmos-db/how-to-query-container)', async () => {
    await using opened = await open()
    await filled(opened.container)
    const ask = async (
      query: string,
      parameters: { name: string; value: string | number }[] = [],
    ): Promise<unknown[]> => {
      const { resources } = await opened.container.items
        .query({ query, parameters }, { partitionKey: [7, 'x'] })
        .fetchAll()
      return resources
    }
    const ids = async (where: string): Promise<unknown[]> => ask(`SELECT VALUE c.id FROM c WHERE ${where} ORDER BY c.n`)
    expect(await ids('c.n > 2')).toEqual(['item-3', 'item-4', 'item-5'])
    expect(await ids("c.kind = 'odd' AND NOT c.n = 3")).toEqual(['item-1', 'item-5'])
    expect(await ids('c.n IN (1, 4) OR c.n <= 2')).toEqual(['item-1', 'item-2', 'item-4'])
    expect(await ids("STARTSWITH(c.id, 'oth')")).toEqual(['other'])
    expect(await ids('NOT IS_DEFINED(c.kind)')).toEqual(['other'])
    expect(await ask('SELECT c.n, c.kind AS k FROM c WHERE c.n = @n', [{ name: '@n', value: 4 }])).toEqual([
      { n: 4, k: 'even' },
    ])
    expect(await ask('SELECT VALUE c.n FROM c ORDER BY c.n DESC OFFSET 1 LIMIT 2')).toEqual([5, 4])
  })

  test('leave out items whose value is of another type or absent (/azure/cosmos-db/nosql/query/equality-comparison-operators)', async () => {
    await using opened = await open()
    await filled(opened.container)
    const query = "SELECT VALUE c.id FROM c WHERE c.kind != 'odd' AND c.n >= 0"
    const { resources } = await opened.container.items.query(query, { partitionKey: [7, 'x'] }).fetchAll()
    expect(resources.toSorted()).toEqual(['item-2', 'item-4'])
  })

  test('take a prefix of the hierarchical key as a condition (/azure/cosmos-db/hierarchical-partition-keys, run a query)', async () => {
    await using opened = await open()
    await filled(opened.container)
    const { resources } = await opened.container.items
      .query({ query: 'SELECT * FROM c WHERE c.shard = @s AND c.n > 4', parameters: [{ name: '@s', value: 7 }] })
      .fetchAll()
    expect(idsOf(resources).toSorted()).toEqual(['item-5', 'item-9'])
  })

  test('come in pages that a token goes on from (/rest/api/cosmos-db/querying-cosmosdb-resources-using-the-rest-api)', async () => {
    await using opened = await open()
    await filled(opened.container)
    const options = { partitionKey: [7, 'x'], maxItemCount: 2 }
    const query = 'SELECT VALUE c.n FROM c WHERE c.n > 0 ORDER BY c.n'
    const first = await opened.container.items.query(query, options).fetchNext()
    expect(first.resources).toEqual([1, 2])
    await opened.container.item('item-1', [7, 'x']).delete()
    const { continuationToken } = first
    const second = await opened.container.items.query(query, { ...options, continuationToken }).fetchNext()
    expect(second.resources).toEqual([3, 4])
    const { resources } = await opened.container.items.query(query, options).fetchAll()
    expect(resources).toEqual([2, 3, 4, 5])
  })

  test('a list has all items of a partition, in pages (/rest/api/cosmos-db/list-documents)', async () => {
    await using opened = await open()
    await filled(opened.container)
    const { resources } = await opened.container.items.readAll({ partitionKey: [7, 'x'], maxItemCount: 4 }).fetchAll()
    expect(resources).toHaveLength(6)
    expect((await opened.container.items.readAll({ maxItemCount: 3 }).fetchAll()).resources).toHaveLength(8)
  })

  test('ORDER BY needs an index on its path (/azure/cosmos-db/nosql/query/order-by; 400 as users report it)', async () => {
    await using opened = await open({ indexingPolicy: twoPaths as never })
    await filled(opened.container)
    const ask = (path: string): Promise<unknown> =>
      opened.container.items.query(`SELECT * FROM c ORDER BY c.${path}`, { partitionKey: [7, 'x'] }).fetchAll()
    await ask('n')
    expect((await failureOf(ask('entity'))).code).toBe(400)
  })

  test('the change feed has each item once, as of its last write, in the order of writes, and no deletions (/azure/cosmos-db/change-feed-modes)', async () => {
    await using opened = await open()
    const { items } = opened.container
    for (const id of ['a', 'b', 'c']) await items.create(itemOf('x', id, { n: 1 }))
    await items.upsert(itemOf('x', 'a', { n: 2 }))
    await opened.container.item('c', [7, 'x']).delete()
    const feed = items.changeFeed([7, 'x'], { startFromBeginning: true })
    expect(idsOf((await feed.fetchNext()).result)).toEqual(['b', 'a'])
    expect((await feed.fetchNext()).statusCode).toBe(304)
    await items.upsert(itemOf('x', 'b', { n: 3 }))
    expect(idsOf((await feed.fetchNext()).result)).toEqual(['b'])
  })
})

describe.each(models)('what queries cannot do $name', ({ open }) => {
  test.each([
    'SELECT TOP 1 * FROM c',
    'SELECT DISTINCT c.n FROM c',
    'SELECT COUNT(1) FROM c',
    'SELECT * FROM c JOIN t IN c.tags',
    'SELECT * FROM c WHERE CONTAINS(c.id, "a")',
    'SELECT * FROM c WHERE c.n BETWEEN 1 AND 2',
    'SELECT * FROM c ORDER BY c.n, c.kind',
    'SELECT c.n + 1 AS m FROM c',
    'SELECT * FROM c WHERE c.a = {}',
  ])('%s is not implemented, and says so', async (query) => {
    await using opened = await open()
    expect(await failureOf(opened.container.items.query(query, { partitionKey: [7, 'x'] }).fetchAll())).toMatchObject({
      code: 501,
      message: expect.stringContaining('Not implemented'),
    })
  })

  test('an order over several partitions, and a prefix as an option, are not implemented', async () => {
    await using opened = await open()
    const { items } = opened.container
    const calls = [
      items.query('SELECT * FROM c ORDER BY c.n').fetchAll(),
      items.query('SELECT * FROM c WHERE c.shard = 7 OFFSET 0 LIMIT 1').fetchAll(),
      items.query('SELECT * FROM c', { partitionKey: [7] }).fetchAll(),
    ]
    for (const { code } of await Promise.all(calls.map(failureOf))) expect(code).toBe(501)
  })

  test("another query's token is refused", async () => {
    await using opened = await open()
    await filled(opened.container)
    const options = { partitionKey: [7, 'x'], maxItemCount: 1 }
    const { continuationToken } = await opened.container.items.query('SELECT * FROM c', options).fetchNext()
    const other = opened.container.items.query('SELECT c.n FROM c', { ...options, continuationToken })
    expect((await failureOf(other.fetchNext())).code).toBe(400)
  })
})
