// stores.ts: opens the store that stands at a place, for looking at it: none is made, and no shard is taken.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { InterstateError, type Probe } from '@interstate/core'
import type { Cluster, Redis } from 'ioredis'
import type { OpenStore } from './outside.ts'
import { nameOf, type Place } from './places.ts'
import { Refusal } from './refusal.ts'

type RedisPlace = Extract<Place, { kind: 'redis' }>
type Client = Cluster | Redis

const connectTimeoutMs = 10_000
const reconnects = 3

/**
 * See the file head.
 *
 * @throws Refusal `STORE_MISSING`. InterstateError what opening the store throws.
 */
export async function openStore(place: Place, folder: string): Promise<OpenStore> {
  return place.kind === 'sqlite' ? openFile(resolve(folder, place.path), place.shards) : openRedis(place)
}

/** The drivers are loaded when they are needed: each brings a client of its own. */
async function openFile(path: string, shards: number | undefined): Promise<OpenStore> {
  const found = statSync(path, { throwIfNoEntry: false })
  // An empty file is what the driver makes a store of.
  if (found === undefined || (found.isFile() && found.size === 0)) throw missing(path)
  const { sqliteStore } = await import('@interstate/store-sqlite')
  const driver = sqliteStore(shards === undefined ? { path } : { path, shards })
  return { driver, close: () => driver.close() }
}

async function openRedis(place: RedisPlace): Promise<OpenStore> {
  const { redisStore } = await import('@interstate/store-redis')
  const client = await connect(place)
  const { prefix = 'interstate', trustsConfig } = place
  try {
    const stored = await storedShards(place, client, prefix)
    const shards = place.shards ?? stored
    const driver = redisStore({ client, prefix, shards, absent: 'refuse', trust: trustsConfig ? ['config'] : [] })
    const close = async (): Promise<void> => {
      await driver.close()
      client.disconnect()
    }
    try {
      // Opens it: with `absent` nothing is made where nothing stands.
      refuseUnfit(await driver.probe())
      return { driver, close }
    } catch (error) {
      await driver.close()
      throw error
    }
  } catch (error) {
    client.disconnect()
    throw error
  }
}

/**
 * P, by the identity record of the store, a persisted format: who looks after a store need not know it by heart. A store
 * that is half made is left to the hosts: opening it would finish it.
 */
async function storedShards(place: RedisPlace, client: Client, prefix: string): Promise<number> {
  const name = `${nameOf(place)} under the prefix "${prefix}"`
  const [state, shards] = await client.hmget(`{${prefix}:cluster}:identity`, 'state', 'shards').catch((cause) => {
    const text = textOf(cause) ?? 'no answer'
    const code = text.startsWith('WRONGTYPE') ? 'STORE_FOREIGN' : 'STORE_FAILED'
    throw new InterstateError(code, `${name}: ${text}.`, {}, { cause })
  })
  if (state == null || shards == null) throw missing(name)
  if (state !== 'ready') {
    throw new Refusal(
      'STORE_MISSING',
      `the store at ${name} is not made yet`,
      'let a host start; it finishes what was begun',
    )
  }
  return Number(shards)
}

/** As a host does (G18). */
function refuseUnfit(probes: readonly Probe[]): void {
  const failed = probes.filter(({ passed }) => !passed)
  if (failed.length === 0) return
  const list = failed.map(({ name, finding }) => `${name}: ${finding}`).join(' ')
  throw new InterstateError('STORE_UNFIT', list, { probes: failed })
}

async function connect(place: RedisPlace): Promise<Client> {
  const ioredis = await import('ioredis')
  const { nodes, isCluster, isSecure, username, password, database: db } = place
  const server = {
    connectTimeout: connectTimeoutMs,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isSecure && { tls: {} }),
  }
  const again = (times: number): number | null => (times > reconnects ? null : 100 * times)
  const [node] = nodes
  const client = isCluster
    ? new ioredis.Cluster([...nodes], { lazyConnect: true, clusterRetryStrategy: again, redisOptions: server })
    : new ioredis.Redis({ ...server, ...node, db, lazyConnect: true, retryStrategy: again })
  let last: unknown
  client.on('error', (error: unknown) => {
    last = error
  })
  try {
    await inTime(client.connect().then(() => client.ping()))
    return client
  } catch (cause) {
    client.disconnect()
    const text = textOf(last) ?? textOf(cause) ?? 'no answer'
    throw new InterstateError('STORE_FAILED', `${nameOf(place)} can't be reached: ${text}.`, {}, { cause })
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${connectTimeoutMs / 1_000} s`)), connectTimeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Several addresses of one name fail as one error without a text of its own. */
function textOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return textOf(error.errors[0])
  return error instanceof Error && error.message !== '' ? error.message : undefined
}

function missing(name: string): Refusal {
  return new Refusal(
    'STORE_MISSING',
    `no store stands at ${name}`,
    'check --store; a host makes the store when it starts',
  )
}
