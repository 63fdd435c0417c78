// probes.ts: whether the servers do what the guarantees rest on (G18).
import type { Probe } from '@interstate/core'
import { isCluster, type RedisClient, type RedisConnection } from './client.ts'
import type { Courier } from './courier.ts'
import type { Durability } from './writer.ts'

/** What a user vouches for where the server does not let it be looked up. */
export type Trust = 'config'

/** What servers say of themselves. */
export interface Survey {
  readonly servers: readonly Server[]
}

interface Server {
  readonly name: string
  readonly version: string
  readonly replicas: number
  /** `undefined` where CONFIG is forbidden. */
  readonly policy: string | undefined
  readonly appendonly: string | undefined
  readonly appendfsync: string | undefined
  /** Whether it is one node of a cluster. */
  readonly isNode: boolean
  readonly isReplica: boolean
  /** The number of the database that the client asks for, and the one that it is in: `undefined` where CLIENT is forbidden. */
  readonly wantedDb: number
  readonly db: number | undefined
}

/** Asks every primary. */
export async function survey(courier: Courier): Promise<Survey> {
  const servers = await Promise.all(courier.primaries().map(ask))
  return { servers }
}

/** The strongest level that all servers can hold. */
export function strongest({ servers }: Survey): Durability {
  if (servers.every(({ replicas }) => replicas > 0)) return 'replicated'
  return servers.every(isSynced) ? 'fsync' : 'memory'
}

/** See the file head. */
export function probesOf(
  { servers }: Survey,
  client: RedisClient,
  durability: Durability,
  chosen: Durability | undefined,
  trust: readonly Trust[],
): readonly Probe[] {
  const isTrusted = trust.includes('config')
  return [
    versionProbe(servers),
    addressProbe(servers, client),
    databaseProbe(servers, isTrusted),
    evictionProbe(servers, isTrusted),
    durabilityProbe(servers, durability, chosen, isTrusted),
    readsProbe(client),
  ]
}

async function ask(node: RedisConnection): Promise<Server> {
  const [info, replication] = await Promise.all([node.call('INFO', ['server']), node.call('INFO', ['replication'])])
  const config = async (name: string): Promise<string | undefined> => {
    try {
      const answer = await node.call('CONFIG', ['GET', name])
      // A list of names and values, or an object: as the protocol and the options of the client have it.
      return Array.isArray(answer) ? answer[1] : (answer as Record<string, string>)[name]
    } catch {
      return undefined
    }
  }
  // A client whose SELECT is refused says so by an event alone, and goes on in database 0.
  const self = await node.call('CLIENT', ['INFO']).catch(() => '')
  const db = / db=(\d+)/.exec(String(self))?.[1]
  const [policy, appendonly, appendfsync] = await Promise.all(
    ['maxmemory-policy', 'appendonly', 'appendfsync'].map(config),
  )
  return {
    name: `${node.options.host}:${node.options.port}`,
    version: field(info, 'redis_version'),
    replicas: onlineReplicas(String(replication)),
    policy,
    appendonly,
    appendfsync,
    isNode: field(info, 'redis_mode') === 'cluster',
    isReplica: field(replication, 'role') === 'slave',
    wantedDb: node.options.db ?? 0,
    db: db === undefined ? undefined : Number(db),
  }
}

function field(info: unknown, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(String(info))?.[1] ?? ''
}

/** A replica that is still being filled acknowledges nothing. */
function onlineReplicas(replication: string): number {
  return [...replication.matchAll(/^slave\d+:.*state=online/gm)].length
}

function isSynced({ appendonly, appendfsync }: Server): boolean {
  return appendonly === 'yes' && appendfsync === 'always'
}

function versionProbe(servers: readonly Server[]): Probe {
  const old = servers.filter(({ version }) => Number.parseInt(version, 10) < 7)
  const passed = servers.length > 0 && old.length === 0
  const found = (passed ? servers : old).map(({ name, version }) => `${name} has ${version}`).join(', ')
  const finding = `${found || 'No server was found'}. Redis 7.0 or later is needed: upgrade the servers.`
  return { name: 'redis version', passed, finding }
}

/** What a client that knows its way (a cluster's, Sentinel's) finds by itself. */
function addressProbe(servers: readonly Server[], client: RedisClient): Probe {
  const name = 'address'
  const isPlain = !isCluster(client) && client.options.sentinels == null
  const node = isPlain ? servers.find(({ isNode }) => isNode) : undefined
  if (node !== undefined) {
    const why = 'is one node of a Redis Cluster, and this client would reach no other. Give a Cluster of ioredis.'
    return { name, passed: false, finding: `${node.name} ${why}` }
  }
  const replica = isPlain ? servers.find(({ isReplica }) => isReplica) : undefined
  if (replica !== undefined) {
    const why = 'takes no writes: this is a replica: give the primary or a Sentinel.'
    return { name, passed: false, finding: `${replica.name} ${why}` }
  }
  return { name, passed: true, finding: 'The client reaches every primary.' }
}

function databaseProbe(servers: readonly Server[], isTrusted: boolean): Probe {
  const name = 'database'
  const bad = servers.find(({ db, wantedDb }) => db !== undefined && db !== wantedDb)
  if (bad !== undefined) {
    const finding = `The client has db ${bad.wantedDb}, but is in database ${bad.db} of ${bad.name}. Give a db that is there (CONFIG GET databases; a cluster has 0 alone), or another \`prefix\` instead.`
    return { name, passed: false, finding }
  }
  const hidden = servers.find(({ db, wantedDb }) => db === undefined && wantedDb !== 0)
  if (hidden !== undefined) {
    const finding = isTrusted
      ? `CLIENT INFO is forbidden here; that db ${hidden.wantedDb} is there is vouched for by the option \`trust\`.`
      : `CLIENT INFO is forbidden here. Allow it, or look whether there is a db ${hidden.wantedDb}, then give \`trust: ['config']\`.`
    return { name, passed: isTrusted, finding }
  }
  return { name, passed: true, finding: 'The client is in the database that it asks for.' }
}

function evictionProbe(servers: readonly Server[], isTrusted: boolean): Probe {
  const name = 'no eviction'
  const bad = servers.filter(({ policy }) => policy !== undefined && policy !== 'noeviction')
  if (bad.length > 0) {
    const found = bad.map(({ name, policy }) => `${name} has maxmemory-policy ${policy}`).join(', ')
    const remedy =
      'It forgets what it acknowledged. Run CONFIG SET maxmemory-policy noeviction and set it in redis.conf.'
    return { name, passed: false, finding: `${found}. ${remedy}` }
  }
  if (servers.every(({ policy }) => policy !== undefined)) {
    return { name, passed: true, finding: 'maxmemory-policy is noeviction.' }
  }
  const finding = isTrusted
    ? 'CONFIG is forbidden here; that maxmemory-policy is noeviction is vouched for by the option `trust`.'
    : "CONFIG is forbidden here. Set maxmemory-policy to noeviction where your provider lets you, then give `trust: ['config']`."
  return { name, passed: isTrusted, finding }
}

function durabilityProbe(
  servers: readonly Server[],
  durability: Durability,
  chosen: Durability | undefined,
  isTrusted: boolean,
): Probe {
  const name = 'durability'
  const how = chosen === undefined ? 'found to be the strongest that all servers hold' : 'chosen'
  const level = `Durability is '${durability}', ${how}`
  switch (durability) {
    case 'replicated': {
      const bare = servers.filter(({ replicas }) => replicas === 0).map((server) => server.name)
      if (bare.length === 0) return { name, passed: true, finding: `${level}: every primary has a replica.` }
      const remedy = 'Add one, or choose another level.'
      return { name, passed: false, finding: `${level}, but no replica is connected to ${bare.join(', ')}. ${remedy}` }
    }
    case 'fsync': {
      const hidden = servers.filter(({ appendonly }) => appendonly === undefined)
      if (hidden.length > 0) {
        const finding = isTrusted
          ? `${level}; CONFIG is forbidden here, so it is vouched for by the option \`trust\`.`
          : `${level}, but CONFIG is forbidden here. Set appendfsync to always, then give \`trust: ['config']\`.`
        return { name, passed: isTrusted, finding }
      }
      const bad = servers.filter((server) => !isSynced(server))
      if (bad.length === 0) return { name, passed: true, finding: `${level}: every server syncs each write.` }
      const found = bad
        .map(({ name, appendonly, appendfsync }) => `${name} has appendonly ${appendonly}, appendfsync ${appendfsync}`)
        .join(', ')
      const remedy = 'Run CONFIG SET appendonly yes and CONFIG SET appendfsync always, and set both in redis.conf.'
      return { name, passed: false, finding: `${level}, but ${found}. ${remedy}` }
    }
    case 'memory': {
      const finding = `${level}: what was acknowledged last is lost when a server is, see the README.`
      return { name, passed: true, finding }
    }
    default:
      return durability satisfies never
  }
}

function readsProbe(client: RedisClient): Probe {
  const name = 'reads from primaries'
  const scaled = isCluster(client) ? (client.options.scaleReads ?? 'master') : 'master'
  const passed = scaled === 'master'
  const finding = passed
    ? 'The client reads from primaries.'
    : `The client has scaleReads ${String(scaled)}: a replica tells what was true. Leave the option out.`
  return { name, passed, finding }
}
