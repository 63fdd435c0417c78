// rig.ts: a system of several host processes on one store, its clients, and what a test looks at in the end.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type EntityId, type ShardId, type StoreDriver, shardOf } from '@interstate/core'
import { type RedisClient, redisStore } from '@interstate/store-redis'
import { Chance } from '../crash/chance.ts'
import { restOf } from '../crash/rest.ts'
import { deskOf } from '../crash/system.ts'
import { Clients, type Manners } from './clients.ts'
import { HostProcess } from './host-process.ts'
import type { Orders, Place } from './messages.ts'
import { forgottenBy, nothingAmiss, type Outcome, outcomeOf } from './outcome.ts'

/** Whether tests take their time: hours instead of seconds. */
export const isLong: boolean = process.env.INTERSTATE_LONG === '1'
const firstSeed = Number(process.env.INTERSTATE_REDIS_SEED ?? Math.floor(Math.random() * 1e6))

/** Servers of a test. */
export interface Servers {
  client(): RedisClient & { disconnect(): void }
}

/** See {@link Rig}. */
export interface RigOptions extends Partial<Omit<Orders, 'redis' | 'prefix' | 'ledger'>>, Partial<Manners> {
  readonly servers: Servers
  /** Where hosts find Redis; others than the test may be sent through a bad network. */
  readonly redis: Place
}

let rigs = 0

/** See the file head. */
export class Rig implements AsyncDisposable {
  /** Hosts that were started, dead ones too. */
  readonly hosts: HostProcess[] = []
  readonly clients: Clients
  readonly chance: Chance
  readonly orders: Orders
  readonly store: StoreDriver
  readonly #folder: string
  readonly #close: () => Promise<void>

  constructor({ servers, redis, rate = 200, timeoutMs = 1_500, patienceMs = 20_000, ...rest }: RigOptions) {
    rigs += 1
    this.#folder = mkdtempSync(join(tmpdir(), 'interstate-rig-'))
    this.chance = new Chance(firstSeed + rigs)
    this.orders = {
      redis,
      prefix: `rig-${process.pid}-${rigs}`,
      shards: 32,
      durability: 'memory',
      detectMs: 1_000,
      lookMs: 300,
      skewMs: 0,
      client: {},
      ...rest,
      ledger: join(this.#folder, 'ledger'),
    }
    this.clients = new Clients(() => this.hosts, this.chance, { rate, timeoutMs, patienceMs })
    const client = servers.client()
    const { prefix, shards } = this.orders
    this.store = redisStore({ client, prefix, shards, durability: 'memory' })
    this.#close = async () => {
      await this.store.close()
      client.disconnect()
    }
  }

  /** Starts hosts; they run when this resolves. */
  async start(count: number, changed: Partial<Orders> = {}): Promise<readonly HostProcess[]> {
    const hosts = Array.from({ length: count }, (_, index) => {
      return new HostProcess(`host ${this.hosts.length + index + 1}`, { ...this.orders, ...changed })
    })
    await Promise.all(hosts.map((host) => host.started()))
    this.hosts.push(...hosts)
    return hosts
  }

  /** Hosts that run and are well, as far as is known. */
  get well(): readonly HostProcess[] {
    return this.hosts.filter(({ takesCalls }) => takesCalls)
  }

  /** One of the hosts that are well, by chance. */
  any(): HostProcess {
    return this.well[Math.floor(this.chance.below(this.well.length))] as HostProcess
  }

  /** How long after a moment each of these shards is run by another host, in milliseconds; waits for all of them. */
  async takeover(shards: ReadonlySet<ShardId>, from: HostProcess, since: number): Promise<readonly number[]> {
    return await until(`others run ${shards.size} shards of ${from.name}`, 30_000, async () => {
      // A dead one has never said that it no longer runs what it took.
      const others = this.well.filter((host) => host !== from)
      const times = [...shards].map((shard) => {
        const lasts = others.map(({ events }) => events.findLast((event) => event.shard === shard))
        // It may have been on its way already, or have gone on to a third.
        const taken = lasts.flatMap((last) => (last?.word === 'taken' ? [Math.max(0, last.at - since)] : []))
        return Math.min(...taken)
      })
      return times.every(Number.isFinite) ? times : undefined
    })
  }

  /** Whether a host that stood still learns that others have taken its shards; it may have been too fast for that. */
  async isReplaced(host: HostProcess, since: number): Promise<boolean> {
    return await until(`${host.name} was replaced`, 3 * this.orders.detectMs, async () => {
      return host.events.some(({ word, at }) => word === 'dropped' && at >= since) || undefined
    }).catch(() => false)
  }

  /** Waits until all shards are run by hosts that are well, each of which has its part. */
  async spread(): Promise<void> {
    await until('all shards are run', 30_000, async () => {
      const parts = this.well.map(({ shards }) => shards.size)
      const run = parts.reduce((sum, part) => sum + part, 0)
      return (run === this.orders.shards && Math.min(...parts) > 0) || undefined
    })
  }

  /**
   * Ends the load, waits until the system is at rest, and says what became of all hands. `forgotten` are those whose key
   * no longer has its reply. Of shards that were halted nothing is expected.
   */
  async end(
    patienceMs = 30_000,
    halted: ReadonlySet<ShardId> = new Set(),
  ): Promise<Outcome & { readonly forgotten: readonly string[] }> {
    await this.clients.stop()
    await until('rest', patienceMs, async () => (await restOf(this.store, halted)).length === 0 || undefined).catch(
      // What is left is told by the outcome.
      () => undefined,
    )
    const forgotten = await forgottenBy(this.clients, 50, (n) => !halted.has(this.shardOfHand(n)))
    return { ...(await outcomeOf(this.store, this.clients, this.orders.ledger, halted)), forgotten }
  }

  /** The shard of the desk that takes a hand. */
  shardOfHand(n: number): ShardId {
    return shardOf(`desk/${deskOf(n)}` as EntityId, this.orders.shards)
  }

  /** What went well and what did not, in one line. */
  figures(): string {
    const { offered, acknowledged, refused, retries, latencies } = this.clients
    const retried = [...retries].map(([code, count]) => `${count} ${code}`).join(', ')
    const codes = [...Map.groupBy(refused, ([, code]) => code)].map(([code, some]) => `${some.length} ${code}`)
    return [
      `seed ${this.chance.seed}`,
      `${acknowledged.size} of ${offered.size} acknowledged`,
      `latency ${spreadOf(latencies)}`,
      `tried again after ${retried || 'nothing'}`,
      ...(codes.length > 0 ? [`refused: ${codes.join(', ')}`] : []),
    ].join('; ')
  }

  /** What hosts said of themselves that nobody wishes for. */
  get troubles(): readonly string[] {
    return this.hosts.flatMap(({ name, troubles, events }) => {
      const lost = events.filter(({ word }) => word === 'lost').map(({ shard }) => `shard ${shard} lost history`)
      return [...troubles, ...lost].map((what) => `${name}: ${what}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts) {
      host.signal('SIGCONT')
      host.signal('SIGKILL')
    }
    await Promise.all(this.hosts.map(({ ended }) => ended))
    await this.#close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Of a run without faults in its outcome. */
export const allIsWell = { ...nothingAmiss, forgotten: [] }

/** Median, 95th percentile and the largest, in milliseconds. */
export function spreadOf(times: readonly number[]): string {
  const at = (part: number): number => Math.round(partOf(times, part))
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, at most ${at(1)} ms`
}

/** The time that this part of all stays below: 0.5 for the median. */
export function partOf(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
}

/** Waits until something is there. */
export async function until<T>(what: string, patienceMs: number, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = performance.now() + patienceMs; ; await sleep(25)) {
    const found = await look().catch(() => undefined)
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`Waited ${patienceMs} ms in vain: ${what}.`)
  }
}

/** Says a figure that no test may assert: another machine has another. */
export function print(what: string): void {
  console.log(`[redis] ${what}`)
}
