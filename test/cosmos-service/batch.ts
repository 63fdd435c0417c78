// batch.ts: several operations on one logical partition, all or none
// (learn.microsoft.com/azure/cosmos-db/transactional-batch).
//   B1  Operations are decided in their order, each seeing what those before it would write.
//   B2  The first one refused decides: its own status for it, 424 for all others, nothing is written.
//   B3  All changes are written under one LSN.
import { rounded } from './charges.ts'
import { badRequest, notImplemented, Refusal } from './exchange.ts'
import { type Conditions, decide, type Operation, type Outcome, read, type Transaction } from './items.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { refuseBadId, refuseManyOperations } from './limits.ts'
import { keyOf, nameOf } from './partition-key.ts'
import type { Change, StoredItem } from './storage.ts'

/** What a batch came to. */
export interface BatchOutcome {
  readonly status: 200 | 207
  readonly results: readonly JsonObject[]
  readonly charge: number
  readonly changes: readonly Change[]
}

/** @param isMinimal - Whether writes answer without the item (`Prefer: return=minimal`). */
export function decideBatch(outer: Transaction, body: Json, factor: number, isMinimal: boolean): BatchOutcome {
  if (!Array.isArray(body)) throw badRequest('A batch is a list of operations.')
  const operations = body as readonly Json[]
  refuseManyOperations(operations.length)
  const changes = new Map<string, Change>()
  const transaction: Transaction = { ...outer, find: (id) => pending(changes, id, outer) }
  const outcomes: Outcome[] = []
  for (const operation of operations) {
    try {
      const outcome = decideOne(transaction, operation, factor)
      if (outcome.change !== undefined) changes.set(outcome.change.id, outcome.change)
      outcomes.push(outcome)
    } catch (refusal) {
      if (!(refusal instanceof Refusal) || refusal.status === 501) throw refusal
      return failed(operations.length, outcomes, refusal)
    }
  }
  return {
    status: 200,
    results: outcomes.map((outcome) => resultOf(outcome, isMinimal)),
    charge: rounded(outcomes.reduce((sum, { charge }) => sum + charge, 0)),
    changes: [...changes.values()],
  }
}

function failed(count: number, before: readonly Outcome[], refusal: Refusal): BatchOutcome {
  const results = Array.from({ length: count }, (_, index): JsonObject => {
    if (index !== before.length) return { statusCode: 424, requestCharge: 0 }
    return { statusCode: refusal.status, requestCharge: refusal.charge, message: refusal.message }
  })
  const charge = rounded(before.reduce((sum, outcome) => sum + outcome.charge, refusal.charge))
  return { status: 207, results, charge, changes: [] }
}

function resultOf({ status, charge, etag, item, change }: Outcome, isMinimal: boolean): JsonObject {
  return {
    statusCode: status,
    requestCharge: charge,
    ...(etag === undefined ? {} : { eTag: etag }),
    ...(item === undefined || (isMinimal && change !== undefined) ? {} : { resourceBody: item }),
  }
}

function pending(changes: ReadonlyMap<string, Change>, id: string, outer: Transaction): StoredItem | undefined {
  const change = changes.get(id)
  if (change === undefined) return outer.find(id)
  const { item } = change.version
  return item === undefined ? undefined : { ...change.version, item, lsn: Number.POSITIVE_INFINITY }
}

function decideOne(transaction: Transaction, operation: Json, factor: number): Outcome {
  if (!isObject(operation)) throw badRequest('An operation is an object.')
  for (const name of Object.keys(operation)) {
    if (!known.includes(name)) throw notImplemented(`${name} in an operation of a batch.`)
  }
  const { operationType: type, resourceBody: body = null, partitionKey } = operation
  if (partitionKey !== undefined) refuseOtherPartition(transaction, partitionKey)
  const conditions = { ifMatch: textOf(operation.ifMatch), ifNoneMatch: textOf(operation.ifNoneMatch) }
  if (type === 'Read') return readOne(transaction, idOf(operation), conditions, factor)
  return decide(transaction, operationOf(String(type), operation, body, conditions))
}

const known = ['operationType', 'resourceBody', 'partitionKey', 'ifMatch', 'ifNoneMatch', 'id']

function operationOf(type: string, operation: JsonObject, body: Json, conditions: Conditions): Operation {
  switch (type) {
    case 'Create':
      return { kind: 'create', body, conditions }
    case 'Upsert':
      return { kind: 'upsert', body, conditions }
    case 'Replace':
      return { kind: 'replace', id: idOf(operation), body, conditions }
    case 'Patch':
      return { kind: 'patch', id: idOf(operation), body, conditions }
    case 'Delete':
      return { kind: 'delete', id: idOf(operation), conditions }
    default:
      throw badRequest(`${type} is not an operation of a batch.`)
  }
}

function readOne(transaction: Transaction, id: string, conditions: Conditions, factor: number): Outcome {
  if (conditions.ifNoneMatch !== undefined) throw notImplemented('If-None-Match on a read within a batch.')
  return read(transaction.find(id), conditions, factor)
}

function refuseOtherPartition({ key, container }: Transaction, header: Json): void {
  if (typeof header !== 'string') throw badRequest('The partition key of an operation is the text of a JSON array.')
  if (nameOf(keyOf(header, container.settings.partitionKey)) !== nameOf(key)) {
    throw badRequest('All operations of a batch have the same partition key.', 1001)
  }
}

function idOf({ id }: JsonObject): string {
  refuseBadId(id)
  return id
}

function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw badRequest('An etag is a text.')
}
