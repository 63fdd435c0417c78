// service.ts: a model of the Azure Cosmos DB service: a request in, a response out, all at one instant.
// Pure but for what it is given: no clock, no randomness, no timers of its own. A request is first accepted, which
// draws its fault, and then served; what lies between and after is the transport's (carry.ts).
//   S1  Whatever is not implemented is answered with 501 and a text.
//   S2  A refused request changes nothing.
//   S3  A request is served at one instant: no two interleave.
import { Account } from './account.ts'
import { authorize, type Keys } from './authorization.ts'
import type { ConsistencyLevel } from './consistency.ts'
import type { AccountSettings, Context } from './context.ts'
import { type Answer, notImplemented, Refusal, type ServiceRequest, type ServiceResponse } from './exchange.ts'
import { type Fault, Faults, failureOf, refusalBy } from './faults.ts'
import { answerOf, callOf, type ItemRoute, parsedBody, placeOf, scopeOf } from './item-requests.ts'
import type { PartitionKey } from './partition-key.ts'
import { refuseUnknownHeaders } from './request-headers.ts'
import { type Route, routeOf } from './routes.ts'
import { Usage } from './usage.ts'

/** Opens the account of a service that was given no other key: public, as it guards nothing. */
export const defaultKey: string = Buffer.from('a key of the test service, known to everybody').toString('base64')

/** See {@link CosmosService}. */
export interface ServiceOptions {
  /** Milliseconds since 1970. */
  now(): number
  /** From 0 up to 1. */
  random(): number
  readonly name?: string
  readonly key?: string
  /** Entra tokens that are let in beside the key. */
  readonly tokens?: readonly string[]
  /** Default: `Session`, as for a new account. */
  readonly consistency?: ConsistencyLevel
  /** Of bounded staleness; default 5, the least of an account with one region. */
  readonly maxStalenessSeconds?: number
  /** Default: one. The first takes the writes. */
  readonly regions?: readonly [string, ...string[]]
  readonly multipleWriteRegions?: boolean
  /** How far replicas may be behind; each read draws between 0 and this. Default 0. */
  readonly maxLagMs?: number
  /** How much of the past is kept beyond that, for {@link CosmosService.rollBack} without a mark. */
  readonly historyMs?: number
}

/** What becomes of a request. */
export interface Served {
  readonly fate: 'answered' | 'connection broken' | 'silence'
  readonly response: ServiceResponse
  /** How late the answer leaves. */
  readonly delayMs: number
}

/** A request that has arrived. */
export interface Visit {
  /** How long it waits before it is served. */
  readonly delayMs: number
  serve(): Served
}

/** See the file head. */
export class CosmosService {
  readonly faults: Faults
  /** What was asked and paid so far. */
  readonly usage: Usage = new Usage()
  readonly settings: AccountSettings
  readonly #account: Account
  readonly #options: ServiceOptions
  readonly #keys: Keys
  #writes = 0
  #requests = 0

  constructor(options: ServiceOptions) {
    const { name = 'interstate', regions = ['West Europe'], maxLagMs = 0, historyMs = 0 } = options
    this.#options = options
    this.settings = {
      name,
      regions,
      consistency: options.consistency ?? 'Session',
      multipleWriteRegions: options.multipleWriteRegions ?? false,
      maxStalenessSeconds: options.maxStalenessSeconds ?? 5,
    }
    this.#keys = { key: options.key ?? defaultKey, tokens: options.tokens ?? [] }
    this.#account = new Account(this.settings, maxLagMs + historyMs)
    this.faults = new Faults(options.random)
  }

  accept(request: ServiceRequest): Visit {
    const fault = this.#faultOf(request)
    const delayMs = fault?.kind === 'delay request' ? fault.ms : 0
    return { delayMs, serve: () => this.#serve(request, fault) }
  }

  /** Remembers where a container is, to come back to. */
  mark(database: string, container: string): { readonly lsn: number; release(): void } {
    return this.#account.container(database, container).storage.mark()
  }

  /**
   * Loses the newest writes, as a failover to another region may: back to a mark or to so many milliseconds ago.
   *
   * @param only - A whole partition key: only this logical partition, which no failover does.
   */
  rollBack(database: string, container: string, to: { lsn: number } | { agoMs: number }, only?: PartitionKey): void {
    const { storage } = this.#account.container(database, container)
    storage.rollBack('lsn' in to ? to.lsn : storage.lsnAt(this.#options.now() - to.agoMs), only)
  }

  #faultOf(request: ServiceRequest): Fault | undefined {
    try {
      const { route } = routeOf(request)
      return route.about === 'items' ? this.faults.take(callOf(route, request)) : undefined
    } catch (refusal) {
      if (refusal instanceof Refusal) return undefined
      throw refusal
    }
  }

  #serve(request: ServiceRequest, fault: Fault | undefined): Served {
    if (fault?.kind === 'drop request') {
      return { fate: 'connection broken', response: { status: 0, headers: {}, body: '' }, delayMs: 0 }
    }
    const response = this.#respond(request, fault)
    this.usage.note(request, response)
    const fate =
      fault?.kind === 'drop answer' ? 'connection broken' : fault?.kind === 'withhold answer' ? 'silence' : 'answered'
    return { fate, response, delayMs: fault?.kind === 'delay answer' ? fault.ms : 0 }
  }

  #respond(request: ServiceRequest, fault: Fault | undefined): ServiceResponse {
    let answer: Answer
    try {
      answer = this.#answer(request, fault)
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      answer = refusal.answer
    }
    this.#requests += 1
    const { headers = {}, status, body } = answer
    const text = body === undefined ? '' : JSON.stringify(body)
    const activity =
      request.headers['x-ms-activity-id'] ?? `00000000-0000-0000-0000-${String(this.#requests).padStart(12, '0')}`
    return {
      status,
      headers: {
        'content-type': 'application/json',
        date: new Date(this.#options.now()).toUTCString(),
        'x-ms-activity-id': activity,
        'x-ms-request-charge': '0',
        'x-ms-version': '2020-07-15',
        ...headers,
      },
      body: text,
    }
  }

  #answer(request: ServiceRequest, fault: Fault | undefined): Answer {
    const routed = routeOf(request)
    authorize(request, routed, this.#keys)
    refuseUnknownHeaders(request)
    const { route } = routed
    switch (route.about) {
      case 'account':
        return this.#account.describe((region) => request.origin ?? this.#endpointOf(region))
      case 'database':
        return this.#onDatabase(route, request)
      case 'container':
        return this.#onContainer(route, request)
      case 'items':
        return this.#onItems(route, request, fault)
      default:
        return route satisfies never
    }
  }

  #endpointOf(region: string): string {
    const { name } = this.settings
    const place = region.toLowerCase().replaceAll(' ', '')
    return `https://${name}-${place}.documents.azure.com:443/`
  }

  #onDatabase(route: Route & { about: 'database' }, request: ServiceRequest): Answer {
    switch (route.operation) {
      case 'create':
        return this.#account.createDatabase(parsedBody(request), throughputIn(request), this.#options.now())
      case 'list':
        return this.#account.listDatabases()
      case 'read':
        return this.#account.readDatabase(route.database)
      case 'delete':
        return this.#account.deleteDatabase(route.database)
      default:
        return route satisfies never
    }
  }

  #onContainer(
    { operation, database, container = '' }: Route & { about: 'container' },
    request: ServiceRequest,
  ): Answer {
    switch (operation) {
      case 'create':
        return this.#account.createContainer(database, parsedBody(request), throughputIn(request), this.#options.now())
      case 'list':
        return this.#account.listContainers(database)
      case 'read':
        return this.#account.readContainer(database, container)
      case 'delete':
        return this.#account.deleteContainer(database, container)
      default:
        return operation satisfies never
    }
  }

  #onItems(route: ItemRoute, request: ServiceRequest, fault: Fault | undefined): Answer {
    const container = this.#account.owner(route.database, route.container)
    const refusal = refusalBy(fault)
    if (refusal !== undefined) throw refusal
    if (this.settings.multipleWriteRegions) throw notImplemented('items of an account with several write regions.')
    const key = scopeOf(route, request, container.settings.partitionKey)
    const now = this.#options.now()
    let charged = 0
    const context: Context = {
      request,
      container,
      account: this.settings,
      now,
      lagMs: fault?.kind === 'lag' ? fault.ms : this.#options.random() * (this.#options.maxLagMs ?? 0),
      nextWrite: () => {
        this.#writes += 1
        return this.#writes
      },
      charge: (units) => {
        charged += units
      },
    }
    if (route.operation !== 'ranges' && route.operation !== 'query plan') container.admit(key, now)
    try {
      const answer = answerUnder(fault, () => answerOf(route, context, key, fault))
      return { ...answer, headers: { 'x-ms-request-charge': String(charged), ...placeOf(context), ...answer.headers } }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      charged += error.charge
      throw new Refusal(error.status, error.message, {
        charge: charged,
        ...(error.substatus === undefined ? {} : { substatus: error.substatus }),
        headers: { ...placeOf(context), ...error.headers },
      })
    } finally {
      container.pay(charged, key, now)
    }
  }
}

/** A failed request tells nothing, neither that it was served nor that it was refused. */
function answerUnder(fault: Fault | undefined, answer: () => Answer): Answer {
  if (fault?.kind !== 'fail') return answer()
  try {
    answer()
  } catch (error) {
    if (!(error instanceof Refusal) || error.status === 501) throw error
  }
  throw failureOf(fault.status)
}

function throughputIn({ headers }: ServiceRequest): string | undefined {
  return headers['x-ms-offer-throughput']
}
