// probes.test.ts: an account or a container that can't hold what is promised is refused at the start, with what to change (G18).
import type { Container, OperationInput } from '@azure/cosmos'
import type { Probe } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import type { CosmosContainer } from '../src/client.ts'
import { probesOf, refuseUnfit } from '../src/probes.ts'
import { httpClient } from './service.ts'
import { hierarchical, openStage, type Stage, type StageOptions } from './stage.ts'

const indexed = ['shard', 'due']

async function probe(stage: Stage, container: CosmosContainer = stage.container): Promise<readonly Probe[]> {
  let drawn = 0
  const draw = (): string => {
    drawn += 1
    return `n${drawn}`
  }
  const documents = stage.another({ container, settleMs: 5_000 })
  return await stage.time.run(probesOf({ container, documents, indexed, draw }))
}

/** What a start with it throws, and what it says. */
async function refusalOf(stage: Stage, container?: CosmosContainer): Promise<unknown> {
  try {
    refuseUnfit(await probe(stage, container))
  } catch (error) {
    return error
  }
  return undefined
}

const unfit = (name: string, text: string): object => ({
  code: 'STORE_UNFIT',
  message: expect.stringContaining(text),
  details: { probe: name },
})

test.each(['Strong', 'BoundedStaleness'] as const)('a container as it should be passes at %s', async (consistency) => {
  const stage = await openStage({ service: { consistency } })
  const probes = await probe(stage)
  expect(probes.map(({ name, passed }) => [name, passed])).toEqual([
    ['consistency', true],
    ['one write region', true],
    ['reads', true],
    ['partition key', true],
    ['time to live', true],
    ['indexing', true],
    ['batches', true],
  ])
  expect(probes.some(({ finding }) => finding.startsWith('Warning'))).toBe(false)
  stage.documents.readAt(consistency)
  expect((await stage.time.run(stage.documents.query({}))).documents).toEqual([])
})

test('they cost little, and are counted', async () => {
  const stage = await openStage()
  const documents = stage.another()
  const { container } = stage
  await stage.time.run(probesOf({ container, documents, indexed, draw: () => crypto.randomUUID() }))
  const units = Object.values(documents.charges).reduce((sum, { requestUnits }) => sum + requestUnits, 0)
  expect(units).toBeGreaterThan(40)
  expect(units).toBeLessThan(100)
})

test('a client that was told a weaker level than the account has reads the last write all the same', async () => {
  const stage = await openStage({ service: { maxLagMs: 60_000 } })
  const documents = stage.another({}, { consistencyLevel: 'Eventual' as never })
  for (let n = 0; n < 20; n += 1) {
    const document = { shard: 1, entity: `order/${n}`, id: 'head', tag: 'a' }
    await stage.time.run(documents.write({ kind: 'create', document }))
    expect((await stage.time.run(documents.read(document, 'head'))).outcome).toBe('ok')
  }
})

test('trouble on the way is no finding', async () => {
  const stage = await openStage()
  stage.service.faults.inject({ fault: { kind: 'throttle', retryAfterMs: 50 }, times: 3 })
  stage.service.faults.inject({
    on: ({ operation }) => operation === 'batch',
    fault: { kind: 'drop answer' },
    times: 3,
  })
  expect(await refusalOf(stage)).toBeUndefined()
})

describe('refused at start', () => {
  test('a key that is not let in', async () => {
    const stage = await openStage()
    const container = stage.connect({ key: Buffer.from('another').toString('base64') })
    expect(await refusalOf(stage, container)).toMatchObject(unfit('credentials', 'Give the client the account key'))
  })

  test('a container or a database that is not there', async () => {
    const stage = await openStage()
    const { database } = stage.container
    const missing = unfit('container', 'There is no container "none" in a database "test". Create it')
    expect(await refusalOf(stage, database.container('none'))).toMatchObject(missing)
    const elsewhere = database.client.database('nowhere').container('items')
    expect(await refusalOf(stage, elsewhere)).toMatchObject(unfit('container', 'in a database "nowhere"'))
  })

  test.each([
    [{ paths: ['/entity'] }, '/entity'],
    [{ ...hierarchical, paths: ['/entity', '/shard'] }, '/entity, /shard'],
    [{ ...hierarchical, paths: ['/shard', '/entity', '/more'] }, '/shard, /entity, /more'],
    [{ ...hierarchical, paths: ['/tenant', '/entity'] }, '/tenant, /entity'],
  ])('other partition key paths: %o', async (partitionKey, found) => {
    const stage = await openStage({ container: { partitionKey: partitionKey as never } })
    const text = `partitioned by ${found}. Paths can't be changed: create another container`
    expect(await refusalOf(stage)).toMatchObject(unfit('partition key', text))
  })

  test.each(['Session', 'ConsistentPrefix', 'Eventual'] as const)('an account at %s', async (consistency) => {
    const stage = await openStage({ service: { consistency } })
    const text = `The account is at ${consistency}. A fresh host would read what is no longer so: set the default`
    expect(await refusalOf(stage)).toMatchObject(unfit('consistency', text))
  })

  test('an account with several write regions', async () => {
    const regions: [string, ...string[]] = ['West Europe', 'North Europe']
    const stage = await openStage({ service: { multipleWriteRegions: true, regions } })
    const text = 'several regions (West Europe, North Europe). Two regions may both accept a write'
    expect(await refusalOf(stage)).toMatchObject(unfit('one write region', text))
  })

  test('a client that reads from a region that lags', async () => {
    const regions: [string, ...string[]] = ['West Europe', 'North Europe']
    const options: StageOptions = { service: { consistency: 'BoundedStaleness', regions } }
    const stage = await openStage(options)
    const transport = httpClient(stage.service, { clock: stage.time, latencyMs: () => 1 })
    const reading = (preferredLocations: string[]): Container =>
      stage.connect({
        endpoint: 'https://interstate-westeurope.documents.azure.com:443/',
        connectionPolicy: {
          enableEndpointDiscovery: true,
          preferredLocations,
          enableBackgroundEndpointRefreshing: false,
        },
        httpClient: transport,
      })
    const text = 'That region lags: put the write region first in `preferredLocations`'
    expect(await refusalOf(stage, reading(['North Europe', 'West Europe']))).toMatchObject(unfit('reads', text))
    expect(await refusalOf(stage, reading(['West Europe', 'North Europe']))).toBeUndefined()
  })

  test('a container that forgets', async () => {
    const stage = await openStage()
    const expiring = (defaultTtl: number): CosmosContainer => ({
      ...partsOf(stage.container),
      read: async (options) => {
        const { resource, headers } = await stage.container.read(options)
        return { resource: { ...resource, defaultTtl } as never, headers }
      },
    })
    const text = '"items" forgets what it acknowledged after 3600 s. Turn off its default time to live'
    expect(await refusalOf(stage, expiring(3_600))).toMatchObject(unfit('time to live', text))
    expect(await refusalOf(stage, expiring(-1))).toBeUndefined()
  })

  test('documents of somebody else', async () => {
    const stage = await openStage()
    await stage.time.run(stage.container.items.create({ id: 'theirs', shard: 1, entity: 'x' } as never))
    const foreign = { code: 'STORE_FOREIGN', details: { container: 'items', id: 'theirs' } }
    await expect(probe(stage)).rejects.toMatchObject(foreign)
    await expect(stage.time.run(stage.documents.read({ shard: 1, entity: 'x' }, 'theirs'))).rejects.toMatchObject({
      code: 'STORE_FOREIGN',
    })
  })
})

test.each([
  [{ indexingMode: 'consistent', includedPaths: [{ path: '/*' }], excludedPaths: [] }, 'it indexes every property'],
  [
    {
      indexingMode: 'consistent',
      includedPaths: [{ path: '/shard/?' }, { path: '/due/?' }, { path: '/color/?' }],
      excludedPaths: [{ path: '/*' }],
    },
    'it indexes /color/?',
  ],
  [
    { indexingMode: 'consistent', includedPaths: [{ path: '/shard/?' }], excludedPaths: [{ path: '/*' }] },
    'it lacks /due/?',
  ],
])('an indexing policy that costs is warned of, not refused: %o', async (indexingPolicy, text) => {
  const stage = await openStage({ container: { indexingPolicy: indexingPolicy as never } })
  const probes = await probe(stage)
  expect(probes.every(({ passed }) => passed)).toBe(true)
  const { finding } = probes.find(({ name }) => name === 'indexing') ?? { finding: '' }
  expect(finding).toContain('Warning')
  expect(finding).toContain(text)
  expect(finding).toContain('Include /shard/? and /due/? and exclude /*.')
})

/** How emulators get batches wrong. */
const emulators: readonly {
  name: string
  batch: (real: Container, operations: Operation[], key: Key) => Promise<Result>
}[] = [
  { name: 'does the operations one by one, and goes on', batch: (real, all, key) => oneByOne(real, all, key, 'go on') },
  { name: 'does the operations one by one, and stops', batch: (real, all, key) => oneByOne(real, all, key, 'stop') },
  {
    name: 'forgets conditions',
    batch: (real, all, key) => whole(real, all.map(({ ifMatch: _, ...operation }) => operation) as Operation[], key),
  },
  {
    name: 'creates over what is there',
    batch: (real, all, key) =>
      whole(
        real,
        all.map((one) => (one.operationType === 'Create' ? { ...one, operationType: 'Upsert' } : one)),
        key,
      ),
  },
  {
    name: 'says yes to everything',
    batch: async (_, all) => ({ code: 200, headers: {}, result: all.map(() => ({ statusCode: 200, eTag: '"x"' })) }),
  },
]

test.each(emulators)('an emulator that $name is refused', async ({ batch }) => {
  const stage = await openStage()
  const { container } = stage
  const broken: CosmosContainer = {
    ...partsOf(container),
    items: {
      ...itemsOf(container),
      batch: (operations, key) => batch(container, operations as Operation[], key),
    },
  }
  expect(await refusalOf(stage, broken)).toMatchObject(unfit('batches', 'No emulator is known to keep batches atomic'))
})

interface Operation {
  readonly operationType: string
  readonly id?: string
  readonly ifMatch?: string
  readonly resourceBody?: never
}
type Key = (string | number)[]
interface Result {
  readonly code: number
  readonly headers: object
  readonly result: readonly { statusCode: number; eTag?: string }[]
}

async function whole(real: Container, operations: Operation[], key: Key): Promise<Result> {
  const { code = 0, headers, result = [] } = await real.items.batch(operations as OperationInput[], key)
  return { code, headers, result: result as Result['result'] }
}

async function oneByOne(real: Container, all: Operation[], key: Key, then: 'go on' | 'stop'): Promise<Result> {
  const result: { statusCode: number; eTag?: string }[] = []
  for (const operation of all) {
    const hasFailed = result.some(({ statusCode }) => statusCode >= 400)
    if (hasFailed && then === 'stop') result.push({ statusCode: 424 })
    else result.push((await whole(real, [operation], key)).result[0] ?? { statusCode: 500 })
  }
  return { code: result.some(({ statusCode }) => statusCode >= 400) ? 207 : 200, headers: {}, result }
}

function partsOf(container: Container): CosmosContainer {
  const { id, database } = container
  return {
    id,
    database,
    items: container.items,
    item: (...given) => container.item(...given),
    read: (...given) => container.read(...given),
  }
}

function itemsOf({ items }: Container): CosmosContainer['items'] {
  return {
    create: (...given) => items.create(...given),
    batch: (operations, ...given) => items.batch(operations as OperationInput[], ...given),
    query: (...given) => items.query(...given),
  }
}
