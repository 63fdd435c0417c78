// unknown-outcome.test.ts: writes that took effect and were never answered, thousands of them.
import { describe, expect, test } from 'vitest'
import { judge, kinds, partitionOf, type Told, toldNothing, Writer } from './ledger.ts'
import { openStage, type Stage, type StageOptions } from './stage.ts'

const lostAnswers = 10_000

/** Writers, one or more to an entity, as long as there are faults to meet. */
async function writeUntil(
  { time, service, documents, another }: Stage,
  kind: (typeof kinds)[number],
  { entities, writers, faults }: { entities: number; writers: number; faults: number },
): Promise<readonly Told[]> {
  const all = Array.from({ length: entities }, toldNothing)
  const drivers = Array.from({ length: writers }, (_, index) => (index === 0 ? documents : another()))
  const work = all.flatMap((told, index) =>
    drivers.map(async (driver) => {
      const writer = new Writer(driver, partitionOf(index), told)
      while (service.faults.count < faults) await writer.write(kind)
    }),
  )
  await time.run(Promise.all(work))
  service.faults.clear()
  await time.run(Promise.all(all.map((told, index) => judge(another(), partitionOf(index), told, kind))))
  return all
}

function loseAnswers({ service }: Stage, kind: (typeof kinds)[number]): void {
  // The first write of an entity is a create, whatever comes later.
  const on = ({ operation }: { operation: string }): boolean => operation === kind || operation === 'create'
  service.faults.inject({ on, fault: { kind: 'drop answer' }, times: lostAnswers / 2, probability: 0.4 })
  service.faults.inject({ on, fault: { kind: 'withhold answer' }, times: lostAnswers / 2, probability: 0.5 })
}

const counts = (all: readonly Told[], name: keyof Told): number => all.reduce((sum, told) => sum + told[name].length, 0)

describe.each(kinds)('a %s that took effect and was not answered', (kind) => {
  test(`is known to be done, ${lostAnswers} times: none lost, none doubled`, async () => {
    const stage = await openStage({ service: { name: kind } })
    loseAnswers(stage, kind)
    const all = await writeUntil(stage, kind, { entities: 250, writers: 1, faults: lostAnswers })
    expect(counts(all, 'done')).toBeGreaterThan(lostAnswers)
    // Nobody else writes there: any refusal would be a lie.
    expect([counts(all, 'refused'), counts(all, 'unsure'), counts(all, 'uncertain')]).toEqual([0, 0, 0])
    const { charges } = stage.documents
    expect(charges[kind].unheard + charges.create.unheard).toBeGreaterThanOrEqual(lostAnswers)
  })

  test('is told from one that never arrived, and from one that arrives when its successor has been sent', async () => {
    const stage = await openStage({ seed: 4, documents: { attemptMs: 500 } })
    const on = ({ operation }: { operation: string }): boolean => operation === kind || operation === 'create'
    const times = 2_000
    stage.service.faults.inject({ on, fault: { kind: 'drop answer' }, times, probability: 0.1 })
    stage.service.faults.inject({ on, fault: { kind: 'drop request' }, times, probability: 0.1 })
    // Longer than its answer is waited for: it is sent again, and takes effect twice if its condition lets it.
    stage.service.faults.inject({ on, fault: { kind: 'delay request', ms: 700 }, times, probability: 0.1 })
    const all = await writeUntil(stage, kind, { entities: 100, writers: 1, faults: 1_500 })
    expect(counts(all, 'uncertain') + counts(all, 'refused') + counts(all, 'unsure')).toBe(0)
  })
})

const contested: StageOptions = { seed: 9, documents: { attemptMs: 500 } }

test.each(['replace', 'batch'] as const)('two writers of one entity are each told the truth of a %s', async (kind) => {
  const stage = await openStage(contested)
  const on = ({ operation }: { operation: string }): boolean => operation === kind
  const times = 1_000
  stage.service.faults.inject({ on, fault: { kind: 'drop answer' }, times, probability: 0.1 })
  stage.service.faults.inject({ on, fault: { kind: 'delay request', ms: 700 }, times, probability: 0.1 })
  // While its answer is waited for, the other has time to write over it.
  stage.service.faults.inject({ on, fault: { kind: 'withhold answer' }, times, probability: 0.1 })
  const all = await writeUntil(stage, kind, { entities: 40, writers: 2, faults: 800 })
  for (const name of ['done', 'refused', 'unsure'] as const) expect(counts(all, name)).toBeGreaterThan(50)
})

test('what stays without an answer is uncertain, and what was never done is not', async () => {
  const { time, service, documents } = await openStage({ documents: { settleMs: 20_000, attemptMs: 1_000 } })
  const document = { ...partitionOf(1), id: 'head', tag: 'a' }
  const stop = service.faults.inject({ fault: { kind: 'withhold answer' }, times: Number.POSITIVE_INFINITY })
  await expect(time.run(documents.write({ kind: 'create', document }))).rejects.toMatchObject({
    code: 'STORE_UNCERTAIN',
  })
  stop()
  service.faults.inject({ fault: { kind: 'refuse', status: 503 }, times: Number.POSITIVE_INFINITY })
  const other = { ...document, id: 'other' }
  await expect(time.run(documents.write({ kind: 'create', document: other }))).rejects.toMatchObject({
    code: 'STORE_FAILED',
  })
})

describe('a write stays uncertain', () => {
  const document = { ...partitionOf(1), id: 'head', tag: 'a' }
  const forbidden = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code: 403, headers: {} }))

  test('when the look that would settle it is refused for good', async () => {
    const { time, service, documents, container, another } = await openStage({ documents: { settleMs: 3_000 } })
    service.faults.inject({ fault: { kind: 'drop answer' } })
    const blind = { items: container.items, item: () => ({ read: forbidden }) }
    const write = another({ container: blind as never }).write({ kind: 'create', document })
    await expect(time.run(write)).rejects.toMatchObject({ code: 'STORE_UNCERTAIN' })
    expect((await time.run(documents.read(document, 'head'))).outcome).toBe('ok')
  })

  test('when an attempt after it is refused for good', async () => {
    const { time, service, container, another } = await openStage({ documents: { settleMs: 3_000 } })
    service.faults.inject({ fault: { kind: 'drop request' } })
    let attempts = 0
    const create = (...given: Parameters<typeof container.items.create>): Promise<unknown> => {
      attempts += 1
      return attempts === 1 ? container.items.create(...given) : forbidden()
    }
    const shut = { items: { create }, item: (...given: Parameters<typeof container.item>) => container.item(...given) }
    const write = another({ container: shut as never }).write({ kind: 'create', document })
    await expect(time.run(write)).rejects.toMatchObject({ code: 'STORE_UNCERTAIN' })
    expect(attempts).toBeGreaterThan(1)
  })
})
