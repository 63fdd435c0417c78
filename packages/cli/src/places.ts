// places.ts: what `--store` says: a file, a Redis, a Redis Cluster. Nothing is opened here.
import { Refusal } from './refusal.ts'

/** Where a store stands. */
export type Place =
  | { readonly kind: 'sqlite'; readonly path: string; readonly shards: number | undefined }
  | {
      readonly kind: 'redis'
      readonly nodes: readonly RedisNode[]
      readonly isCluster: boolean
      readonly isSecure: boolean
      readonly username: string | undefined
      readonly password: string | undefined
      readonly database: number
      readonly prefix: string | undefined
      readonly shards: number | undefined
      /** Whether the settings of the server are taken to be right where CONFIG is forbidden. */
      readonly trustsConfig: boolean
    }

type RedisPlace = Extract<Place, { kind: 'redis' }>

/** A server. */
export interface RedisNode {
  readonly host: string
  readonly port: number
}

/** What a person gives to say which store is meant. */
export interface PlaceOptions {
  readonly store?: string | undefined
  readonly prefix?: string | undefined
  readonly shards?: number | undefined
  readonly trustConfig?: boolean | undefined
}

const kinds = 'sqlite:./shop.db or a path, redis://host:6379, rediss://…, redis-cluster://host:6379,host:6380'

/** @throws Refusal `USAGE`. */
export function placeOf({ store, prefix, shards, trustConfig = false }: PlaceOptions): Place {
  if (store === undefined || store === '') {
    throw new Refusal('USAGE', 'no store is given', `give --store <url> or set INTERSTATE_STORE: ${kinds}`)
  }
  // A drive of Windows is one letter.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(store)?.[1]?.toLowerCase()
  switch (scheme) {
    case undefined:
    case 'sqlite':
      return fileOf(store, prefix, shards)
    case 'redis':
    case 'rediss':
    case 'redis-cluster':
    case 'rediss-cluster':
      return { ...redisOf(store, scheme, prefix), shards, trustsConfig: trustConfig }
    default:
      throw new Refusal('USAGE', `"${scheme}:" is no kind of store`, `give ${kinds}`)
  }
}

/** A place as a person may read it: without its password. */
export function nameOf(place: Place): string {
  if (place.kind === 'sqlite') return place.path
  const { isCluster, isSecure, nodes, database } = place
  const list = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  return `redis${isSecure ? 's' : ''}${isCluster ? '-cluster' : ''}://${list}${database === 0 ? '' : `/${database}`}`
}

function fileOf(store: string, prefix: string | undefined, shards: number | undefined): Place {
  if (prefix !== undefined) throw new Refusal('USAGE', '--prefix is for Redis', 'leave it out for a file')
  const path = store.replace(/^sqlite:(\/\/(?=.))?/i, '')
  if (path === '' || path === ':memory:') {
    throw new Refusal('USAGE', `"${store}" names no file`, 'give the path of the file: sqlite:./shop.db')
  }
  return { kind: 'sqlite', path, shards }
}

/** By hand: `URL` knows no list of hosts. */
const redisUrl =
  /^[a-z-]+:\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<hosts>[^/?#@]+)(?:\/(?<database>\d{0,4}))?$/i
const redisNode = /^(?:\[(?<six>[0-9a-f:.]+)\]|(?<name>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/i

function redisOf(
  store: string,
  scheme: string,
  prefix: string | undefined,
): Omit<RedisPlace, 'shards' | 'trustsConfig'> {
  const isCluster = scheme.endsWith('-cluster')
  const groups = redisUrl.exec(store)?.groups
  const nodes = groups?.hosts?.split(',').map(nodeOf) ?? []
  const database = Number(groups?.database || 0)
  if (groups === undefined || nodes.length === 0) throw malformed(scheme)
  if (!isCluster && nodes.length > 1) {
    throw new Refusal('USAGE', 'several hosts are a cluster', 'write redis-cluster://host:port,host:port')
  }
  if (isCluster && database !== 0) {
    throw new Refusal('USAGE', 'a Redis Cluster has database 0 alone', 'leave the number at the end of the url out')
  }
  if (prefix !== undefined && !/^[^{}\s]+$/.test(prefix)) {
    throw new Refusal('USAGE', `"${prefix}" is no prefix`, 'a prefix has no brace and no space')
  }
  const username = textOf(groups.user, scheme)
  const password = textOf(groups.password, scheme)
  const isSecure = scheme.startsWith('rediss')
  return { kind: 'redis', nodes, isCluster, isSecure, username, password, database, prefix }

  function nodeOf(text: string): RedisNode {
    const found = redisNode.exec(text)?.groups
    const host = found?.six ?? found?.name
    const port = Number(found?.port ?? 6379)
    if (host === undefined || port < 1 || port > 65_535) throw malformed(scheme)
    return { host, port }
  }
}

function textOf(encoded: string | undefined, scheme: string): string | undefined {
  try {
    return encoded === undefined || encoded === '' ? undefined : decodeURIComponent(encoded)
  } catch (cause) {
    throw malformed(scheme, cause)
  }
}

/** Without the url: it may hold a password. */
function malformed(scheme: string, cause?: unknown): Refusal {
  const remedy = `write ${scheme}://user:password@host:port, with %40 for an @ in the password`
  return new Refusal('USAGE', `the url after ${scheme}: is malformed`, remedy, { cause })
}
