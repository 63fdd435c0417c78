// batch.test.ts: the rules of the transactional batch. The page is learn.microsoft.com/azure/cosmos-db/transactional-batch.
import type { OperationInput } from '@azure/cosmos'
import { describe, expect, test } from 'vitest'
import { failureOf, itemOf, places } from './places.ts'

describe.each(places)('a batch $name', ({ open }) => {
  test('does all of its operations in their order, each seeing those before it', async () => {
    await using opened = await open()
    const { items } = opened.container
    await items.create(itemOf('x', 'old', { n: 1 }))
    const { code, result } = await items.batch(
      [
        { operationType: 'Create', resourceBody: itemOf('x', 'a', { n: 1 }) },
        { operationType: 'Upsert', resourceBody: itemOf('x', 'b', { n: 1 }) },
        { operationType: 'Replace', id: 'a', resourceBody: itemOf('x', 'a', { n: 2 }) },
        { operationType: 'Patch', id: 'b', resourceBody: { operations: [{ op: 'incr', path: '/n', value: 5 }] } },
        { operationType: 'Read', id: 'a' },
        { operationType: 'Delete', id: 'old' },
      ],
      [7, 'x'],
    )
    expect(code).toBe(200)
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([201, 201, 200, 200, 200, 204])
    expect(result?.[4]?.resourceBody).toMatchObject({ id: 'a', n: 2 })
    const { resource } = await opened.container.item('b', [7, 'x']).read()
    expect(resource).toMatchObject({ n: 6 })
    expect(resource?._etag).toBe(result?.[3]?.eTag)
    expect((await opened.container.item('old', [7, 'x']).read()).statusCode).toBe(404)
  })

  test('does nothing where one fails: its own status for it, 424 for all others', async () => {
    await using opened = await open()
    const { items } = opened.container
    const { etag } = await items.create(itemOf('x', 'head', { n: 1 }))
    await items.create(itemOf('x', 'taken'))
    const before = (await opened.container.item('head', [7, 'x']).read()).etag
    const { code, result } = await items.batch(
      [
        { operationType: 'Replace', id: 'head', ifMatch: etag, resourceBody: itemOf('x', 'head', { n: 2 }) },
        { operationType: 'Create', resourceBody: itemOf('x', 'new') },
        { operationType: 'Create', resourceBody: itemOf('x', 'taken') },
        { operationType: 'Delete', id: 'head' },
      ],
      [7, 'x'],
    )
    expect(code).toBe(207)
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([424, 424, 409, 424])
    expect((await opened.container.item('new', [7, 'x']).read()).statusCode).toBe(404)
    expect((await opened.container.item('head', [7, 'x']).read()).etag).toBe(before)
  })

  test('whose first operation is conditional fails whole with 412', async () => {
    await using opened = await open()
    const { items } = opened.container
    const { etag } = await items.create(itemOf('x', 'head', { n: 1 }))
    const attempt = (): OperationInput[] => [
      { operationType: 'Replace', id: 'head', ifMatch: etag, resourceBody: itemOf('x', 'head', { n: 2 }) },
      { operationType: 'Create', resourceBody: itemOf('x', crypto.randomUUID()) },
    ]
    expect((await items.batch(attempt(), [7, 'x'])).code).toBe(200)
    const second = await items.batch(attempt(), [7, 'x'])
    expect(second.result?.map(({ statusCode }) => statusCode)).toEqual([412, 424])
  })

  test('answers without the items where the client does not want them (observed with the SDK: Prefer: return=minimal)', async () => {
    await using opened = await open()
    const { result } = await opened.container.items.batch(
      [{ operationType: 'Create', resourceBody: itemOf('x', 'a') }],
      [7, 'x'],
      { contentResponseOnWriteEnabled: false },
    )
    expect(result?.[0]).toMatchObject({ statusCode: 201, eTag: expect.any(String) })
    expect(result?.[0]?.resourceBody).toBeUndefined()
  })

  test('honours the etag of a delete, which the types leave out (observed with the SDK)', async () => {
    await using opened = await open()
    const { items } = opened.container
    const { etag } = await items.create(itemOf('x', 'a'))
    await items.upsert(itemOf('x', 'a', { n: 2 }))
    const conditional = { operationType: 'Delete', id: 'a', ifMatch: etag } as unknown as OperationInput
    const { result } = await items.batch([conditional], [7, 'x'])
    expect(result?.map(({ statusCode }) => statusCode)).toEqual([412])
  })

  test('is about one logical partition', async () => {
    await using opened = await open()
    const { code } = await opened.container.items.batch(
      [
        { operationType: 'Create', resourceBody: itemOf('x', 'a') },
        { operationType: 'Create', resourceBody: itemOf('y', 'b') },
      ],
      [7, 'x'],
    )
    expect(code).toBe(207)
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(404)
  })

  test('has at most 100 operations', async () => {
    await using opened = await open()
    const operations = (count: number): OperationInput[] =>
      Array.from({ length: count }, (_, n) => ({ operationType: 'Create', resourceBody: itemOf('x', `a${n}`) }))
    expect((await opened.container.items.batch(operations(100), [7, 'x'])).code).toBe(200)
    await expect(opened.container.items.batch(operations(101), [7, 'y'])).rejects.toThrow('more than 100 operations')
  })

  test('has at most 2 MB', async () => {
    await using opened = await open()
    const body = 'x'.repeat(1_100_000)
    const call = opened.container.items.batch(
      [
        { operationType: 'Create', resourceBody: itemOf('x', 'a', { body }) },
        { operationType: 'Create', resourceBody: itemOf('x', 'b', { body }) },
      ],
      [7, 'x'],
    )
    const { cause } = await failureOf(call)
    expect(cause).toMatchObject({ code: 413 })
    expect((await opened.container.item('a', [7, 'x']).read()).statusCode).toBe(404)
  })
})
