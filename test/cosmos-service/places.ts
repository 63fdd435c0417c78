// places.ts: where the suite runs: against the model in the process, over HTTP, and against a real account where
// COSMOS_ENDPOINT and COSMOS_KEY say which.
import {
  type Container,
  type ContainerRequest,
  CosmosClient,
  type CosmosClientOptions,
  PartitionKeyDefinitionVersion,
  PartitionKeyKind,
} from '@azure/cosmos'
import { httpClient } from './http-client.ts'
import { listen } from './server.ts'
import { CosmosService, defaultKey, type ServiceOptions } from './service.ts'

/** A container to test with. */
export interface Opened extends AsyncDisposable {
  readonly container: Container
  readonly client: CosmosClient
  /** Another client of the same account. */
  connect(options?: Partial<CosmosClientOptions>): CosmosClient
}

/** One whose service is the model. */
export interface OpenedModel extends Opened {
  readonly service: CosmosService
  /** Lets the service's clock go on; it stands otherwise. */
  advance(ms: number): void
}

/** One way to reach a service. */
export interface Place {
  readonly name: string
  open(settings?: Partial<ContainerRequest>): Promise<Opened>
}

/** A way to reach the model, which can be set up and made to fail. */
export interface ModelPlace extends Place {
  open(settings?: Partial<ContainerRequest>, options?: Partial<ServiceOptions>): Promise<OpenedModel>
}

export const start: number = Date.UTC(2026, 0, 1)

const hierarchical = {
  paths: ['/shard', '/entity'],
  kind: PartitionKeyKind.MultiHash,
  version: PartitionKeyDefinitionVersion.V2,
}

/** Only two paths are indexed, as a store would have it. */
export const twoPaths = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/kind/?' }, { path: '/n/?' }],
  excludedPaths: [{ path: '/*' }],
} as const

const inProcess: ModelPlace = {
  name: 'in the process',
  async open(settings, options) {
    const { service, advance } = modelOf(options)
    const connect = (more: Partial<CosmosClientOptions> = {}): CosmosClient =>
      new CosmosClient({
        endpoint: 'https://interstate.test',
        key: defaultKey,
        ...still,
        ...more,
        httpClient: httpClient(service),
      })
    const client = connect()
    return {
      service,
      advance,
      client,
      connect,
      container: await newContainer(client, settings),
      async [Symbol.asyncDispose]() {},
    }
  },
}

const overHttp: ModelPlace = {
  name: 'over HTTP',
  async open(settings, options) {
    const { service, advance } = modelOf(options)
    const server = await listen(service, 0)
    const connect = (more: Partial<CosmosClientOptions> = {}): CosmosClient =>
      new CosmosClient({ endpoint: server.endpoint, key: defaultKey, ...still, ...more })
    const client = connect()
    const container = await newContainer(client, settings)
    return { service, advance, client, connect, container, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  },
}

/** The model, both ways. */
export const models: readonly ModelPlace[] = [inProcess, overHttp]

/** Everything that the suite's rules hold for. */
export const places: readonly Place[] = [...models, ...realAccounts()]

function modelOf(options: Partial<ServiceOptions> = {}): { service: CosmosService; advance: (ms: number) => void } {
  let now = start
  const service = new CosmosService({ now: () => now, random: () => 0.5, consistency: 'Strong', ...options })
  return {
    service,
    advance: (ms) => {
      now += ms
    },
  }
}

/** Endpoints are where they were said to be. */
const still = { connectionPolicy: { enableEndpointDiscovery: false } } as const

async function newContainer(
  client: CosmosClient,
  settings: Partial<ContainerRequest> = {},
  name = 'test',
): Promise<Container> {
  const { database } = await client.databases.createIfNotExists({ id: name })
  const { container } = await database.containers.create({ id: 'items', partitionKey: hierarchical, ...settings })
  return container
}

/** Each test has a database of its own there, and takes it away. */
function realAccounts(): readonly Place[] {
  const { COSMOS_ENDPOINT: endpoint, COSMOS_KEY: key } = process.env
  if (endpoint === undefined || key === undefined) return []
  return [
    {
      name: 'in a real account',
      async open(settings) {
        const connect = (more: Partial<CosmosClientOptions> = {}): CosmosClient =>
          new CosmosClient({ endpoint, key, ...more })
        const client = connect()
        const name = `interstate-test-${crypto.randomUUID()}`
        const container = await newContainer(client, settings, name)
        return {
          client,
          connect,
          container,
          async [Symbol.asyncDispose]() {
            await client.database(name).delete()
            client.dispose()
          },
        }
      },
    },
  ]
}

/** What a call failed with; fails itself where it did not. */
export async function failureOf(
  call: Promise<unknown>,
): Promise<{ code?: unknown; substatus?: unknown; message: string; cause?: unknown }> {
  try {
    await call
  } catch (error) {
    return error as { code?: unknown; substatus?: unknown; message: string }
  }
  throw new Error('The call did not fail.')
}

export function ifMatch(etag: string | undefined): { accessCondition: { type: string; condition: string } } {
  return { accessCondition: { type: 'IfMatch', condition: etag ?? '' } }
}

/** An item of a logical partition. */
export function itemOf(
  entity: string,
  id: string,
  more: Readonly<Record<string, unknown>> = {},
): { id: string; shard: number; entity: string } {
  return { id, shard: 7, entity, ...more }
}
