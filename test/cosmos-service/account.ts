// account.ts: the account: what it says about itself, its databases and its containers
// (learn.microsoft.com/rest/api/cosmos-db/databases, …/collections).
import { Container, type ContainerSettings } from './container.ts'
import type { AccountSettings } from './context.ts'
import { type Answer, badRequest, notImplemented, Refusal } from './exchange.ts'
import { policyOf } from './indexing.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { limits, refuseBadName } from './limits.ts'
import { definitionOf } from './partition-key.ts'
import { Storage } from './storage.ts'
import { etagOf, ridOf } from './tokens.ts'

interface Database {
  readonly number: number
  readonly properties: JsonObject
  readonly containers: Map<string, Container>
}

/** See the file head. */
export class Account {
  readonly settings: AccountSettings
  readonly #keepMs: number
  readonly #databases = new Map<string, Database>()
  #count = 0

  constructor(settings: AccountSettings, keepMs: number) {
    this.settings = settings
    this.#keepMs = keepMs
  }

  /** @param endpointOf - Where a region is found. */
  describe(endpointOf: (region: string) => string): Answer {
    const { name, regions, consistency, multipleWriteRegions, maxStalenessSeconds } = this.settings
    const locations = regions.map((region) => ({ name: region, databaseAccountEndpoint: endpointOf(region) }))
    return {
      status: 200,
      body: {
        id: name,
        _rid: `${name}.documents.azure.com`,
        _self: '',
        media: '//media/',
        addresses: '//addresses/',
        _dbs: '//dbs/',
        writableLocations: multipleWriteRegions ? locations : locations.slice(0, 1),
        readableLocations: locations,
        enableMultipleWriteLocations: multipleWriteRegions,
        userConsistencyPolicy: {
          defaultConsistencyLevel: consistency,
          ...(consistency === 'BoundedStaleness'
            ? { maxStalenessPrefix: 100_000, maxIntervalInSeconds: maxStalenessSeconds }
            : {}),
        },
      },
    }
  }

  container(database: string, id: string): Container {
    const found = this.#database(database).containers.get(id)
    if (found === undefined) throw absent('container', id)
    return found
  }

  /** The container that items are asked for; where there is none, the substatus tells it from an absent item. */
  owner(database: string, id: string): Container {
    const found = this.#databases.get(database)?.containers.get(id)
    if (found === undefined) {
      throw new Refusal(404, `The container ${JSON.stringify(id)} does not exist.`, { substatus: 1003 })
    }
    return found
  }

  createDatabase(body: Json, throughput: string | undefined, now: number): Answer {
    if (throughput !== undefined) throw notImplemented('throughput that containers of a database share.')
    const { id } = onlyKnown(body, ['id'])
    refuseBadName(id)
    if (this.#databases.has(id)) throw taken('database', id)
    const number = this.#next()
    const properties = { id, ...systemOf(ridOf(number), number, now), _colls: 'colls/', _users: 'users/' }
    this.#databases.set(id, { number, properties, containers: new Map() })
    return { status: 201, body: properties }
  }

  listDatabases(): Answer {
    const all = [...this.#databases.values()].map(({ properties }) => properties)
    return { status: 200, body: { _rid: '', Databases: all, _count: all.length } }
  }

  readDatabase(id: string): Answer {
    return { status: 200, body: this.#database(id).properties }
  }

  deleteDatabase(id: string): Answer {
    this.#database(id)
    this.#databases.delete(id)
    return { status: 204 }
  }

  createContainer(database: string, body: Json, throughput: string | undefined, now: number): Answer {
    const { number, containers } = this.#database(database)
    const known = onlyKnown(body, ['id', 'partitionKey', 'indexingPolicy'])
    const { id } = known
    refuseBadName(id)
    if (containers.has(id)) throw taken('container', id)
    const own = this.#next()
    const rid = ridOf(number, own | 0x80000000)
    const partitionKey = definitionOf(known.partitionKey)
    const indexing = policyOf(known.indexingPolicy)
    const properties: JsonObject = {
      id,
      partitionKey: { ...partitionKey },
      indexingPolicy: indexing.source,
      conflictResolutionPolicy: {
        mode: 'LastWriterWins',
        conflictResolutionPath: '/_ts',
        conflictResolutionProcedure: '',
      },
      ...systemOf(rid, own, now),
    }
    const settings: ContainerSettings = {
      database,
      id,
      ids: [number, own | 0x80000000],
      rid,
      partitionKey,
      indexing,
      throughput: throughputOf(throughput),
      properties,
    }
    containers.set(id, new Container(settings, new Storage(this.#keepMs)))
    return { status: 201, body: properties }
  }

  listContainers(database: string): Answer {
    const { containers, properties } = this.#database(database)
    const all = [...containers.values()].map(({ settings }) => settings.properties)
    return { status: 200, body: { _rid: properties._rid ?? '', DocumentCollections: all, _count: all.length } }
  }

  readContainer(database: string, id: string): Answer {
    return { status: 200, body: this.container(database, id).settings.properties }
  }

  deleteContainer(database: string, id: string): Answer {
    this.container(database, id)
    this.#database(database).containers.delete(id)
    return { status: 204 }
  }

  #database(id: string): Database {
    const found = this.#databases.get(id)
    if (found === undefined) throw absent('database', id)
    return found
  }

  #next(): number {
    this.#count += 1
    return this.#count
  }
}

function throughputOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const throughput = Number(header)
  if (!Number.isInteger(throughput) || throughput < limits.leastThroughput || throughput % 100 !== 0) {
    throw badRequest(`A throughput of ${header}: at least 400 request units a second, in steps of 100.`)
  }
  return throughput
}

function onlyKnown(body: Json, names: readonly string[]): JsonObject {
  if (!isObject(body)) throw badRequest('A JSON object is needed.')
  for (const name of Object.keys(body)) if (!names.includes(name)) throw notImplemented(`${name} in these settings.`)
  return body
}

function systemOf(rid: string, number: number, now: number): JsonObject {
  return { _rid: rid, _self: `${rid}/`, _etag: etagOf(number), _ts: Math.floor(now / 1_000) }
}

function taken(what: string, id: string): Refusal {
  return new Refusal(409, `A ${what} with the id ${JSON.stringify(id)} already exists.`)
}

function absent(what: string, id: string): Refusal {
  return new Refusal(404, `The ${what} ${JSON.stringify(id)} does not exist.`)
}
