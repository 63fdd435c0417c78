// partition-key.ts: which logical partition an item or a request belongs to
// (learn.microsoft.com/azure/cosmos-db/hierarchical-partition-keys).
import { badRequest, notImplemented } from './exchange.ts'
import { bytesOf, isObject, type Json, type JsonObject, valueAt } from './json.ts'
import { limits } from './limits.ts'

export interface PartitionKeyDefinition {
  readonly paths: readonly string[]
  readonly kind: 'Hash' | 'MultiHash'
  readonly version: 2
}

/** The values of all levels. */
export type PartitionKey = readonly (string | number | boolean | null)[]

/** Reads the definition of a container that is to be created. */
export function definitionOf(value: Json | undefined): PartitionKeyDefinition {
  if (!isObject(value) || !Array.isArray(value.paths)) throw badRequest('A container needs a partition key definition.')
  const paths = value.paths as readonly Json[]
  const hierarchical = paths.length > 1
  const { kind = 'Hash', version = 2 } = value
  if (paths.length === 0 || paths.length > limits.keyLevels) throw badRequest('A partition key has one to three paths.')
  for (const path of paths) {
    if (typeof path !== 'string' || !/^\/[^/]/.test(path)) throw badRequest('Paths of a partition key start with /.')
    if (!/^(\/[A-Za-z_][A-Za-z0-9_]*)+$/.test(path)) throw notImplemented(`the partition key path ${path}.`)
  }
  for (const name of Object.keys(value)) {
    if (!['paths', 'kind', 'version'].includes(name)) throw notImplemented(`${name} in a partition key definition.`)
  }
  if (version !== 2) throw notImplemented('partition keys other than of version 2.')
  if (hierarchical !== (kind === 'MultiHash')) {
    throw badRequest('A hierarchical partition key is of the kind MultiHash, any other is Hash.')
  }
  return { paths: paths as readonly string[], kind: hierarchical ? 'MultiHash' : 'Hash', version: 2 }
}

/** The key that an item carries in itself. */
export function keyIn(item: JsonObject, { paths }: PartitionKeyDefinition): PartitionKey {
  return paths.map((path) => checked(valueAt(item, path.slice(1).split('/'))))
}

/** The key that a request names in its header; all levels of it, or 400. */
export function keyOf(header: string | undefined, definition: PartitionKeyDefinition): PartitionKey {
  if (header === undefined) throw badRequest('PartitionKey value must be supplied for this operation.')
  const values = parsed(header)
  if (values.length !== definition.paths.length) {
    throw badRequest(
      `The partition key has ${values.length} values, the container's definition has ${definition.paths.length}.`,
      1001,
    )
  }
  return values.map(checked)
}

/** Whether a key in a header lacks levels that the container has. */
export function isPrefix(header: string, { paths }: PartitionKeyDefinition): boolean {
  return parsed(header).length < paths.length
}

/** One text per logical partition. */
export function nameOf(key: PartitionKey): string {
  return JSON.stringify(key)
}

function parsed(header: string): readonly Json[] {
  try {
    const values = JSON.parse(header) as Json
    if (Array.isArray(values)) return values as readonly Json[]
  } catch {
    // Answered below.
  }
  throw badRequest('The partition key header is not a JSON array.')
}

function checked(value: Json | undefined): PartitionKey[number] {
  if (value === undefined || isObject(value)) throw notImplemented('items without a value for their partition key.')
  if (Array.isArray(value)) throw badRequest('A partition key value is a string, a number, a boolean or null.')
  if (typeof value === 'string' && bytesOf(value) > limits.partitionKeyBytes) {
    throw badRequest(`A partition key value has at most ${limits.partitionKeyBytes} bytes.`)
  }
  return value as PartitionKey[number]
}
