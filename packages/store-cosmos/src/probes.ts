// probes.ts: whether account and container do what the guarantees rest on (G18).
import { InterstateError, type Probe } from '@interstate/core'
import type { CosmosAccount, CosmosContainer, CosmosDefinition, ReadLevel } from './client.ts'
import { type Batch, type Document, keyPaths, type Partition } from './document.ts'
import type { Documents } from './documents.ts'
import type { Failure } from './failure.ts'

/** What is probed. */
export interface Probed {
  readonly container: CosmosContainer
  readonly documents: Documents
  /** Properties that are to be indexed, `shard` among them. */
  readonly indexed: readonly string[]
  /** Draws a name for a logical partition of probe documents, which nobody else has. */
  draw(): string
}

type AccountSettings = NonNullable<Awaited<ReturnType<CosmosAccount['getDatabaseAccount']>>['resource']>

/**
 * See the file head. Reads ask for the account's level from then on. Where the account or the container can't be asked, or is found unfit, what would need them is left out.
 *
 * @throws InterstateError `STORE_FOREIGN` for documents that are not ours, `STORE_FAILED` where the service does not answer.
 */
export async function probesOf(probed: Probed): Promise<readonly Probe[]> {
  const { container, documents } = probed
  const account = await documents.ask((abortSignal) =>
    asked(container.database.client.getDatabaseAccount({ abortSignal })),
  )
  if (account.outcome === 'refused') return [credentialsProbe(account.failure)]
  const definition = await documents.ask((abortSignal) => asked(container.read({ abortSignal })))
  if (definition.outcome === 'refused') return [containerProbe(container, definition.failure)]
  const settings = [
    consistencyProbe(account.value),
    regionProbe(account.value),
    await readsProbe(account.value, container.database.client),
    keyProbe(container, definition.value),
    expiryProbe(container, definition.value),
    indexProbe(definition.value, probed.indexed),
  ]
  if (settings.some(({ passed }) => !passed)) return settings
  documents.readAt(account.value.consistencyPolicy as ReadLevel)
  await refuseForeign(probed)
  return [...settings, await batchProbe(probed)]
}

/** @throws InterstateError `STORE_UNFIT`, which names what failed first and tells of all. */
export function refuseUnfit(probes: readonly Probe[]): void {
  const failed = probes.filter(({ passed }) => !passed)
  const [first] = failed
  if (first === undefined) return
  const list = failed.map(({ name, finding }) => `${name}: ${finding}`).join('; ')
  throw new InterstateError('STORE_UNFIT', `The container fails its probe: ${list}`, {
    probe: first.name,
    probes: failed,
  })
}

async function asked<T>(
  question: Promise<{ resource?: T | undefined; headers: object }>,
): Promise<{ value: T; headers: object }> {
  const { resource, headers } = await question
  if (resource === undefined) throw new Error('an answer without a body')
  return { value: resource, headers }
}

function credentialsProbe(failure: Failure): Probe {
  const remedy = isShut(failure)
    ? 'Give the client the account key, or an identity with the role "Cosmos DB Built-in Data Contributor", and let its address through the firewall.'
    : 'Look at the endpoint that the client was given.'
  return { name: 'credentials', passed: false, finding: `The account answered with ${failure.text}. ${remedy}` }
}

function containerProbe({ id, database }: CosmosContainer, failure: Failure): Probe {
  if (failure.status !== 404) return credentialsProbe(failure)
  const finding = `There is no container "${id}" in a database "${database.id}". Create it with the hierarchical partition key ${keyPaths.join(', ')}.`
  return { name: 'container', passed: false, finding }
}

function isShut({ status }: Failure): boolean {
  return status === 401 || status === 403
}

function consistencyProbe({ consistencyPolicy: level }: AccountSettings): Probe {
  const passed = level === 'Strong' || level === 'BoundedStaleness'
  const remedy =
    'A fresh host would read what is no longer so: set the default consistency to Strong or BoundedStaleness.'
  return { name: 'consistency', passed, finding: `The account is at ${level}.${passed ? '' : ` ${remedy}`}` }
}

function regionProbe({ enableMultipleWritableLocations, writableLocations }: AccountSettings): Probe {
  const name = 'one write region'
  if (!enableMultipleWritableLocations && writableLocations.length === 1) {
    return { name, passed: true, finding: `Writes go to ${writableLocations[0]?.name}.` }
  }
  const found = writableLocations.map((location) => location.name).join(', ')
  const remedy = 'Two regions may both accept a write, and one is undone later: turn off multi-region writes.'
  return { name, passed: false, finding: `The account takes writes in several regions (${found}). ${remedy}` }
}

/** At bounded staleness only the write region has the last write. */
async function readsProbe(
  { consistencyPolicy, readableLocations }: AccountSettings,
  client: CosmosAccount,
): Promise<Probe> {
  const name = 'reads'
  if (consistencyPolicy !== 'BoundedStaleness' || readableLocations.length < 2) {
    return { name, passed: true, finding: 'Any region that is read from has the last write.' }
  }
  const [read, write] = await Promise.all([client.getReadEndpoint(), client.getWriteEndpoint()])
  if (read === write) return { name, passed: true, finding: 'The client reads from the write region.' }
  const remedy = 'That region lags: put the write region first in `preferredLocations`, or set the account to Strong.'
  return { name, passed: false, finding: `The client reads from ${read} and writes to ${write}. ${remedy}` }
}

function keyProbe({ id }: CosmosContainer, { partitionKey }: CosmosDefinition): Probe {
  const name = 'partition key'
  const found = partitionKey?.paths ?? []
  const passed = found.length === keyPaths.length && found.every((path, level) => path === keyPaths[level])
  const wanted = keyPaths.join(', ')
  const remedy = `Paths can't be changed: create another container with the hierarchical key ${wanted}.`
  const finding = `"${id}" is partitioned by ${found.join(', ')}.${passed ? '' : ` ${remedy}`}`
  return { name, passed, finding }
}

/** -1 leaves it to each item, and ours don't ask for it. */
function expiryProbe({ id }: CosmosContainer, { defaultTtl }: CosmosDefinition): Probe {
  const name = 'time to live'
  const passed = defaultTtl === undefined || defaultTtl === null || defaultTtl === -1
  if (passed) return { name, passed, finding: 'Nothing expires.' }
  const finding = `"${id}" forgets what it acknowledged after ${defaultTtl} s. Turn off its default time to live.`
  return { name, passed, finding }
}

/** No failure: too much costs units with each write, too little costs them with each query. */
function indexProbe({ indexingPolicy }: CosmosDefinition, indexed: readonly string[]): Probe {
  const name = 'indexing'
  const included = (indexingPolicy?.includedPaths ?? []).map(({ path }) => path)
  const excluded = (indexingPolicy?.excludedPaths ?? []).map(({ path }) => path)
  const wanted = indexed.map((property) => `/${property}/?`)
  const missing = indexingPolicy?.indexingMode === 'none' ? wanted : wanted.filter((path) => !included.includes(path))
  const isAll = included.includes('/*') || !excluded.includes('/*')
  const further = included.filter((path) => path !== '/*' && !wanted.includes(path))
  if (missing.length === 0 && !isAll && further.length === 0) {
    return { name, passed: true, finding: `Indexed are ${wanted.join(', ')} alone.` }
  }
  const found = [
    ...(isAll ? ['it indexes every property, which each write pays for'] : []),
    ...(further.length > 0 ? [`it indexes ${further.join(', ')}, which nobody asks for`] : []),
    ...(missing.length > 0 && !isAll ? [`it lacks ${missing.join(', ')}, so that queries read every document`] : []),
  ].join('; ')
  const remedy = `Include ${wanted.join(' and ')} and exclude /*.`
  return { name, passed: true, finding: `Warning: of the indexing policy, ${found}. ${remedy}` }
}

/** A sample is enough to notice a container that was meant for something else. */
const sample = 20

/** @throws InterstateError `STORE_FOREIGN`. */
async function refuseForeign({ documents, container }: Probed): Promise<void> {
  try {
    await documents.query({ most: sample })
  } catch (error) {
    if (!(error instanceof InterstateError) || error.code !== 'STORE_FOREIGN') throw error
    const { id } = error.details
    const what = `The container "${container.id}" holds a document ${JSON.stringify(id)} that no store of ours has written.`
    throw new InterstateError('STORE_FOREIGN', what, { container: container.id, id })
  }
}

/** Shards are counted from 0: nobody looks for entities here. */
const probeShard = -1

/** Writes what must be done whole, and what must be refused whole; then takes it away. */
async function batchProbe({ documents, draw }: Probed): Promise<Probe> {
  const partition: Partition = { shard: probeShard, entity: `probe-${draw()}` }
  const ids = ['head', 'first', 'second', 'third']
  try {
    const broken = await findBroken(documents, partition, draw)
    const passed = broken === undefined
    const remedy =
      'No emulator is known to keep batches atomic: use an account of Azure, or the test service of Interstate.'
    const finding = passed ? 'Batches are all or none, and conditions are honoured.' : `${broken} ${remedy}`
    return { name: 'batches', passed, finding }
  } finally {
    await documents.remove(partition, ids)
  }
}

/** What was found wrong, if anything. */
async function findBroken(documents: Documents, partition: Partition, draw: () => string): Promise<string | undefined> {
  const document = (id: string): Document => ({ ...partition, id, tag: draw() })
  const head = document('head')
  const made = await documents.batch([
    { kind: 'create', document: head },
    { kind: 'create', document: document('first') },
  ])
  if (made.outcome !== 'ok') return 'A batch of two new documents is refused.'
  const isThere = async (id: string): Promise<boolean> => (await documents.read(partition, id)).outcome === 'ok'
  const isAsMade = async (): Promise<boolean> => {
    const read = await documents.read(partition, 'head')
    return read.outcome === 'ok' && read.document.tag === head.tag && read.etag === made.etag
  }
  if (!(await isAsMade()) || !(await isThere('first'))) return 'What a batch has written is not there.'
  const stale = `"${draw()}"`
  const refused: readonly (readonly [what: string, culprit: number, batch: Batch])[] = [
    [
      'A batch whose first condition fails',
      0,
      [
        { kind: 'replace', document: document('head'), etag: stale },
        { kind: 'create', document: document('second') },
      ],
    ],
    [
      'A batch whose last operation fails',
      2,
      [
        { kind: 'replace', document: document('head'), etag: made.etag },
        { kind: 'create', document: document('third') },
        { kind: 'create', document: document('first') },
      ],
    ],
  ]
  for (const [what, culprit, batch] of refused) {
    const answer = await documents.batch(batch)
    if (answer.outcome !== 'conflict') return `${what} is not refused.`
    if (!(await isAsMade()) || (await isThere('second')) || (await isThere('third'))) return `${what} is done in part.`
    if (answer.culprit !== culprit) return `${what} does not say which one.`
  }
  const replaced = await documents.write({ kind: 'replace', document: document('head'), etag: stale })
  if (replaced.outcome !== 'conflict') return 'If-Match is not honoured.'
  const created = await documents.write({ kind: 'create', document: document('head') })
  return created.outcome === 'conflict' ? undefined : 'A document that is there can be created again.'
}
