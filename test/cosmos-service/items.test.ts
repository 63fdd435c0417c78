// items.test.ts: the rules of single items. Pages are of learn.microsoft.com.
import { describe, expect, test } from 'vitest'
import { failureOf, ifMatch, itemOf, places } from './places.ts'

describe.each(places)('items $name', ({ open }) => {
  test('a created item is read by its id and whole partition key (/rest/api/cosmos-db/get-a-document)', async () => {
    await using opened = await open()
    const { container } = opened
    const { statusCode, etag } = await container.items.create(itemOf('payment/42', 'a', { cents: 12 }))
    expect(statusCode).toBe(201)
    const read = await container.item('a', [7, 'payment/42']).read()
    expect(read.statusCode).toBe(200)
    expect(read.etag).toBe(etag)
    expect(read.resource).toMatchObject({ id: 'a', shard: 7, entity: 'payment/42', cents: 12, _etag: etag })
    expect(Number.isInteger(read.resource?._ts)).toBe(true)
    expect((await container.item('a', [7, 'payment/43']).read()).statusCode).toBe(404)
    expect((await container.item('a', [8, 'payment/42']).read()).statusCode).toBe(404)
  })

  test('an id is taken once in a logical partition, and free in another (/rest/api/cosmos-db/http-status-codes-for-cosmosdb 409)', async () => {
    await using opened = await open()
    const { items } = opened.container
    await items.create(itemOf('x', 'a'))
    expect((await failureOf(items.create(itemOf('x', 'a')))).code).toBe(409)
    expect((await items.create(itemOf('y', 'a'))).statusCode).toBe(201)
  })

  test('every write gives a new etag; a write with an old one is refused with 412 and changes nothing (/azure/cosmos-db/database-transactions-optimistic-concurrency)', async () => {
    await using opened = await open()
    const { container } = opened
    const first = await container.items.create(itemOf('x', 'a', { n: 1 }))
    const item = container.item('a', [7, 'x'])
    const second = await item.replace(itemOf('x', 'a', { n: 2 }), ifMatch(first.etag))
    expect(second.statusCode).toBe(200)
    expect(second.etag).not.toBe(first.etag)
    const refused = [
      item.replace(itemOf('x', 'a', { n: 3 }), ifMatch(first.etag)),
      item.delete(ifMatch(first.etag)),
      item.patch([{ op: 'set', path: '/n', value: 3 }], ifMatch(first.etag)),
      container.items.upsert(itemOf('x', 'a', { n: 3 }), ifMatch(first.etag)),
    ]
    for (const { code } of await Promise.all(refused.map(failureOf))) expect(code).toBe(412)
    const read = await item.read()
    expect(read.resource).toMatchObject({ n: 2 })
    expect(read.etag).toBe(second.etag)
    expect((await item.delete(ifMatch(second.etag))).statusCode).toBe(204)
    expect((await item.read()).statusCode).toBe(404)
  })

  test('what is not there cannot be replaced, patched or deleted (/rest/api/cosmos-db/replace-a-document 404)', async () => {
    await using opened = await open()
    const item = opened.container.item('a', [7, 'x'])
    const calls = [item.replace(itemOf('x', 'a')), item.patch([{ op: 'set', path: '/n', value: 1 }]), item.delete()]
    for (const { code } of await Promise.all(calls.map(failureOf))) expect(code).toBe(404)
  })

  test('a read of what has not changed since is answered with 304 and no item (/rest/api/cosmos-db/get-a-document, If-None-Match)', async () => {
    await using opened = await open()
    const { etag } = await opened.container.items.create(itemOf('x', 'a'))
    const accessCondition = { type: 'IfNoneMatch', condition: etag }
    const again = await opened.container.item('a', [7, 'x']).read({ accessCondition })
    expect(again.statusCode).toBe(304)
    expect(again.resource).toBeNull()
  })

  test('an upsert creates with 201 or replaces with 200 (/rest/api/cosmos-db/create-a-document, x-ms-documentdb-is-upsert)', async () => {
    await using opened = await open()
    const { items } = opened.container
    expect((await items.upsert(itemOf('x', 'a', { n: 1 }))).statusCode).toBe(201)
    const second = await items.upsert(itemOf('x', 'a', { n: 2 }))
    expect(second.statusCode).toBe(200)
    expect(second.resource).toMatchObject({ n: 2 })
  })

  test('an upsert with If-Match creates what is not there (github.com/Azure/azure-cosmos-dotnet-v3/issues/1698)', async () => {
    await using opened = await open()
    const { items } = opened.container
    const other = await items.create(itemOf('x', 'b'))
    expect((await items.upsert(itemOf('x', 'a'), ifMatch(other.etag))).statusCode).toBe(201)
  })

  test('a patch adds, sets, replaces, removes and counts (/azure/cosmos-db/partial-document-update)', async () => {
    await using opened = await open()
    await opened.container.items.create(itemOf('x', 'a', { n: 1, gone: true, deep: { m: 1 } }))
    const item = opened.container.item('a', [7, 'x'])
    const { resource } = await item.patch([
      { op: 'incr', path: '/n', value: 4 },
      { op: 'remove', path: '/gone' },
      { op: 'set', path: '/deep/m', value: 2 },
      { op: 'add', path: '/new', value: 'n' },
    ])
    expect(resource).toMatchObject({ n: 5, deep: { m: 2 }, new: 'n' })
    expect(resource).not.toHaveProperty('gone')
    expect((await failureOf(item.patch([{ op: 'replace', path: '/none', value: 1 }]))).code).toBe(400)
    const eleven = Array.from({ length: 11 }, () => ({ op: 'incr', path: '/n', value: 1 }) as const)
    expect((await failureOf(item.patch(eleven))).code).toBe(400)
  })

  test('an item may have 2 MB, and no more: 413 (/azure/cosmos-db/concepts-limits, per-item limits)', async () => {
    await using opened = await open()
    const { items } = opened.container
    const { code } = await failureOf(items.create(itemOf('x', 'a', { body: 'x'.repeat(2 * 1024 * 1024) })))
    expect(code).toBe(413)
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(404)
  })

  test('the key in the item and the key of the request are the same (/azure/cosmos-db/troubleshoot-bad-request)', async () => {
    await using opened = await open()
    await opened.container.items.create(itemOf('x', 'a'))
    const { code } = await failureOf(opened.container.item('a', [7, 'x']).replace(itemOf('y', 'a')))
    expect(code).toBe(400)
  })

  test('a point read needs all levels of a hierarchical key (/azure/cosmos-db/hierarchical-partition-keys)', async () => {
    await using opened = await open()
    await opened.container.items.create(itemOf('x', 'a'))
    expect((await failureOf(opened.container.item('a', [7]).read())).code).toBe(400)
  })

  test('containers and databases: 409 where taken, 404 where not there (/rest/api/cosmos-db/create-a-collection)', async () => {
    await using opened = await open()
    const { client, container } = opened
    const { database } = container
    const { resource } = await container.read()
    expect(resource?.partitionKey).toMatchObject({ paths: ['/shard', '/entity'], kind: 'MultiHash', version: 2 })
    expect((await failureOf(database.containers.create({ id: 'items', partitionKey: '/p' }))).code).toBe(409)
    expect((await failureOf(database.container('none').read())).code).toBe(404)
    expect((await failureOf(client.database('none').read())).code).toBe(404)
    const { resources } = await database.containers.readAll().fetchAll()
    expect(resources.map(({ id }) => id)).toEqual(['items'])
    expect((await container.delete()).statusCode).toBe(204)
    expect((await failureOf(container.read())).code).toBe(404)
  })
})
