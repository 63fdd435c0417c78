// stage.ts: documents in a container of the test service, in the process and on virtual time.
import { type Container, type ContainerRequest, CosmosClient, type CosmosClientOptions } from '@azure/cosmos'
import { Documents, type DocumentsOptions } from '../src/documents.ts'
import { CosmosService, defaultKey, httpClient, type ServiceOptions, twoPaths } from './service.ts'
import { chance, VirtualTime } from './virtual-time.ts'

export const hierarchical = { paths: ['/shard', '/entity'], kind: 'MultiHash', version: 2 } as const

/** What a store would have indexed. */
export const indexing = { ...twoPaths, includedPaths: [{ path: '/shard/?' }, { path: '/due/?' }] } as const

/** The client leaves repeating to the driver. */
export const leaveAlone = {
  enableEndpointDiscovery: false,
  retryOptions: { maxRetryAttemptCount: 0, fixedRetryIntervalInMilliseconds: 0, maxWaitTimeInSeconds: 0 },
} as const

export interface Stage {
  readonly time: VirtualTime
  readonly service: CosmosService
  readonly container: Container
  readonly documents: Documents
  /** Another driver of the same container, with a client of its own. */
  another(options?: Partial<DocumentsOptions>, client?: Partial<CosmosClientOptions>): Documents
  connect(client?: Partial<CosmosClientOptions>): Container
  random(): number
}

export interface StageOptions {
  readonly service?: Partial<ServiceOptions>
  readonly container?: Partial<ContainerRequest>
  readonly documents?: Partial<DocumentsOptions>
  readonly latencyMs?: number
  readonly seed?: number
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const time = new VirtualTime()
  const random = chance(options.seed ?? 17)
  const service = new CosmosService({ now: () => time.now(), random, consistency: 'Strong', ...options.service })
  const connect = (more: Partial<CosmosClientOptions> = {}): Container =>
    new CosmosClient({
      endpoint: 'https://interstate.test',
      key: defaultKey,
      connectionPolicy: leaveAlone,
      httpClient: httpClient(service, { clock: time, latencyMs: () => options.latencyMs ?? 2 }),
      ...more,
    } as CosmosClientOptions)
      .database('test')
      .container('items')
  const container = connect()
  const { client } = container.database
  await time.run(
    (async () => {
      const { database } = await client.databases.create({ id: 'test' })
      await database.containers.create({
        id: 'items',
        partitionKey: hierarchical as never,
        indexingPolicy: indexing as never,
        ...options.container,
      })
    })(),
  )
  const another = (more: Partial<DocumentsOptions> = {}, client?: Partial<CosmosClientOptions>): Documents =>
    new Documents({
      container: client === undefined ? container : connect(client),
      clock: time,
      indexed: ['shard', 'due'],
      ...options.documents,
      ...more,
    })
  return { time, service, container, documents: another(), another, connect, random }
}
