// redis-losses.ts: counts the writes that Redis acknowledged and no longer has after a server died, by level of durability.
// Not here: loss of power. A process that is killed leaves what it handed to the system; a machine without power doesn't.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type EntityId, entityId, type HostId, type Lease, type StoreDriver, shardOf } from '@interstate/core'
import { type Durability, redisStore } from '@interstate/store-redis'
import { markdownTable } from 'markdown-table'
// @boundaries-ignore Servers are started in one way for all tests and measurements.
import { type RedisServer, startServer } from '../../packages/store-redis/test/servers.ts'

const help = `npm run losses [-- options]

Writes to Redis from 32 writers at a time, kills the server with SIGKILL, and counts the writes that were acknowledged and
are gone: by what was chosen for \`durability\` and what happened then. Takes some ten seconds a run.

  --runs <n>   how many times each (default: 3); the table shows medians, and the range
  --help       this text`

const shards = 8
const writers = 32
const loadMs = 1_500
const lagMs = 500

/** What was acknowledged, and what of it is gone. */
interface Losses {
  readonly acknowledged: number
  readonly gone: number
}

interface Scenario {
  readonly level: Durability
  readonly servers: string
  readonly trouble: string
  run(): Promise<Losses>
}

const scenarios: readonly Scenario[] = [
  killed('memory', 'no append-only file', { appendonly: false }),
  killed('memory', 'appendfsync everysec', { appendonly: true }),
  killed('fsync', 'appendfsync always', { appendonly: true, appendfsync: 'always' }),
  promoted('memory', 1),
  promoted('replicated', 1),
  promoted('replicated', 2),
]

/** A server that is killed and comes back with what it has on its disk. */
function killed(level: Durability, servers: string, options: Parameters<typeof startServer>[0]): Scenario {
  const run = async (): Promise<Losses> => {
    await using server = await startServer(options)
    const books = await writeUntil(server, level, async () => {
      await sleep(loadMs)
      await server.kill()
    })
    await server.restart()
    // Awaited here: the servers are stopped when this returns.
    return await compare(books, server)
  }
  return { level, servers, trouble: 'kill -9, and started again', run }
}

/** A primary that dies while a replica hears nothing of it for a moment, and this replica takes its place. */
function promoted(level: Durability, replicas: 1 | 2): Scenario {
  const run = async (): Promise<Losses> => {
    await using primary = await startServer()
    await using late = await startServer()
    await using near = await startServer()
    await using wire = await startWire(primary.port)
    await late.run('REPLICAOF', '127.0.0.1', wire.port)
    if (replicas === 2) await near.run('REPLICAOF', '127.0.0.1', primary.port)
    while ((await online(primary)) < replicas) await sleep(20)
    const books = await writeUntil(primary, level, async () => {
      await sleep(loadMs)
      wire.hold()
      await sleep(lagMs)
      await primary.kill()
    })
    wire.cut()
    await late.run('REPLICAOF', 'NO', 'ONE')
    // Awaited here: the servers are stopped when this returns.
    return await compare(books, late)
  }
  const servers = replicas === 1 ? 'one replica' : 'two replicas'
  const trouble = `kill -9; the replica that is ${lagMs} ms behind is promoted`
  return { level, servers, trouble, run }
}

async function online(primary: RedisServer): Promise<number> {
  const info = Object.values(await primary.info('replication'))
  return info.filter((line) => line.includes('state=online')).length
}

/** Writes until the trouble is there. Gives the version of each entity that was acknowledged. */
async function writeUntil(
  server: RedisServer,
  durability: Durability,
  trouble: () => Promise<void>,
): Promise<ReadonlyMap<EntityId, number>> {
  const store = redisStore({ client: server.client(), shards, durability })
  const all = Array.from({ length: shards }, (_, shard) => shard)
  const { leases } = await store.acquire(owner, all)
  const books = new Map<EntityId, number>()
  const work = Array.from({ length: writers }, (_, index) => write(store, leases, entityId('order', `${index}`), books))
  await trouble()
  // Nobody tries any longer what was not acknowledged.
  await store.close()
  await Promise.all(work)
  return books
}

const owner = 'host' as HostId

/** One commit after the other, until one is not acknowledged. */
async function write(
  store: StoreDriver,
  leases: readonly Lease[],
  entity: EntityId,
  books: Map<EntityId, number>,
): Promise<void> {
  const lease = leases[shardOf(entity, shards)] as Lease
  const nothing = { trouble: undefined, wakeAt: undefined, unsettled: false, consumed: [], outbox: [] }
  for (let version = 0; ; version += 1) {
    const tag = `${entity}-${version}`
    const commit = { ...nothing, lease, entity, expectedVersion: version, tag, snapshot: 'x'.repeat(300) }
    const commits = [{ ...commit, deadLetters: [], replies: [] }]
    const group = { owner: tag as HostId, tag, accepted: [], registrations: [], commits, mode: 'each' as const }
    try {
      const { results } = await store.write(group)
      if (results[0]?.outcome !== 'committed' && results[0]?.outcome !== 'already applied') return
      books.set(entity, version + 1)
    } catch {
      return
    }
  }
}

async function compare(books: ReadonlyMap<EntityId, number>, server: RedisServer): Promise<Losses> {
  const client = server.client()
  const rows = (await client.keys('*:e:order/*')).map(async (key) => {
    const [version] = String(await client.get(key)).split(' ', 1)
    return [key.slice(key.indexOf(':e:') + 3), Number(version)] as const
  })
  const stored = new Map<string, number>(await Promise.all(rows))
  let [acknowledged, gone] = [0, 0]
  for (const [entity, version] of books) {
    acknowledged += version
    gone += Math.max(0, version - (stored.get(entity) ?? 0))
  }
  return { acknowledged, gone }
}

/** A way to a server that can be held up, and what is held up then never comes. */
async function startWire(
  target: number,
): Promise<AsyncDisposable & { readonly port: number; hold(): void; cut(): void }> {
  const ends = new Set<Socket>()
  let isHeld = false
  const door = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from)
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
      from.on('data', (chunk) => {
        if (!isHeld) to.write(chunk)
      })
    }
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  const cut = (): void => {
    for (const end of ends) end.destroy()
  }
  return {
    port: (door.address() as AddressInfo).port,
    hold: () => {
      isHeld = true
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut()
      door.close()
    },
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}

function range(values: readonly number[]): string {
  return `${Math.min(...values).toLocaleString('en')}–${Math.max(...values).toLocaleString('en')}`
}

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, help: { type: 'boolean', default: false } },
})
if (values.help) {
  process.stdout.write(`${help}\n`)
} else {
  const lines: string[][] = []
  for (const { level, servers, trouble, run } of scenarios) {
    const runs: Losses[] = []
    for (let at = 0; at < Number(values.runs); at += 1) runs.push(await run())
    const gone = runs.map((each) => each.gone)
    const acknowledged = median(runs.map((each) => each.acknowledged)).toLocaleString('en')
    lines.push([`\`${level}\``, servers, trouble, acknowledged, median(gone).toLocaleString('en'), range(gone)])
  }
  const head = ['durability', 'servers', 'what happened', 'acknowledged', 'gone', 'from–to']
  process.stdout.write(`${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}, ${values.runs} runs each\n\n`)
  process.stdout.write(`${markdownTable([head, ...lines], { align: ['l', 'l', 'l', 'r', 'r', 'r'] })}\n`)
}
