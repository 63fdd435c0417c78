// cluster.ts: a Redis Cluster that tests start, break and reshard.
// Here: who is who in it. How it is made (formation.ts), how slots move (migration.ts).
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, type ClusterOptions } from 'ioredis'
import { form } from './formation.ts'
import { type Migration, migrate } from './migration.ts'
import { type RedisServer, type ServerOptions, startServer } from './server.ts'
import { hasSlot, ownersIn, parseView, type Seen } from './views.ts'

/** See {@link startCluster}. */
export interface StartClusterOptions extends Omit<ServerOptions, 'dir'> {
  /** Default: 3. */
  readonly masters?: number
  /** For each of them. Default: 1. */
  readonly replicas?: number
  /** After this long without a word a node is taken for dead. Default: 1,500 ms. */
  readonly nodeTimeoutMs?: number
}

/** What its clients are made with, see {@link ClientOptions}. */
export type ClusterClientOptions = Omit<ClusterOptions, 'redisOptions'> & {
  readonly redisOptions?: Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>
}

/** Starts a cluster whose slots are spread evenly over its masters; all nodes agree on it when this resolves. */
export async function startCluster(options: StartClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 1, nodeTimeoutMs = 1_500, config, ...rest } = options
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': String(nodeTimeoutMs),
    'cluster-announce-ip': '127.0.0.1',
    // Replicas stay with the shard that they were given to.
    'cluster-allow-replica-migration': 'no',
    ...config,
  }
  const starts = Array.from({ length: masters * (1 + replicas) }, () => startServer({ ...rest, config: settings }))
  const started = await Promise.allSettled(starts)
  const nodes = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  try {
    await Promise.all(starts)
    const cluster = new RedisCluster(nodes, await form(nodes, masters))
    await cluster.waitUntilOk()
    return cluster
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()))
    throw error
  }
}

/** See the file head. */
export class RedisCluster implements AsyncDisposable {
  /** First the masters it began with, then their replicas. */
  readonly nodes: readonly RedisServer[]
  readonly #ids: ReadonlyMap<RedisServer, string>
  readonly #clients = new Set<Cluster>()

  /** @internal Use {@link startCluster}. */
  constructor(nodes: readonly RedisServer[], ids: ReadonlyMap<RedisServer, string>) {
    this.nodes = nodes
    this.#ids = ids
  }

  get ports(): readonly number[] {
    return this.nodes.map(({ port }) => port)
  }

  /** A new client, closed with the cluster at the latest. Its connection errors are left to the commands that fail. */
  client(options: ClusterClientOptions = {}): Cluster {
    const seeds = this.ports.map((port) => ({ host: '127.0.0.1', port }))
    const client = new Cluster(seeds, options)
    client.on('error', () => undefined)
    client.once('end', () => this.#clients.delete(client))
    this.#clients.add(client)
    return client
  }

  /** The slot of a key. */
  async slotOf(key: string): Promise<number> {
    return Number(await this.#anyAwake().run('CLUSTER', 'KEYSLOT', key))
  }

  /** The node, among those awake, that says it has this slot; of two the one with the newer epoch. Rejects without one. */
  async primaryOf(slot: number): Promise<RedisServer> {
    const selves = await this.#selves()
    const claims = selves.filter(({ self }) => self.flags.includes('master') && hasSlot(self, slot))
    const [newest] = claims.sort((a, b) => b.self.epoch - a.self.epoch)
    if (newest === undefined) throw new Error(`No node awake is the primary of slot ${slot}.`)
    return newest.node
  }

  /** A replica of a node, among those awake. Rejects without one. */
  async replicaOf(primary: RedisServer): Promise<RedisServer> {
    const id = this.#idOf(primary)
    const found = (await this.#selves()).find(({ self }) => self.primary === id)
    if (found === undefined) throw new Error(`No node awake is a replica of the one on port ${primary.port}.`)
    return found.node
  }

  /** Kills a node with SIGKILL; its replica takes over by itself, see {@link waitUntilOk}. */
  async kill(node: RedisServer): Promise<void> {
    await node.kill()
  }

  /** Freezes a node; past the node timeout its replica takes over. */
  freeze(node: RedisServer): void {
    node.freeze()
  }

  /** Wakes a node, which may think for a moment that nothing has happened. */
  wake(node: RedisServer): void {
    node.wake()
  }

  /**
   * Makes a replica the primary; all nodes agree on it when this resolves.
   *
   * @param how - By default together with the primary, which hands over without loss. `FORCE`: without it.
   *   `TAKEOVER`: without asking the other masters either.
   */
  async failover(replica: RedisServer, how?: 'FORCE' | 'TAKEOVER'): Promise<void> {
    await replica.run('CLUSTER', 'FAILOVER', ...(how === undefined ? [] : [how]))
    await until('a failover', 10_000, async () => (await replica.info('replication')).role === 'master')
    await this.waitUntilOk()
  }

  /**
   * Moves slots with their keys from one primary to another, one after the other, in the classic way: clients see ASK,
   * TRYAGAIN and MOVED. Gives the slots.
   */
  async migrateSlots(
    slots: number | readonly number[],
    from: RedisServer,
    to: RedisServer,
    options: Pick<Migration, 'halfway'> = {},
  ): Promise<readonly number[]> {
    const others = (await this.#selves())
      .filter(({ self, node }) => self.flags.includes('master') && node !== from && node !== to)
      .map(({ node }) => node)
    return migrate({
      slots,
      from: { node: from, id: this.#idOf(from) },
      to: { node: to, id: this.#idOf(to) },
      others,
      ...options,
    })
  }

  /** Waits until all nodes awake agree on living primaries for all slots, and all replicas awake are connected. */
  async waitUntilOk(patienceMs = 20_000): Promise<void> {
    await until('a cluster in good order', patienceMs, () => this.#isOk())
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect()
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #isOk(): Promise<boolean> {
    const awake = this.nodes.filter((node) => node.isAwake)
    const views = await Promise.all(awake.map(viewOf))
    const [owners = ''] = views.map(ownersIn)
    const ids = awake.map((node) => this.#idOf(node))
    const isAgreed = views.every((view) => ownersIn(view) === owners && view.length === this.nodes.length)
    const isFresh = views.every((view) => view.every((seen) => isWell(seen) || !ids.includes(seen.id)))
    const areOwnersAwake = owners.split('\n').every((line) => ids.some((id) => line.startsWith(id)))
    if (!isAgreed || !isFresh || !areOwnersAwake) return false
    const states = await Promise.all(awake.map((node) => node.run('CLUSTER', 'INFO')))
    if (!states.every((state) => String(state).includes('cluster_state:ok'))) return false
    const links = await Promise.all(awake.map((node) => node.info('replication')))
    return links.every(({ role, master_link_status }) => role === 'master' || master_link_status === 'up')
  }

  /** Nodes awake, each as it sees itself. */
  async #selves(): Promise<readonly { readonly node: RedisServer; readonly self: Seen }[]> {
    const awake = this.nodes.filter((node) => node.isAwake)
    const views = await Promise.all(awake.map(viewOf))
    return views.flatMap((view, index) => {
      const self = view.find(({ flags }) => flags.includes('myself'))
      const node = awake[index]
      return self === undefined || node === undefined ? [] : [{ node, self }]
    })
  }

  #anyAwake(): RedisServer {
    const node = this.nodes.find(({ isAwake }) => isAwake)
    if (node === undefined) throw new Error('No node is awake.')
    return node
  }

  #idOf(node: RedisServer): string {
    const id = this.#ids.get(node)
    if (id === undefined) throw new Error(`The server on port ${node.port} is no node of this cluster.`)
    return id
  }
}

async function viewOf(node: RedisServer): Promise<readonly Seen[]> {
  return parseView(String(await node.run('CLUSTER', 'NODES')))
}

function isWell({ flags }: Seen): boolean {
  return !flags.some((flag) => flag.startsWith('fail') || flag === 'handshake' || flag === 'noaddr')
}

async function until(what: string, patienceMs: number, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + patienceMs; ; await sleep(50)) {
    // A node that was killed while it was asked says nothing; the next look leaves it out.
    if (await holds().catch(() => false)) return
    if (performance.now() > deadline) throw new Error(`Waited ${patienceMs} ms for ${what}, in vain.`)
  }
}
