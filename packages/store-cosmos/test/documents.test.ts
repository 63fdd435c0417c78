// documents.test.ts: what reads and writes answer, in the process, over HTTP and in a real account where
// COSMOS_ENDPOINT and COSMOS_KEY say which.
import { describe, expect, test } from 'vitest'
import type { ReadLevel } from '../src/client.ts'
import type { Document } from '../src/document.ts'
import { Documents, type DocumentsOptions } from '../src/documents.ts'
import { probesOf } from '../src/probes.ts'
import { judge, newTag, partitionOf, toldNothing, Writer } from './ledger.ts'
import { models, places } from './service.ts'
import { indexing, leaveAlone } from './stage.ts'

type Opened = Awaited<ReturnType<(typeof places)[number]['open']>>

const settings = { indexingPolicy: indexing } as never

async function documentsOf(opened: Opened, more: Partial<DocumentsOptions> = {}): Promise<Documents> {
  const documents = new Documents({ container: opened.container, indexed: ['shard', 'due'], ...more })
  const { resource } = await opened.client.getDatabaseAccount()
  documents.readAt(resource?.consistencyPolicy as ReadLevel)
  return documents
}

const head: Document = { ...partitionOf(7), id: 'head', tag: 'first', due: 3 }
const absent = { outcome: 'absent' }

describe.each(places)('documents $name', ({ open }) => {
  test('are read as they were written, with an etag', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened)
    expect(await documents.read(head, 'head')).toEqual(absent)
    const written = await documents.write({ kind: 'create', document: head })
    expect(written.outcome).toBe('ok')
    const read = await (await documentsOf(opened)).read(head, 'head')
    expect(read).toMatchObject({ outcome: 'ok', document: head })
    expect('etag' in read && read.etag).toBe('etag' in written && written.etag)
    expect(await documents.read({ ...head, entity: 'order/8' }, 'head')).toEqual(absent)
  })

  test('are replaced by who knows them as they are, and by nobody else', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened)
    const first = await documents.write({ kind: 'create', document: head })
    const etag = 'etag' in first ? first.etag : ''
    const second = await documents.write({ kind: 'replace', document: { ...head, tag: 'second' }, etag })
    expect(second.outcome).toBe('ok')
    expect(await documents.write({ kind: 'replace', document: { ...head, tag: 'third' }, etag })).toMatchObject({
      outcome: 'conflict',
      status: 412,
      culprit: 0,
      isSure: true,
      found: { document: { tag: 'second' }, etag: 'etag' in second && second.etag },
    })
    expect(await documents.write({ kind: 'create', document: { ...head, tag: 'fourth' } })).toMatchObject({
      outcome: 'conflict',
      status: 409,
      found: { document: { tag: 'second' } },
    })
    const nowhere = { ...head, id: 'nowhere' }
    expect(await documents.write({ kind: 'replace', document: nowhere, etag })).toEqual({ ...absent, isSure: true })
  })

  test('of a batch are written all, or none: the culprit is told', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened)
    const item = (id: string): Document => ({ ...partitionOf(7), id, tag: newTag() })
    const made = await documents.batch([
      { kind: 'create', document: head },
      { kind: 'create', document: item('a') },
      { kind: 'upsert', document: item('b') },
    ])
    const etag = 'etag' in made ? made.etag : ''
    expect(made.outcome).toBe('ok')
    const next = { ...head, tag: 'second' }
    const refused = await documents.batch([
      { kind: 'replace', document: next, etag },
      { kind: 'delete', id: 'a' },
      { kind: 'create', document: item('b') },
    ])
    expect(refused).toMatchObject({ outcome: 'conflict', status: 409, culprit: 2, found: { document: head } })
    const without = await documents.batch([
      { kind: 'replace', document: next, etag },
      { kind: 'delete', id: 'none' },
    ])
    expect(without).toMatchObject({ outcome: 'conflict', status: 404, culprit: 1 })
    expect((await documents.read(head, 'a')).outcome).toBe('ok')
    const done = await documents.batch([
      { kind: 'replace', document: next, etag },
      { kind: 'delete', id: 'a' },
    ])
    expect(done.outcome).toBe('ok')
    expect(await documents.read(head, 'a')).toEqual(absent)
    const stale = await documents.batch([
      { kind: 'replace', document: { ...head, tag: 'late' }, etag },
      { kind: 'delete', id: 'b' },
    ])
    expect(stale).toMatchObject({ outcome: 'conflict', status: 412, culprit: 0, found: { document: next } })
    const gone = { ...partitionOf(8), id: 'head', tag: 'x' }
    expect(await documents.batch([{ kind: 'replace', document: gone, etag }])).toEqual({ ...absent, isSure: true })
  })

  test('are found by shard and by what is indexed, page by page', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened)
    for (let n = 0; n < 9; n += 1) {
      const document = { shard: n % 2, entity: `order/${n}`, id: 'head', tag: newTag(), due: n }
      await documents.write({ kind: 'create', document })
    }
    const all = async (query: Parameters<Documents['query']>[0]): Promise<{ pages: number; entities: string[] }> => {
      const entities: string[] = []
      let pages = 0
      let continuation: string | undefined
      do {
        const page = await documents.query({ ...query, continuation })
        entities.push(...page.documents.map(({ entity }) => entity))
        continuation = page.continuation
        pages += 1
      } while (continuation !== undefined)
      return { pages, entities: entities.toSorted() }
    }
    const odd = ['order/1', 'order/3', 'order/5', 'order/7']
    const byShard = await all({ shard: 1, most: 3 })
    expect(byShard.entities).toEqual(odd)
    expect(byShard.pages).toBeGreaterThan(1)
    const early = await all({ where: [{ property: 'due', is: '<=', value: 2 }] })
    expect(early.entities).toEqual(['order/0', 'order/1', 'order/2'])
    const both = await all({ shard: 1, where: [{ property: 'due', is: '>', value: 3 }], most: 1 })
    expect(both.entities).toEqual(['order/5', 'order/7'])
    await expect(documents.query({ where: [{ property: 'color', is: '=', value: 1 }] })).rejects.toThrow(TypeError)
  })

  test('are charged for, by kind of call', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened)
    await documents.write({ kind: 'create', document: head })
    await documents.read(head, 'head')
    await documents.query({ shard: head.shard })
    const { create, read, query, replace } = documents.charges
    expect(create).toMatchObject({ requests: 1, throttled: 0, unheard: 0 })
    for (const { requestUnits } of [create, read, query]) expect(requestUnits).toBeGreaterThan(0)
    expect(replace).toEqual({ requests: 0, requestUnits: 0, throttled: 0, unheard: 0 })
  })

  test('stand in a container that passes its probes, and keeps nothing of them', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened)
    const draw = (): string => crypto.randomUUID()
    const probes = await probesOf({ container: opened.container, documents, indexed: ['shard', 'due'], draw })
    expect(probes.filter(({ passed }) => !passed)).toEqual([])
    expect((await documents.query({})).documents).toEqual([])
  })
})

describe.each(models)('documents of the model $name', ({ open }) => {
  test('are settled when answers are lost, one way or another', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened, { attemptMs: 300 })
    const { faults } = opened.service
    for (const kind of ['create', 'replace', 'batch'] as const) {
      const told = toldNothing()
      const writer = new Writer(documents, partitionOf(1), told)
      for (const fault of ['drop answer', 'drop request', 'withhold answer'] as const) {
        faults.inject({ on: ({ operation }) => operation === kind, fault: { kind: fault } })
        await writer.write(kind)
        await writer.write(kind)
      }
      expect(told.done).toHaveLength(6)
    }
    expect(faults.count).toBe(9)
  })

  test('survive 429, 449, 500 and 503, and a lost session', async () => {
    await using opened = await open(settings)
    const client = opened.connect({ connectionPolicy: leaveAlone })
    const documents = new Documents({ container: client.database('test').container('items') })
    const { faults } = opened.service
    const on = ({ operation }: { operation: string }): boolean => operation === 'batch'
    faults.inject({ on, fault: { kind: 'throttle', retryAfterMs: 30 }, times: 3 })
    faults.inject({ on, fault: { kind: 'refuse', status: 449 } })
    faults.inject({ on, fault: { kind: 'refuse', status: 503 } })
    faults.inject({ on, fault: { kind: 'fail', status: 500, processed: true } })
    const told = toldNothing()
    await new Writer(documents, partitionOf(1), told).write('batch')
    expect(told.done).toHaveLength(1)
    faults.inject({ on: ({ operation }) => operation === 'read', fault: { kind: 'lose session' } })
    expect((await documents.read(partitionOf(1), 'head')).outcome).toBe('ok')
    await judge(documents, partitionOf(1), told, 'batch')
    expect(documents.charges.batch).toMatchObject({ requests: 6, throttled: 3 })
  })

  test('cost what the client repeats on its own, too', async () => {
    await using opened = await open(settings)
    const documents = await documentsOf(opened)
    opened.service.faults.inject({ fault: { kind: 'throttle', retryAfterMs: 5 }, times: 2 })
    await documents.write({ kind: 'create', document: head })
    expect(documents.charges.create).toMatchObject({ requests: 3, throttled: 2 })
  })
})
