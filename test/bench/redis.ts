// redis.ts: the workloads on one Redis server, beside what the server does when one client sends the commit script alone.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Commit,
  type EntityId,
  entityId,
  type HostId,
  type Lease,
  type MessageId,
  shardOf,
} from '@interstate/core'
import { redisStore } from '@interstate/store-redis'
import type { Redis } from 'ioredis'
// @boundaries-ignore The limit is the driver's own script, without the driver.
import { commit as commitScript } from '../../packages/store-redis/src/scripts/commit.ts'
// @boundaries-ignore Servers are started in one way for all tests and measurements.
import { type RedisServer, startServer } from '../../packages/store-redis/test/servers.ts'
import { w1 } from './counters.ts'
import { w2 } from './orders.ts'
import type { Ask, Told } from './redis-host.ts'

/** One line of the table. */
export interface RedisFigures {
  readonly fsync: 'everysec' | 'always'
  readonly hosts: number
  /** Messages or orders. */
  readonly perSecond: number
  /** Of commits a second by one client that sends the script alone, in batches as large. */
  readonly ofRaw: number
  /** Scripts, and bytes to and from the server, for each message. */
  readonly scripts: number
  readonly bytes: number
}

/** What things take in the memory of the server, in bytes. */
export interface RedisMemory {
  readonly idleEntity: number
  readonly waitingMessage: number
  /** Both ends of it, with nothing on its way. */
  readonly lane: number
}

const shards = 256

/** W1 or W2 with some hosts. The first round is for the compiler. */
export async function runOnRedis(
  workload: 'w1' | 'w2',
  fsync: RedisFigures['fsync'],
  hosts: number,
): Promise<RedisFigures> {
  await using server = await startServer({ appendonly: true, appendfsync: fsync })
  const client = server.client()
  const raw = await rawCommits(server, workload)
  await client.flushall()
  const processes = await Promise.all(Array.from({ length: hosts }, () => start(server)))
  // Those that came later take their shards from the first.
  await sleep(1_500)
  const [units, turnsEach] = workload === 'w1' ? [w1.messages, 1] : [w2.orders, w2.messagesPerOrder]
  await round(processes, workload, 0, units, turnsEach)
  const before = await usage(client)
  const ms = await round(processes, workload, units, units, turnsEach)
  const after = await usage(client)
  await Promise.all(processes.map((each) => ask(each, { ask: 'stop' })))
  client.disconnect()
  const messages = units * turnsEach
  return {
    fsync,
    hosts,
    perSecond: (units / ms) * 1_000,
    ofRaw: ((messages / ms) * 1_000) / raw,
    scripts: (after.scripts - before.scripts) / messages,
    bytes: (after.bytes - before.bytes) / messages,
  }
}

/** Sends its share to each host. Gives the milliseconds until everything is handled. */
async function round(
  processes: readonly ChildProcess[],
  workload: 'w1' | 'w2',
  first: number,
  units: number,
  turnsEach: number,
): Promise<number> {
  const handled = async (): Promise<number> => {
    const counts = await Promise.all(processes.map((each) => ask(each, { ask: 'handled' })))
    return counts.reduce((sum, each) => sum + each, 0)
  }
  const goal = (await handled()) + units * turnsEach
  const share = units / processes.length
  const begin = performance.now()
  await Promise.all(
    processes.map((each, index) => ask(each, { ask: workload, first: first + index * share, count: share })),
  )
  while ((await handled()) < goal) await sleep(20)
  return performance.now() - begin
}

/**
 * Commits a second that one client gets through with the script alone, 256 in a batch: a row of 300 characters each. One of
 * W2 also takes a message from its inbox and sends one to another shard, as four of its five turns do.
 */
async function rawCommits(server: RedisServer, workload: 'w1' | 'w2'): Promise<number> {
  const client = server.client()
  const calls: RawCall[] = []
  const store = redisStore({ client: noting(client, calls), shards })
  await store.probe()
  const owner = 'raw' as HostId
  const { leases } = await store.acquire(owner, range(shards))
  const warm = 10_240
  const measured = 40_960
  calls.length = 0
  const group = { owner, accepted: [], registrations: [], commits: [], mode: 'each' as const }
  await inPages(warm + measured, async (from, to) => {
    const bare = range(to - from).map((n) => commitOf(entityId('raw', `r${from + n}`), leases, from + n))
    if (workload === 'w1') {
      await store.write({ ...group, tag: `raw ${from}`, commits: bare })
      return
    }
    const accepted = bare.map(({ entity, lease, tag }) => {
      return { id: `in ${tag}` as MessageId, to: entity, shard: lease.shard, body: 'x'.repeat(300), lease }
    })
    await store.write({ ...group, tag: `raw in ${from}`, accepted })
    const commits = bare.map((commit) => {
      const shard = (commit.lease.shard + 1) % shards
      const sent = { id: `out ${commit.tag}` as MessageId, to: commit.entity, shard, body: 'x'.repeat(300) }
      return { ...commit, consumed: [`in ${commit.tag}` as MessageId], outbox: [sent] }
    })
    await store.write({ ...group, tag: `raw ${from}`, commits })
  })
  const send = async (batch: readonly RawCall[]): Promise<void> => {
    const pipeline = client.pipeline()
    for (const call of batch) pipeline.call(...call)
    for (const [error, answer] of (await pipeline.exec()) ?? []) {
      if (error !== null) throw error
      if ((answer as readonly unknown[])[0] !== 'committed') throw new Error(`A commit was not written: ${answer}.`)
    }
  }
  await client.script('LOAD', commitScript.text)
  const batches = (from: number, to: number): readonly (readonly RawCall[])[] =>
    range(Math.ceil((to - from) / 256)).map((n) => calls.slice(from + n * 256, Math.min(to, from + (n + 1) * 256)))
  for (const batch of batches(0, warm)) await send(batch)
  const begin = performance.now()
  for (const batch of batches(warm, warm + measured)) await send(batch)
  const ms = performance.now() - begin
  await store.close()
  client.disconnect()
  return (measured / ms) * 1_000
}

type RawCall = [command: string, args: (string | number)[]]

/** A client whose commits are noted and not sent: what the driver would send, to be sent by hand. */
function noting(client: Redis, calls: RawCall[]): Redis {
  const pipeline = (): Pick<ReturnType<Redis['pipeline']>, 'call' | 'exec'> => {
    const real = client.pipeline()
    let noted = 0
    const call = (command: string, args: (string | number)[]): unknown => {
      const [script, ...rest] = args
      if (script !== commitScript.text && script !== commitScript.sha) return real.call(command, args)
      calls.push(['EVALSHA', [commitScript.sha, ...rest]])
      noted += 1
      return undefined
    }
    const exec = async () => (noted === 0 ? real.exec() : Array(noted).fill([null, ['committed', 1, 1]]))
    return { call, exec } as never
  }
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'pipeline') return pipeline
      const found: unknown = Reflect.get(target, name)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
}

function commitOf(entity: EntityId, leases: readonly Lease[], n: number): Commit {
  const lease = leases[shardOf(entity, shards)] as Lease
  const nothing = { trouble: undefined, wakeAt: undefined, unsettled: false }
  const lists = { consumed: [], outbox: [], deadLetters: [], replies: [] }
  return { lease, entity, expectedVersion: 0, tag: `raw.${n}`, snapshot: 'x'.repeat(300), ...nothing, ...lists }
}

/** What an idle entity with 300 characters of snapshot, a waiting message of 300, and a lane that was used take. */
export async function memoryOnRedis(): Promise<RedisMemory> {
  await using server = await startServer()
  const client = server.client()
  const few = 64
  const store = redisStore({ client, shards: few })
  await store.probe()
  const owner = 'owner' as HostId
  const { leases } = await store.acquire(owner, range(few))
  const each = 20_000
  let last = await used(client)
  const grown = async (count: number): Promise<number> => {
    const now = await used(client)
    const bytes = (now - last) / count
    last = now
    return bytes
  }
  const group = { owner, accepted: [], registrations: [], commits: [], mode: 'each' as const }
  const entity = (n: number): EntityId => entityId('idle', `e${n}`)
  const leaseOf = (of: EntityId): Lease => leases[shardOf(of, few)] as Lease
  await inPages(each, async (from, to) => {
    const commits = range(to - from).map((n) => {
      const commit = commitOf(entity(from + n), leases.slice(), from + n)
      return { ...commit, lease: leaseOf(commit.entity) }
    })
    await store.write({ ...group, tag: `idle ${from}`, commits })
  })
  const idleEntity = await grown(each)
  await inPages(each, async (from, to) => {
    const accepted = range(to - from).map((n) => {
      const receiver = entity(from + n)
      const lease = leaseOf(receiver)
      const id = `message-${from + n}-aaaaaaaaaa` as MessageId
      return { id, to: receiver, shard: lease.shard, body: 'x'.repeat(300), lease }
    })
    await store.write({ ...group, tag: `waiting ${from}`, accepted })
  })
  const waitingMessage = await grown(each)
  const lanes = few * (few - 1)
  for (const from of range(few)) {
    const outbox = range(few)
      .filter((to) => to !== from)
      .map((to) => ({ id: `lane-${from}-${to}` as MessageId, to: entity(0), shard: to, body: 'x' }))
    const lease = leases[from] as Lease
    const sender = commitOf(entityId('lane', `s${from}`), leases, from)
    const [result] = (await store.write({ ...group, tag: `lane ${from}`, commits: [{ ...sender, lease, outbox }] }))
      .results
    if (result?.outcome !== 'committed') throw new Error(`A lane of shard ${from} was not written: ${result?.outcome}.`)
  }
  const { lanes: carriers } = store
  const consignments = (await carriers?.departures(range(few), lanes)) ?? []
  await carriers?.deliver(consignments)
  await carriers?.trim(consignments.map(({ from, to, messages }) => ({ from, to, number: messages.length })))
  const names = (await client.keys('*')).filter((name) => name.endsWith(':lanes') || name.endsWith(':marks'))
  const ends = await Promise.all(names.map((name) => client.memory('USAGE', name, 'SAMPLES', 0)))
  const lane = sum(ends.map(Number)) / lanes
  await store.close()
  client.disconnect()
  return { idleEntity, waitingMessage, lane }
}

async function inPages(count: number, write: (from: number, to: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += 1_000) await write(from, Math.min(count, from + 1_000))
}

async function start(server: RedisServer): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('redis-host.ts', import.meta.url))
  const child = fork(script, [String(server.port), String(shards)], {
    execArgv: ['--conditions=@interstate/source'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  await once(child, 'message')
  return child
}

async function ask(child: ChildProcess, question: Ask): Promise<number> {
  child.send(question)
  const [told] = (await once(child, 'message')) as [Told]
  return told.figure
}

async function usage(client: Redis): Promise<{ readonly scripts: number; readonly bytes: number }> {
  const stats = await client.info('commandstats')
  const network = await client.info('stats')
  const calls = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].map(([, count]) => Number(count))
  const bytes = [...network.matchAll(/^total_net_(?:input|output)_bytes:(\d+)/gm)].map(([, count]) => Number(count))
  return { scripts: sum(calls), bytes: sum(bytes) }
}

async function used(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, each) => total + each, 0)
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
