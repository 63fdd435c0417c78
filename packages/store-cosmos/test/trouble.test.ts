// trouble.test.ts: a service that fails in every way it has, and what each status means.
import type { OperationInput } from '@azure/cosmos'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../src/document.ts'
import { failureOf, fateOf } from '../src/failure.ts'
import { judge, kinds, partitionOf, toldNothing, Writer } from './ledger.ts'
import { openStage } from './stage.ts'

type Fault = Parameters<Awaited<ReturnType<typeof openStage>>['service']['faults']['inject']>[0]['fault']

const troubles: readonly Fault[] = [
  { kind: 'refuse', status: 410 },
  { kind: 'refuse', status: 449 },
  { kind: 'refuse', status: 503 },
  ...([408, 500, 502, 504] as const).flatMap((status): Fault[] => [
    { kind: 'fail', status, processed: true },
    { kind: 'fail', status, processed: false },
  ]),
]

test.each(kinds)('a fifth of all calls fails: every %s has its end, none is lost or doubled', async (kind) => {
  const { time, service, documents, another } = await openStage({ seed: 5 })
  // One after the other each takes an equal part of the fifth.
  troubles.forEach((fault, index) => {
    const share = 0.2 / troubles.length
    service.faults.inject({ fault, probability: share / (1 - share * index), times: Number.POSITIVE_INFINITY })
  })
  const all = Array.from({ length: 100 }, toldNothing)
  const work = all.map(async (told, index) => {
    const writer = new Writer(documents, partitionOf(index), told)
    for (let round = 0; round < 30; round += 1) await writer.write(kind)
  })
  await time.run(Promise.all(work))
  expect(service.faults.count).toBeGreaterThan(600)
  service.faults.clear()
  await time.run(Promise.all(all.map((told, index) => judge(another(), partitionOf(index), told, kind))))
  expect(all.reduce((sum, { done }) => sum + done.length, 0)).toBe(3_000)
})

describe('404', () => {
  test('of a session that the replica has not got is not absence: it is read again', async () => {
    const { time, service, documents } = await openStage()
    const document = { ...partitionOf(1), id: 'head', tag: 'a' }
    await time.run(documents.write({ kind: 'create', document }))
    service.faults.inject({ on: ({ operation }) => operation === 'read', fault: { kind: 'lose session' }, times: 3 })
    expect(await time.run(documents.read(document, 'head'))).toMatchObject({ outcome: 'ok', document })
    expect(service.faults.count).toBe(3)
    service.faults.inject({
      on: ({ operation }) => operation === 'read',
      fault: { kind: 'lose session' },
      times: Number.POSITIVE_INFINITY,
    })
    await expect(time.run(documents.read(document, 'head'))).rejects.toMatchObject({
      code: 'STORE_FAILED',
      details: { status: 404, substatus: 1_002 },
    })
  })

  test('without a substatus is absence, of a document alone', async () => {
    const { time, documents } = await openStage()
    expect(await time.run(documents.read(partitionOf(1), 'head'))).toEqual({ outcome: 'absent' })
  })

  test('of a container that is gone is refused for good', async () => {
    const { time, container, documents } = await openStage()
    await time.run(container.delete())
    const document = { ...partitionOf(1), id: 'head', tag: 'a' }
    const unfit = { code: 'STORE_UNFIT', details: { probe: 'container' } }
    await expect(time.run(documents.read(document, 'head'))).rejects.toMatchObject(unfit)
    await expect(time.run(documents.write({ kind: 'create', document }))).rejects.toMatchObject(unfit)
    await expect(time.run(documents.batch([{ kind: 'create', document }]))).rejects.toMatchObject(unfit)
  })
})

describe('a batch', () => {
  const document = { ...partitionOf(1), id: 'head', tag: 'a' }
  const note = { ...partitionOf(1), id: 'note', tag: 'a' }
  const batch: Batch = [
    { kind: 'create', document },
    { kind: 'create', document: note },
  ]

  /** Answers come from a list, and after that from the service. `done`: after the service has done it. */
  async function answering(
    answers: readonly { code: number; result: { statusCode: number; eTag?: string }[]; done?: boolean }[],
  ): Promise<{ outcome: string; sent: number; charge: number }> {
    const { time, container, another } = await openStage()
    let sent = 0
    const items = {
      batch: async (operations: OperationInput[], ...given: [never, never]): Promise<unknown> => {
        const answer = answers[sent]
        sent += 1
        if (answer === undefined) return await container.items.batch(operations, ...given)
        if (answer.done) await container.items.batch(operations, ...given)
        return { ...answer, headers: { 'x-ms-request-charge': '2' } }
      },
    }
    const item = (...given: Parameters<typeof container.item>): unknown => container.item(...given)
    const documents = another({ container: { items, item } as never })
    const { outcome } = await time.run(documents.batch(batch))
    return { outcome, sent, charge: documents.charges.batch.requestUnits }
  }

  test.each([429, 449, 503])('with an operation that was told %i is sent again', async (status) => {
    const refused = { code: 207, result: [{ statusCode: 424 }, { statusCode: status }] }
    expect(await answering([refused, refused])).toMatchObject({ outcome: 'ok', sent: 3 })
  })

  test.each([
    ['one result for two operations', { code: 200, result: [{ statusCode: 201, eTag: '"x"' }] }],
    ['no results', { code: 200, result: [] }],
    ['no culprit', { code: 207, result: [{ statusCode: 424 }, { statusCode: 424 }] }],
    [
      'a code that is not one of success',
      { code: 207, result: [{ statusCode: 201, eTag: '"x"' }, { statusCode: 201 }] },
    ],
    ['no etag', { code: 200, result: [{ statusCode: 201 }, { statusCode: 201 }] }],
  ])('whose answer has %s is settled like one without an answer', async (_, answer) => {
    expect(await answering([answer])).toMatchObject({ outcome: 'ok', sent: 2 })
    expect(await answering([{ ...answer, done: true }])).toMatchObject({ outcome: 'ok', sent: 1, charge: 2 })
  })
})

test('a read that contradicts the refusal decides nothing', async () => {
  const { time, connect, documents, another } = await openStage()
  const document = { ...partitionOf(1), id: 'head', tag: 'a' }
  const container = connect()
  await time.run(documents.write({ kind: 'create', document }))
  let stale = 3
  const lagging = {
    id: container.id,
    database: container.database,
    items: container.items,
    item: (...given: Parameters<typeof container.item>) => {
      const item = container.item(...given)
      const absent = { statusCode: 404, headers: {} }
      stale -= 1
      return { read: (...options: Parameters<typeof item.read>) => (stale >= 0 ? absent : item.read(...options)) }
    },
  }
  const mine = another({ container: lagging as never })
  const written = await time.run(mine.write({ kind: 'create', document: { ...document, tag: 'b' } }))
  expect(written).toMatchObject({ outcome: 'conflict', status: 409, found: { document: { tag: 'a' } } })
})

describe('a status says', () => {
  const fate = (code: number | string | undefined, substatus?: number): string =>
    fateOf(failureOf(Object.assign(new Error('x'), { code, substatus })))

  test.each([
    [408, undefined, 'unknown'],
    [410, undefined, 'later'],
    [429, 3_200, 'throttled'],
    [449, undefined, 'later'],
    [500, undefined, 'unknown'],
    [502, undefined, 'unknown'],
    [503, undefined, 'later'],
    [504, undefined, 'unknown'],
    [400, undefined, 'refused'],
    [401, undefined, 'refused'],
    [403, 3, 'later'],
    [403, 1_008, 'later'],
    [403, undefined, 'refused'],
    [404, 1_002, 'later'],
    [404, 1_003, 'refused'],
    [413, undefined, 'refused'],
    ['ECONNRESET', undefined, 'unknown'],
    ['ETIMEDOUT', undefined, 'unknown'],
    ['EPIPE', undefined, 'unknown'],
    ['TimeoutError', undefined, 'unknown'],
    ['ECONNREFUSED', undefined, 'later'],
    ['ENOTFOUND', undefined, 'later'],
    [undefined, undefined, 'unknown'],
    [599, undefined, 'unknown'],
  ])('%s/%s: %s', (code, substatus, expected) => {
    expect(fate(code, substatus)).toBe(expected)
  })

  test('an answer without a body, which makes the client stumble, says nothing', () => {
    expect(fateOf(failureOf(new TypeError("Cannot read properties of null (reading 'message')")))).toBe('unknown')
  })

  test('what a batch hides behind an error of its own is found', () => {
    const cause = Object.assign(new Error('busy'), {
      code: 429,
      retryAfterInMs: 70,
      headers: { 'x-ms-request-charge': '1.5' },
    })
    const failure = failureOf(new Error('Batch request error: busy', { cause }))
    expect(failure).toMatchObject({ status: 429, retryAfterMs: 70, requestUnits: 1.5 })
    expect(fateOf(failureOf(new Error('Batch request error: gone')))).toBe('unknown')
  })
})
