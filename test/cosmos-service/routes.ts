// routes.ts: what a request is about, by its method, path and headers (learn.microsoft.com/rest/api/cosmos-db).
import { badRequest, notImplemented, type ServiceRequest } from './exchange.ts'

/** Names of the operations on items. */
export type ItemOperation =
  | 'create'
  | 'upsert'
  | 'replace'
  | 'patch'
  | 'delete'
  | 'read'
  | 'batch'
  | 'query'
  | 'query plan'
  | 'feed'
  | 'ranges'

/** What the service can be asked. */
export type Route =
  | { readonly about: 'account' }
  | { readonly about: 'database'; readonly operation: 'create' | 'list'; readonly database?: undefined }
  | { readonly about: 'database'; readonly operation: 'read' | 'delete'; readonly database: string }
  | {
      readonly about: 'container'
      readonly operation: 'create' | 'list' | 'read' | 'delete'
      readonly database: string
      readonly container?: string
    }
  | {
      readonly about: 'items'
      readonly operation: ItemOperation
      readonly database: string
      readonly container: string
      readonly id?: string
    }

/** A route, and what its request is signed for. */
export interface Routed {
  readonly route: Route
  readonly resourceType: string
  readonly resourceLink: string
}

export function routeOf(request: ServiceRequest): Routed {
  const steps = stepsOf(request.path)
  const isFeed = steps.length % 2 === 1
  const resourceType = (isFeed ? steps.at(-1) : steps.at(-2)) ?? ''
  const resourceLink = (isFeed ? steps.slice(0, -1) : steps).join('/')
  return { route: routeAlong(request, steps), resourceType, resourceLink }
}

function routeAlong(request: ServiceRequest, steps: readonly string[]): Route {
  const { method, headers } = request
  const [dbs, database, colls, container, kind, id, ...rest] = steps
  if (dbs === undefined && method === 'GET') return { about: 'account' }
  if (dbs !== 'dbs' || rest.length > 0) throw notImplemented(`${method} ${request.path}`)
  if (database === undefined) return { about: 'database', operation: listOrCreate(request) }
  if (colls === undefined) return { about: 'database', operation: readOrDelete(request), database }
  if (colls !== 'colls') throw notImplemented(`${method} ${request.path}`)
  if (container === undefined) return { about: 'container', operation: listOrCreate(request), database }
  if (kind === undefined) return { about: 'container', operation: readOrDelete(request), database, container }
  if (kind === 'pkranges' && id === undefined && method === 'GET') {
    return { about: 'items', operation: 'ranges', database, container }
  }
  if (kind !== 'docs') throw notImplemented(`${method} ${request.path}`)
  if (id !== undefined) return { about: 'items', operation: onItem(request), database, container, id }
  return { about: 'items', operation: onItems(method, headers), database, container }
}

function stepsOf(path: string): readonly string[] {
  const [before = '', query] = path.split('?')
  if (query !== undefined && query !== '') throw notImplemented('queries in a URL.')
  try {
    return before
      .split('/')
      .filter((step) => step !== '')
      .map(decodeURIComponent)
  } catch {
    throw badRequest(`The path ${path} is not encoded.`)
  }
}

function onItem({ method, path }: ServiceRequest): ItemOperation {
  switch (method) {
    case 'GET':
      return 'read'
    case 'PUT':
      return 'replace'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return 'delete'
    default:
      throw notImplemented(`${method} ${path}`)
  }
}

function onItems(method: string, headers: ServiceRequest['headers']): ItemOperation {
  if (method === 'GET') return 'feed'
  if (method !== 'POST') throw notImplemented(`${method} on all items of a container.`)
  const says = (name: string): boolean => headers[name]?.toLowerCase() === 'true'
  if (says('x-ms-cosmos-is-batch-request')) {
    if (!says('x-ms-cosmos-batch-atomic')) throw notImplemented('bulk: batches that are not atomic.')
    return 'batch'
  }
  if (says('x-ms-cosmos-is-query-plan-request')) return 'query plan'
  if (says('x-ms-documentdb-isquery')) return 'query'
  return says('x-ms-documentdb-is-upsert') ? 'upsert' : 'create'
}

function listOrCreate({ method, path, headers }: ServiceRequest): 'list' | 'create' {
  if (headers['x-ms-documentdb-isquery'] !== undefined) throw notImplemented('queries for databases and containers.')
  if (method === 'GET') return 'list'
  if (method === 'POST') return 'create'
  throw notImplemented(`${method} ${path}`)
}

function readOrDelete({ method, path }: ServiceRequest): 'read' | 'delete' {
  if (method === 'GET') return 'read'
  if (method === 'DELETE') return 'delete'
  throw notImplemented(`${method} ${path}: settings cannot be changed here.`)
}
