// item-requests.ts: how a request about items is answered: which rule it goes to, and what its headers mean to it.
import { decideBatch } from './batch.ts'
import { sessionLost } from './consistency.ts'
import { type Context, factorOf, lsnFor, type Scope } from './context.ts'
import { type Answer, badRequest, notImplemented, Refusal, type ServiceRequest } from './exchange.ts'
import type { Call, Fault } from './faults.ts'
import { answerFeed } from './feeds.ts'
import { type Conditions, decide, type Operation, type Outcome, read, type Transaction } from './items.ts'
import type { Json } from './json.ts'
import { limits, refuseLongBatch } from './limits.ts'
import { isPrefix, keyOf, type PartitionKey, type PartitionKeyDefinition } from './partition-key.ts'
import { answerPlan, answerQuery } from './query.ts'
import type { Route } from './routes.ts'
import { sessionToken } from './tokens.ts'

/** A route to items. */
export type ItemRoute = Route & { readonly about: 'items' }

/** Serves a request about items. */
export function answerOf(route: ItemRoute, context: Context, key: Scope, fault: Fault | undefined): Answer {
  const isRead = ['read', 'query', 'feed'].includes(route.operation)
  if (isRead && fault?.kind === 'lose session') throw sessionLost()
  const { request } = context
  switch (route.operation) {
    case 'ranges':
      return rangesOf(context)
    case 'query plan':
      return answerPlan(context)
    case 'query':
      return answerQuery(context, key)
    case 'feed':
      return answerFeed(context, key)
    case 'read': {
      const partition = context.container.storage.partition(present(key))
      const found = context.container.storage.find(partition, route.id ?? '', lsnFor(context))
      return answerTo(context, read(found, conditionsOf(request), factorOf(context)))
    }
    case 'batch':
      return answerBatch(context, present(key), fault)
    default: {
      refuseOtherRegion(context)
      const transaction = transactionOf(context, present(key))
      const outcome = decide(transaction, operationOf(route, request))
      if (outcome.change !== undefined) context.container.storage.write(transaction.key, [outcome.change], context.now)
      return answerTo(context, outcome)
    }
  }
}

function answerBatch(context: Context, key: PartitionKey, fault: Fault | undefined): Answer {
  refuseOtherRegion(context)
  const { request, container, now } = context
  refuseLongBatch(request.body)
  if (fault?.kind === 'slow execution' && fault.ms > limits.executionMs) {
    throw new Refusal(408, `The batch was given up after ${limits.executionMs} ms, and nothing was written.`)
  }
  const isMinimal = request.headers.prefer === 'return=minimal'
  const batch = decideBatch(transactionOf(context, key), parsedBody(request), factorOf(context), isMinimal)
  context.charge(batch.charge)
  if (batch.changes.length > 0) container.storage.write(key, batch.changes, now)
  return { status: batch.status, body: batch.results }
}

function transactionOf({ container, now, nextWrite }: Context, key: PartitionKey): Transaction {
  const { storage } = container
  return { container, key, now, nextWrite, find: (id) => storage.find(storage.partition(key), id) }
}

function operationOf({ operation, id = '' }: ItemRoute, request: ServiceRequest): Operation {
  const conditions = conditionsOf(request)
  switch (operation) {
    case 'create':
    case 'upsert':
      return { kind: operation, body: parsedBody(request), conditions }
    case 'replace':
    case 'patch':
      return { kind: operation, id, body: parsedBody(request), conditions }
    case 'delete':
      return { kind: operation, id, conditions }
    default:
      throw notImplemented(operation)
  }
}

function answerTo({ charge }: Context, { status, charge: units, item, etag }: Outcome): Answer {
  charge(units)
  return { status, ...(item === undefined ? {} : { body: item }), ...(etag === undefined ? {} : { headers: { etag } }) }
}

/** The client needs these three to keep its session. */
export function placeOf({ container }: Context): Readonly<Record<string, string>> {
  const { storage, settings } = container
  return {
    'x-ms-session-token': sessionToken(storage.rollbacks, storage.lsn),
    'x-ms-content-path': settings.rid,
    'x-ms-alt-content-path': container.link,
    lsn: String(storage.lsn),
  }
}

function rangesOf({ container: { settings } }: Context): Answer {
  const range = {
    id: '0',
    minInclusive: '',
    maxExclusive: 'FF',
    ridPrefix: 0,
    throughputFraction: 1,
    status: 'online',
    parents: [],
  }
  return { status: 200, body: { _rid: settings.rid, PartitionKeyRanges: [range], _count: 1 } }
}

/** Which logical partition a request is about; feeds and queries may leave it open. */
export function scopeOf(
  { operation }: ItemRoute,
  { headers }: ServiceRequest,
  definition: PartitionKeyDefinition,
): Scope {
  const header = headers['x-ms-documentdb-partitionkey']
  const range = headers['x-ms-documentdb-partitionkeyrangeid']
  if (range !== undefined && range !== '0') throw notImplemented(`the partition key range ${range}.`)
  const isOpen = ['query', 'feed', 'ranges', 'query plan'].includes(operation)
  if (isOpen && header === undefined) return undefined
  if (isOpen && header !== undefined && isPrefix(header, definition)) {
    throw notImplemented('a prefix of a partition key as an option: it goes into WHERE.')
  }
  return keyOf(header, definition)
}

/** Substatus 3: the region does not take writes. */
function refuseOtherRegion({ request: { region }, account: { regions } }: Context): void {
  if (region !== undefined && region !== regions[0]) {
    throw new Refusal(403, `The region ${region} does not take writes.`, { substatus: 3 })
  }
}

function conditionsOf({ headers }: ServiceRequest): Conditions {
  return { ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] }
}

function present(key: Scope): PartitionKey {
  if (key === undefined) throw badRequest('PartitionKey value must be supplied for this operation.')
  return key
}

export function parsedBody({ body }: ServiceRequest): Json {
  try {
    return JSON.parse(body) as Json
  } catch {
    throw badRequest('The request body is not JSON.')
  }
}

export function callOf({ operation, database, container, id }: ItemRoute, { headers }: ServiceRequest): Call {
  return { operation, database, container, id, partitionKey: headers['x-ms-documentdb-partitionkey'] }
}
