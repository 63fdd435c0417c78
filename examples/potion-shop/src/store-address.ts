// store-address.ts: where the shop keeps its state, as --store names it: a file, a Redis server, a Redis Cluster.
import { Redis, Cluster as RedisCluster } from 'ioredis'

/** See the file head. */
export type StoreAddress =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'redis'; readonly url: URL }
  | { readonly kind: 'redis-cluster'; readonly nodes: readonly URL[] }

/** A store that several hosts can share. */
export type SharedAddress = Exclude<StoreAddress, { kind: 'file' }>

const defaultPort = 6379

/** @throws Error that says what is wrong. */
export function parseStore(text: string): StoreAddress {
  // A single letter is a drive of Windows.
  const scheme = /^([a-z-]{2,}):/.exec(text)?.[1]
  switch (scheme) {
    case undefined:
      return { kind: 'file', path: text }
    case 'redis':
    case 'rediss':
      return { kind: 'redis', url: serverOf(text) }
    case 'redis-cluster':
      return {
        kind: 'redis-cluster',
        nodes: text
          .replace(/^[a-z-]+:(\/\/)?/, '')
          .split(',')
          .map(nodeOf),
      }
    default:
      throw new Error(`${scheme}: is no store of this shop: give a file, redis://… or redis-cluster://a:6379,b:6379.`)
  }
}

/** The address for people: without the password. */
export function nameOf(address: StoreAddress): string {
  switch (address.kind) {
    case 'file':
      return address.path
    case 'redis':
      return `${address.url.protocol}//${address.url.host}${address.url.pathname.replace(/\/$/, '')}`
    case 'redis-cluster':
      return `redis-cluster://${address.nodes.map(({ host }) => host).join(',')}`
  }
}

/** The address as `parseStore` reads it. */
export function textOf(address: StoreAddress): string {
  switch (address.kind) {
    case 'file':
      return address.path
    case 'redis':
      return address.url.href
    case 'redis-cluster':
      return `redis-cluster://${address.nodes.map(({ href }) => href.slice('redis://'.length)).join(',')}`
  }
}

/** A client for it. A store that nobody runs is told by the call that fails, not by each attempt to connect. */
export function connect(address: SharedAddress): Redis | RedisCluster {
  const client = address.kind === 'redis' ? new Redis(address.url.href) : clusterOf(address.nodes)
  return client.on('error', () => {})
}

function clusterOf(nodes: readonly URL[]): RedisCluster {
  const starts = nodes.map(({ hostname: host, port }) => ({ host, port: port === '' ? defaultPort : Number(port) }))
  // A password given with any node is that of all: the cluster names nodes that stand in no address.
  const { username, password } = nodes.find((node) => node.password !== '') ?? { username: '', password: '' }
  const credentials = { username: decodeURIComponent(username), password: decodeURIComponent(password) }
  return new RedisCluster(starts, password === '' ? {} : { redisOptions: credentials })
}

function serverOf(text: string): URL {
  const url = URL.parse(text)
  if (url === null || url.hostname === '') throw new Error('It must look like redis://localhost:6379.')
  return url
}

function nodeOf(text: string): URL {
  const url = URL.parse(`redis://${text}`)
  if (url === null || url.hostname === '') throw new Error('It must look like redis-cluster://a:6379,b:6379.')
  return url
}
