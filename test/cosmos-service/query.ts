// query.ts: what a query answers: rows of one logical partition, or of all that its condition leaves
// (learn.microsoft.com/azure/cosmos-db/how-to-query-container, /rest/api/cosmos-db/querying-cosmosdb-resources-using-the-rest-api).
//   Q1  A prefix of a hierarchical key is a condition like any other: it goes into WHERE.
//   Q2  Without the whole key only filters and projections are answered; order and windows need one logical partition.
//   Q3  A page goes on behind the last row of the one before, whatever was written in between.
import { queryCharge } from './charges.ts'
import { meets, ordered, pathsIn, requiredAt } from './conditions.ts'
import { type Context, factorOf, lsnFor, type Scope } from './context.ts'
import { type Answer, badRequest, notImplemented } from './exchange.ts'
import { isObject, type Json, type JsonObject, valueAt } from './json.ts'
import { limits } from './limits.ts'
import { pageSize } from './pages.ts'
import { type Condition, type Path, type Projection, parsed, type Query } from './query-language.ts'
import type { StoredItem } from './storage.ts'
import { continuationOf, positionOf } from './tokens.ts'

/** Behind which row a page begins, and how many rows of OFFSET and LIMIT went before. */
interface Position {
  readonly rid: string
  readonly key: Json | undefined
  readonly seen: number
}

export function answerQuery(context: Context, scope: Scope): Answer {
  const { request, container } = context
  const query = queryIn(request.body)
  refuseUnanswerable(context, query, scope)
  const asked = `${request.body} ${JSON.stringify(scope ?? null)}`
  const continuation = request.headers['x-ms-continuation']
  const position = continuation === undefined ? undefined : positionAt(positionOf(asked, continuation))
  const factor = factorOf(context)
  const isScan = pathsIn(query.where).some((path) => !isIndexed(context, path))
  const all = itemsOf(context, scope, isScan ? undefined : query.where)
  const rows = inOrder(
    all.filter(({ item }) => query.where === undefined || meets(item, query.where) === true),
    query,
  )
  const { page, next } = pageOf(rows, query, position, pageSize(request.headers['x-ms-max-item-count']))
  const charge = queryCharge(
    (isScan ? all : page).map(({ bytes }) => bytes),
    factor,
  )
  context.charge(charge)
  const documents = page.flatMap(({ item }) => projected(item, query.select))
  return {
    status: 200,
    headers: {
      'x-ms-item-count': String(documents.length),
      ...(next === undefined ? {} : { 'x-ms-continuation': continuationOf(asked, writtenDown(next)) }),
    },
    body: { _rid: container.settings.rid, Documents: documents, _count: documents.length },
  }
}

/** What the client asks beforehand, to know where to send a query: the whole of the one range. */
export function answerPlan(context: Context): Answer {
  const query = queryIn(context.request.body)
  if (query.orderBy !== undefined || query.limit !== Number.POSITIVE_INFINITY) {
    throw notImplemented('plans of queries with ORDER BY, OFFSET and LIMIT: name the whole partition key.')
  }
  return {
    status: 200,
    body: {
      partitionedQueryExecutionInfoVersion: 2,
      queryInfo: {
        distinctType: 'None',
        orderBy: [],
        orderByExpressions: [],
        groupByExpressions: [],
        groupByAliases: [],
        aggregates: [],
        groupByAliasToAggregateType: {},
        rewrittenQuery: '',
        hasSelectValue: query.select.kind === 'value',
        hasNonStreamingOrderBy: false,
      },
      queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
    },
  }
}

function queryIn(body: string): Query {
  const spec = JSON.parse(body) as Json
  if (!isObject(spec) || typeof spec.query !== 'string') throw badRequest('A query is an object with the text `query`.')
  const parameters: Record<string, Json> = {}
  for (const parameter of Array.isArray(spec.parameters) ? (spec.parameters as readonly Json[]) : []) {
    if (!isObject(parameter) || typeof parameter.name !== 'string') throw badRequest('A parameter has a name.')
    if (parameter.value !== undefined) parameters[parameter.name] = parameter.value
  }
  return parsed(spec.query, parameters)
}

function refuseUnanswerable(context: Context, { orderBy, limit }: Query, scope: Scope): void {
  if (scope === undefined && (orderBy !== undefined || limit !== Number.POSITIVE_INFINITY)) {
    throw notImplemented('ORDER BY, OFFSET and LIMIT over several logical partitions: name the whole partition key.')
  }
  if (orderBy !== undefined && !isIndexed(context, orderBy.path)) {
    throw badRequest('The index path corresponding to the specified order-by item is excluded.')
  }
}

/** `id` and `_ts` always are. */
function isIndexed({ container }: Context, path: Path): boolean {
  if (path.length === 1 && (path[0] === 'id' || path[0] === '_ts')) return true
  return container.settings.indexing.includes(path.map((step) => (typeof step === 'number' ? '[]' : step)))
}

/** @param where - Partitions that cannot meet it need not be looked at; `undefined`: all are. */
function itemsOf(context: Context, scope: Scope, where: Condition | undefined): readonly StoredItem[] {
  const { storage, settings } = context.container
  const lsn = lsnFor(context)
  if (scope !== undefined) {
    const partition = storage.partition(scope)
    return partition === undefined ? [] : storage.all(partition, lsn)
  }
  const fixed = settings.partitionKey.paths.map((path) => requiredAt(where, path.slice(1)))
  return [...storage.partitions.values()]
    .filter(({ key }) => key.every((value, level) => fixed[level] === undefined || fixed[level] === value))
    .flatMap((partition) => storage.all(partition, lsn))
}

function inOrder(items: readonly StoredItem[], { orderBy }: Query): readonly StoredItem[] {
  return items.toSorted((left, right) => {
    const byPath =
      orderBy === undefined ? 0 : ordered(valueAt(left.item, orderBy.path), valueAt(right.item, orderBy.path))
    const byRid = left.rid < right.rid ? -1 : 1
    return byPath === 0 ? byRid : orderBy?.descending ? -byPath : byPath
  })
}

function pageOf(
  rows: readonly StoredItem[],
  query: Query,
  position: Position | undefined,
  size: number,
): { readonly page: readonly StoredItem[]; readonly next: Position | undefined } {
  const end = query.offset + query.limit
  let seen = position?.seen ?? 0
  let bytes = 0
  const page: StoredItem[] = []
  const left = rows.filter((row) => position === undefined || isBehind(row, query, position))
  for (const row of left) {
    if (seen >= end) break
    if (page.length >= size || bytes + row.bytes > limits.pageBytes) {
      const last = page.at(-1)
      if (last === undefined) break
      return { page, next: { rid: last.rid, key: keyOf(last, query), seen } }
    }
    seen += 1
    if (seen <= query.offset) continue
    page.push(row)
    bytes += row.bytes
  }
  return { page, next: undefined }
}

function isBehind(row: StoredItem, query: Query, { rid, key }: Position): boolean {
  const byKey = query.orderBy === undefined ? 0 : ordered(keyOf(row, query), key)
  const order = query.orderBy?.descending ? -byKey : byKey
  return order === 0 ? row.rid > rid : order > 0
}

function keyOf(row: StoredItem, { orderBy }: Query): Json | undefined {
  return orderBy === undefined ? undefined : valueAt(row.item, orderBy.path)
}

function writtenDown({ rid, seen, key }: Position): JsonObject {
  return key === undefined ? { rid, seen } : { rid, seen, key }
}

function positionAt(value: Json): Position {
  if (!isObject(value) || typeof value.rid !== 'string' || typeof value.seen !== 'number') {
    throw badRequest('The continuation token is not one of a query.')
  }
  return { rid: value.rid, key: value.key, seen: value.seen }
}

/** A row without the value of `SELECT VALUE` is not in the result. */
function projected(item: JsonObject, select: Projection): readonly Json[] {
  switch (select.kind) {
    case 'item':
      return [item]
    case 'value': {
      const value = valueAt(item, select.path)
      return value === undefined ? [] : [value]
    }
    case 'properties': {
      const row: Record<string, Json> = {}
      for (const { name, path } of select.properties) {
        const value = valueAt(item, path)
        if (value !== undefined) row[name] = value
      }
      return [row]
    }
    default:
      return select satisfies never
  }
}
