// limits.test.ts: what is too much for one write is refused before anything is sent.
import { expect, test } from 'vitest'
import type { Batch, ConditionalWrite, FurtherWrite } from '../src/document.ts'
import { partitionOf } from './ledger.ts'
import { openStage } from './stage.ts'

const first: ConditionalWrite = { kind: 'create', document: { ...partitionOf(1), id: 'head', tag: 'a' } }
const item = (id: string, bytes: number): FurtherWrite => ({
  kind: 'create',
  document: { ...partitionOf(1), id, tag: 'a', body: 'x'.repeat(bytes) },
})
const megabyte = 1024 * 1024

test('a hundred operations are written, one more is LIMIT_EXCEEDED', async () => {
  const { time, service, documents } = await openStage()
  const batch = (count: number): Batch => [
    first,
    ...Array.from({ length: count - 1 }, (_, index) => item(`i${index}`, 10)),
  ]
  service.usage.reset()
  await expect(documents.batch(batch(101))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    details: { found: 101, limit: 100 },
  })
  expect(service.usage.requests).toBe(0)
  expect((await time.run(documents.batch(batch(100)))).outcome).toBe('ok')
})

test('2 MB are written, more is LIMIT_EXCEEDED, in one document or in a batch', async () => {
  const { time, service, documents } = await openStage()
  service.usage.reset()
  const large = { ...first.document, body: 'x'.repeat(2 * megabyte) }
  await expect(documents.write({ kind: 'create', document: large })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  const two: Batch = [first, item('a', megabyte), item('b', megabyte)]
  await expect(documents.batch(two)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  expect(service.usage.requests).toBe(0)
  const nearly = { ...first.document, body: 'x'.repeat(2 * megabyte - 5_000) }
  expect((await time.run(documents.write({ kind: 'create', document: nearly }))).outcome).toBe('ok')
  const fitting: Batch = [
    { kind: 'create', document: { ...first.document, id: 'other' } },
    item('a', megabyte - 3_000),
    item('b', megabyte - 3_000),
  ]
  expect((await time.run(documents.batch(fitting))).outcome).toBe('ok')
})

test('signs that grow on the wire count as what they become', async () => {
  const { service, documents } = await openStage()
  service.usage.reset()
  const document = { ...first.document, body: '\u2028'.repeat(megabyte / 2) }
  await expect(documents.write({ kind: 'create', document })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  expect(service.usage.requests).toBe(0)
})

test('a query takes two round trips: the client asks for a plan beside it, which costs no units', async () => {
  const { time, service, documents } = await openStage()
  service.usage.reset()
  await time.run(documents.query({ shard: 1 }))
  expect(service.usage.requests).toBe(2)
  expect(service.usage.requestUnits).toBe(documents.charges.query.requestUnits)
})

test('what a document of 1 KB costs, by kind of call', async () => {
  const { time, documents, another } = await openStage()
  const document = { ...partitionOf(1), id: 'head', tag: 'first', due: 1, body: 'x'.repeat(940) }
  const made = await time.run(documents.write({ kind: 'create', document }))
  const etag = 'etag' in made ? made.etag : ''
  const replaced = await time.run(documents.write({ kind: 'replace', document: { ...document, tag: 'second' }, etag }))
  const next = 'etag' in replaced ? replaced.etag : ''
  await time.run(documents.read(document, 'head'))
  await time.run(documents.query({ shard: document.shard }))
  const units = (kind: keyof typeof documents.charges): number => documents.charges[kind].requestUnits
  expect({ create: units('create'), replace: units('replace'), read: units('read'), query: units('query') }).toEqual({
    create: 5.35,
    replace: 9.9,
    read: 2,
    query: 4.3,
  })
  await time.run(
    documents.batch([
      { kind: 'replace', document: { ...document, tag: 'third' }, etag: next },
      { kind: 'create', document: { ...document, id: 'item' } },
    ]),
  )
  expect(units('batch')).toBe(15.25)
  const other = another()
  await time.run(other.write({ kind: 'replace', document: { ...document, tag: 'late' }, etag: next }))
  expect(other.charges.replace.requestUnits).toBe(1)
  expect(other.charges.settle.requestUnits).toBe(2)
})
