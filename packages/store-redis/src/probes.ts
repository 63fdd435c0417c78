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
