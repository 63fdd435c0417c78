// items.ts: the operations on one item, each decided against the last committed state, each as a value:
// a point operation writes its change alone, a batch collects the changes of all (learn.microsoft.com/rest/api/cosmos-db).
import {
  createCharge,
  deleteCharge,
  missCharge,
  patchCharge,
  readCharge,
  replaceCharge,
  type Weighed,
} from './charges.ts'
import type { Container } from './container.ts'
import { badRequest, notImplemented, Refusal } from './exchange.ts'
import { termsOf } from './indexing.ts'
import { bytesOf, isObject, type Json, type JsonObject } from './json.ts'
import { refuseBadId, refuseLongItem } from './limits.ts'
import { keyIn, nameOf, type PartitionKey } from './partition-key.ts'
import { patched, patchesIn } from './patch.ts'
import type { Change, StoredItem } from './storage.ts'
import { etagOf, ridOf } from './tokens.ts'

/** What an operation is decided in. */
export interface Transaction {
  readonly container: Container
  readonly key: PartitionKey
  readonly now: number
  readonly nextWrite: () => number
  /** The item as this transaction sees it, its own writes included. */
  find(id: string): StoredItem | undefined
}

export interface Conditions {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
}

/** What became of an operation that was not refused. */
export interface Outcome {
  readonly status: number
  readonly charge: number
  readonly item?: JsonObject
  readonly etag?: string
  readonly change?: Change
}

/** See the file head. */
export type Operation =
  | { readonly kind: 'create' | 'upsert'; readonly body: Json; readonly conditions: Conditions }
  | { readonly kind: 'replace' | 'patch'; readonly id: string; readonly body: Json; readonly conditions: Conditions }
  | { readonly kind: 'delete'; readonly id: string; readonly conditions: Conditions }

export function decide(transaction: Transaction, operation: Operation): Outcome {
  switch (operation.kind) {
    case 'create':
      return create(transaction, operation.body, operation.conditions)
    case 'upsert':
      return upsert(transaction, operation.body, operation.conditions)
    case 'replace':
      return replace(transaction, operation.id, operation.body, operation.conditions)
    case 'patch':
      return patch(transaction, operation.id, operation.body, operation.conditions)
    case 'delete':
      return remove(transaction, operation.id, operation.conditions)
    default:
      return operation satisfies never
  }
}

/** A point read's outcome; `factor` is 2 at the strong levels. */
export function read(found: StoredItem | undefined, { ifMatch, ifNoneMatch }: Conditions, factor: number): Outcome {
  if (ifMatch !== undefined) throw notImplemented('If-Match on a read.')
  if (found === undefined) throw absent(missCharge(factor))
  if (ifNoneMatch === found.etag) return { status: 304, charge: missCharge(factor), etag: found.etag }
  return { status: 200, charge: readCharge(found.bytes, factor), item: found.item, etag: found.etag }
}

function create(transaction: Transaction, body: Json, conditions: Conditions): Outcome {
  if (conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined) {
    throw notImplemented('If-Match and If-None-Match on a create: it is refused with 409 where the id is taken.')
  }
  const item = itemOf(transaction, body)
  if (transaction.find(item.id) !== undefined) {
    throw new Refusal(409, `An item with the id ${JSON.stringify(item.id)} already exists.`, { charge: missCharge(1) })
  }
  const change = stored(transaction, item, undefined)
  return written(201, change, createCharge(change.version))
}

/** With If-Match it still creates what is not there (github.com/Azure/azure-cosmos-dotnet-v3/issues/1698). */
function upsert(transaction: Transaction, body: Json, conditions: Conditions): Outcome {
  const item = itemOf(transaction, body)
  const before = transaction.find(item.id)
  if (before !== undefined) refuseStale(before, conditions)
  const change = stored(transaction, item, before)
  return before === undefined
    ? written(201, change, createCharge(change.version))
    : written(200, change, replaceCharge(before, change.version))
}

function replace(transaction: Transaction, id: string, body: Json, conditions: Conditions): Outcome {
  const item = itemOf(transaction, body)
  const before = existing(transaction, id)
  if (item.id !== id) throw badRequest(`The item's id ${JSON.stringify(item.id)} is not that of the request.`)
  refuseStale(before, conditions)
  const change = stored(transaction, item, before)
  return written(200, change, replaceCharge(before, change.version))
}

function patch(transaction: Transaction, id: string, body: Json, conditions: Conditions): Outcome {
  const operations = patchesIn(body)
  const before = existing(transaction, id)
  refuseStale(before, conditions)
  const item = itemOf(transaction, patched(before.item, operations))
  const change = stored(transaction, item, before)
  return written(200, change, patchCharge(before, change.version, operations.length))
}

function remove(transaction: Transaction, id: string, conditions: Conditions): Outcome {
  const before = existing(transaction, id)
  refuseStale(before, conditions)
  const gone = {
    item: undefined,
    etag: etagOf(transaction.nextWrite()),
    rid: before.rid,
    bytes: 0,
    terms: new Set<string>(),
  }
  return { status: 204, charge: deleteCharge(before), change: { id, version: gone } }
}

/** An item is an object with an id, a partition key that is the request's, and a size that is allowed. */
function itemOf({ container, key }: Transaction, body: Json): JsonObject & { readonly id: string } {
  if (!isObject(body)) throw badRequest('An item is a JSON object.')
  const { _rid, _self, _etag, _ts, _attachments, ...item } = body
  const { id } = item
  refuseBadId(id)
  if (item.ttl !== undefined) throw notImplemented('time to live.')
  if (nameOf(keyIn(item, container.settings.partitionKey)) !== nameOf(key)) {
    throw badRequest('The partition key in the item is not the one of the request.', 1001)
  }
  return { ...item, id }
}

function existing(transaction: Transaction, id: string): StoredItem {
  const found = transaction.find(id)
  if (found === undefined) throw absent(missCharge(1))
  return found
}

function refuseStale({ etag }: StoredItem, { ifMatch, ifNoneMatch }: Conditions): void {
  if (ifMatch === '*' || ifNoneMatch === '*') throw notImplemented('* as an etag.')
  if ((ifMatch !== undefined && ifMatch !== etag) || ifNoneMatch === etag) {
    throw new Refusal(412, 'One of the specified preconditions is not met.', { charge: missCharge(1) })
  }
}

/** The change that writes an item: measured, and with what the service adds to it. */
function stored(transaction: Transaction, item: JsonObject & { readonly id: string }, before?: StoredItem): Change {
  const { container, now } = transaction
  const bytes = bytesOf(JSON.stringify(item))
  refuseLongItem(bytes)
  const write = transaction.nextWrite()
  const etag = etagOf(write)
  const rid = before?.rid ?? ridOf(...container.settings.ids, write)
  const weighed: Weighed = { bytes, terms: termsOf(item, container.settings.indexing) }
  const self = `${container.link}/docs/${rid}/`
  const system = { _rid: rid, _self: self, _etag: etag, _attachments: 'attachments/', _ts: Math.floor(now / 1_000) }
  return { id: item.id, version: { ...weighed, item: { ...item, ...system }, etag, rid } }
}

function written(status: number, change: Change, charge: number): Outcome {
  const { item, etag } = change.version
  return { status, charge, etag, change, ...(item === undefined ? {} : { item }) }
}

function absent(charge: number): Refusal {
  return new Refusal(404, 'Entity with the specified id does not exist in the system.', { charge })
}
