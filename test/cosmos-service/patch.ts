// patch.ts: changes to parts of an item (learn.microsoft.com/azure/cosmos-db/partial-document-update).
// Add, set, replace, remove and incr on properties; arrays by index and move are not implemented.
import { badRequest, notImplemented } from './exchange.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { limits } from './limits.ts'

/** The operations of a patch, counted and known. */
export function patchesIn(body: Json): readonly JsonObject[] {
  if (isObject(body) && body.condition !== undefined) throw notImplemented('conditions of a patch: use If-Match.')
  const operations = isObject(body) ? body.operations : body
  if (!Array.isArray(operations) || operations.length === 0) throw badRequest('A patch has a list of operations.')
  if (operations.length > limits.patchOperations) throw badRequest('A patch has at most 10 operations.')
  for (const operation of operations as readonly Json[])
    if (!isObject(operation)) throw badRequest('An object is needed.')
  return operations as readonly JsonObject[]
}

export function patched(item: JsonObject, operations: readonly JsonObject[]): JsonObject {
  return operations.reduce((before, operation) => applied(before, operation), item)
}

function applied(item: JsonObject, { op, path, value }: JsonObject): JsonObject {
  if (typeof path !== 'string' || !path.startsWith('/')) throw badRequest('A patch has a path.')
  const steps = path
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const [first] = steps
  if (first === 'id' || first?.startsWith('_')) throw badRequest(`A patch cannot change ${path}.`)
  switch (op) {
    case 'add':
    case 'set':
      return changed(item, steps, path, () => required(value, path))
    case 'replace':
      return changed(item, steps, path, (before) => (before === undefined ? missing(path) : required(value, path)))
    case 'remove':
      return changed(item, steps, path, (before) => (before === undefined ? missing(path) : undefined))
    case 'incr':
      return changed(item, steps, path, (before = 0) => {
        if (typeof value !== 'number' || typeof before !== 'number') throw badRequest(`${path} is not a number.`)
        return before + value
      })
    default:
      throw notImplemented(`patches of the kind ${JSON.stringify(op)}.`)
  }
}

function changed(
  root: JsonObject,
  [first, ...rest]: readonly string[],
  path: string,
  change: (before: Json | undefined) => Json | undefined,
): JsonObject {
  if (first === undefined) throw badRequest('A patch has a path.')
  const before = Object.hasOwn(root, first) ? root[first] : undefined
  if (rest.length > 0) {
    if (Array.isArray(before)) throw notImplemented('patches of elements of an array.')
    if (!isObject(before)) return missing(path)
    return { ...root, [first]: changed(before, rest, path, change) }
  }
  const after = change(before)
  if (after !== undefined) return { ...root, [first]: after }
  const { [first]: _, ...others } = root
  return others
}

function required(value: Json | undefined, path: string): Json {
  if (value === undefined) throw badRequest(`A value for ${path} is missing.`)
  return value
}

function missing(path: string): never {
  throw badRequest(`There is nothing at ${path}.`)
}
