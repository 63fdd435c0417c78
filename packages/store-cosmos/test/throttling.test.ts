// throttling.test.ts: 429 is obeyed by all callers of a driver together, and costs little beside what it forbids.
import { expect, test } from 'vitest'
import { judge, partitionOf, type Told, toldNothing, Writer } from './ledger.ts'
import { openStage, type Stage, type StageOptions } from './stage.ts'

/** Documents of 1 KB. */
const padding = 'x'.repeat(850)

interface Outcome {
  readonly goodput: number
  readonly attempts: number
  readonly all: readonly Told[]
}

/** Writers of one entity each that would write without a pause. */
async function press(
  { time, service, documents, another }: Stage,
  { writers, ms, unitsPerSecond, from = 0 }: { writers: number; ms: number; unitsPerSecond: number; from?: number },
): Promise<Outcome> {
  const all = Array.from({ length: writers }, toldNothing)
  const begin = time.now()
  let units = 0
  let attempts = 0
  let done = 0
  const work = all.map(async (told, index) => {
    const writer = new Writer(documents, partitionOf(from + index), told, padding)
    while (time.now() < begin + ms) await writer.write('create')
  })
  const measure = (async () => {
    await time.sleep(ms)
    const { create } = documents.charges
    units = create.requestUnits
    attempts = create.requests
    done = all.reduce((sum, told) => sum + told.done.length, 0)
  })()
  await time.run(Promise.all([...work, measure]))
  service.faults.clear()
  const some = all.slice(0, 20)
  await time.run(Promise.all(some.map((told, index) => judge(another(), partitionOf(from + index), told, 'create'))))
  return { goodput: units / ((unitsPerSecond * ms) / 1_000), attempts: attempts / done, all }
}

const provisioned = (throughput: number, more: StageOptions = {}): StageOptions => ({
  container: { throughput },
  documents: { settleMs: 120_000 },
  ...more,
})

test('a thousand callers who want a hundred times what is provisioned get nearly all of it, with few attempts in vain', async () => {
  const stage = await openStage(provisioned(1_000))
  const { goodput, attempts, all } = await press(stage, { writers: 1_000, ms: 20_000, unitsPerSecond: 1_000 })
  expect(goodput).toBeGreaterThanOrEqual(0.85)
  expect(attempts).toBeLessThanOrEqual(2.2)
  // What there is goes round.
  const shares = all.map(({ done }) => done.length)
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(3)
})

test('while half of all calls are answered with 429, what the budget allows is done', async () => {
  const stage = await openStage(provisioned(1_000))
  const throttle = { kind: 'throttle', retryAfterMs: 20 } as const
  stage.service.faults.inject({ fault: throttle, probability: 0.5, times: Number.POSITIVE_INFINITY })
  const { goodput, attempts } = await press(stage, { writers: 300, ms: 20_000, unitsPerSecond: 1_000 })
  expect(goodput).toBeGreaterThanOrEqual(0.85)
  expect(attempts).toBeLessThanOrEqual(2.2)
})

test('two drivers of one container leave each other room', async () => {
  const stage = await openStage(provisioned(2_000))
  const other: Stage = { ...stage, documents: stage.another({}, {}) }
  const [one, two] = await Promise.all([
    press(stage, { writers: 200, ms: 20_000, unitsPerSecond: 2_000 }),
    press(other, { writers: 200, ms: 20_000, unitsPerSecond: 2_000, from: 200 }),
  ])
  expect(one.goodput + two.goodput).toBeGreaterThanOrEqual(0.85)
  expect(Math.min(one.goodput, two.goodput)).toBeGreaterThan(0.2)
})

test('nothing is sent while the service wants to be left alone', async () => {
  const { time, service, documents } = await openStage()
  service.faults.inject({ fault: { kind: 'throttle', retryAfterMs: 5_000 } })
  const document = { ...partitionOf(1), id: 'head', tag: 'a' }
  const begin = time.now()
  const first = documents.write({ kind: 'create', document })
  const others = time.sleep(10).then(async () => {
    const { requests } = service.usage
    const reads = Promise.all([documents.read(partitionOf(2), 'head'), documents.read(partitionOf(3), 'head')])
    await time.sleep(4_900)
    expect(service.usage.requests).toBe(requests)
    await reads
  })
  await time.run(Promise.all([first, others]))
  expect(time.now() - begin).toBeGreaterThanOrEqual(5_000)
  expect(documents.charges.create).toMatchObject({ requests: 2, throttled: 1 })
})

test('a client that sits out a 429 by itself makes others wait, too', async () => {
  const { time, another } = await openStage()
  let begun = 0
  const item = (): unknown => ({
    read: async () => {
      begun += 1
      return await new Promise(() => undefined)
    },
    replace: async () => ({ statusCode: 200, etag: '"x"', headers: { 'x-ms-throttle-retry-count': 2 } }),
  })
  const documents = another({ container: { item } as never, mostAtOnce: 32, settleMs: 100 })
  const document = { ...partitionOf(1), id: 'head', tag: 'a' }
  await time.run(documents.write({ kind: 'replace', document, etag: '"w"' }))
  expect(documents.charges.replace).toMatchObject({ requests: 3, throttled: 2 })
  const reads = Array.from({ length: 40 }, (_, index) => documents.read(partitionOf(index), 'head'))
  await time.run(time.sleep(50))
  expect(begun).toBe(16)
  await time.run(Promise.allSettled(reads))
})

test('a budget that is gone for good is STORE_FAILED: nothing was written', async () => {
  const { time, service, documents } = await openStage({ documents: { settleMs: 3_000 } })
  service.faults.inject({ fault: { kind: 'throttle', retryAfterMs: 700 }, times: Number.POSITIVE_INFINITY })
  const document = { ...partitionOf(1), id: 'head', tag: 'a' }
  await expect(time.run(documents.write({ kind: 'create', document }))).rejects.toMatchObject({
    code: 'STORE_FAILED',
    details: { status: 429 },
  })
})
