// redis-store.ts: the port, over shards that each are one hash tag. What each part does is in the file of its name.
import { randomBytes, randomUUID } from 'node:crypto'
import {
  type Acquired,
  type DeadLetter,
  type EntityId,
  type Group,
  type GroupResult,
  type HostId,
  type InboxItem,
  InterstateError,
  type KeyPlace,
  type KeyState,
  type Lease,
  type LogicalPartition,
  type MessageId,
  type Probe,
  type ShardId,
  type StoreDriver,
  type StoredEntity,
  type StoreLimits,
} from '@interstate/core'
import { isCluster, type RedisClient } from './client.ts'
import { type Clock, systemClock, within } from './clock.ts'
import { RedisCluster } from './cluster.ts'
import { Courier } from './courier.ts'
import { Groups } from './groups.ts'
import { RedisLanes } from './lanes.ts'
import { Names } from './names.ts'
import { openStore, type WhenAbsent } from './opening.ts'
import { Ownership } from './ownership.ts'
import { probesOf, strongest, survey, type Trust } from './probes.ts'
import { type Due, Reader } from './reader.ts'
import { type Scripts, scripts } from './scripts/index.ts'
import type { Script } from './scripts/script.ts'
import { maxShards } from './slots.ts'
import { Watermarks } from './watermarks.ts'
import { type Durability, type Ground, type Order, Writer } from './writer.ts'

/** What {@link redisStore} takes. */
export interface RedisStoreOptions {
  /** `Redis` (one server, or Sentinel) or `Cluster` of ioredis, without `keyPrefix`. It is yours: closing the store leaves it open. */
  readonly client: RedisClient
  /** What all keys begin with, behind their brace. `interstate` by default. Two systems on one Redis need two. */
  readonly prefix?: string
  /** P: how many shards the entities are spread over. Fixed when the store is created, up to 4,096, best a power of two; 256 by default. */
  readonly shards?: number
  /**
   * What an acknowledged write survives: the loss of a server's memory (`replicated`: a replica has it; `fsync`: it is on
   * the disk) or not (`memory`). By default the strongest that all servers are found to hold: see the finding of the probe.
   */
  readonly durability?: Durability
  /** `refuse` for a system that is known to exist: an emptied Redis is an error then and not a new store. `create` by default. */
  readonly absent?: WhenAbsent
  /** `config`: the settings of the server are as they must be, though CONFIG is forbidden, as on managed services. */
  readonly trust?: readonly Trust[]
  /** How long opening may take, in milliseconds. 10,000 by default. */
  readonly connectTimeoutMs?: number
  /** How long a write is repeated until it is known how it ended, in milliseconds; `STORE_UNCERTAIN` then. 30,000 by default. */
  readonly settleMs?: number
  /** How long one answer is waited for before the command is repeated, in milliseconds. 5,000 by default. */
  readonly attemptMs?: number
  /** @internal For tests. */
  readonly clock?: Clock
}

/** An open store. */
interface Open {
  readonly ground: Ground
  readonly writer: Writer
  readonly reader: Reader
  readonly groups: Groups
  readonly ownership: Ownership
  readonly probes: readonly Probe[]
}

/** See the file head. It opens on first use, so that making one can't fail and a failed opening can be repeated. */
export class RedisStore implements StoreDriver {
  readonly name = 'redis'
  readonly scope = 'shard'
  readonly shards: number
  readonly limits: StoreLimits = { maxSnapshotBytes: 8 << 20, maxMessageBytes: 4 << 20, maxOutbox: 4_000 }
  readonly lanes: RedisLanes
  readonly cluster: RedisCluster
  readonly #options: RedisStoreOptions
  readonly #scripts: Scripts
  readonly #clock: Clock
  /** What shards acknowledged stays known over a failed opening, or it would hide a loss. */
  readonly #watermarks = new Watermarks()
  readonly #instance = randomBytes(6).toString('base64url')
  #courier: Courier | undefined
  #opening: Promise<Open> | undefined
  #stops = new Set<() => Promise<void>>()
  #isClosed = false

  /** @param broken - Scripts in the place of ours; tests give some that leave out a check. */
  constructor(options: RedisStoreOptions, broken: Partial<Scripts> = {}) {
    this.#options = options
    this.shards = options.shards ?? 256
    this.#scripts = { ...scripts, ...broken }
    this.#clock = options.clock ?? systemClock
    this.lanes = new RedisLanes(() => this.#open())
    this.cluster = new RedisCluster(() => this.#open(), this.#stops)
  }

  async probe(): Promise<readonly Probe[]> {
    const { probes } = await this.#connect()
    // A failed probe is looked at anew: somebody may have mended it.
    if (probes.some(({ passed }) => !passed)) this.#opening = undefined
    return probes
  }

  async acquire(owner: HostId, shards: readonly ShardId[], handover: readonly ShardId[] = []): Promise<Acquired> {
    return (await this.#open()).ownership.acquire(owner, shards, handover)
  }

  async survived(owner: HostId): Promise<void> {
    await (await this.#open()).ownership.survived(owner)
  }

  async release(leases: readonly Lease[]): Promise<void> {
    await (await this.#open()).ownership.release(leases)
  }

  async write(group: Group): Promise<GroupResult> {
    return (await this.#open()).groups.write(group)
  }

  async load(partitions: readonly LogicalPartition[]): Promise<readonly (StoredEntity | undefined)[]> {
    return (await this.#open()).reader.load(partitions)
  }

  async inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]> {
    return (await this.#open()).reader.inbox(shards, after, limit)
  }

  async inboxOf(partition: LogicalPartition, after: number, limit: number): Promise<readonly InboxItem[]> {
    return (await this.#open()).reader.inboxOf(partition, after, limit)
  }

  async due(shards: readonly ShardId[], until: number, limit: number): Promise<readonly Due[]> {
    return (await this.#open()).reader.due(shards, until, limit)
  }

  async nextDue(shards: readonly ShardId[], after: number): Promise<number | undefined> {
    return (await this.#open()).reader.nextDue(shards, after)
  }

  async unsettled(
    shards: readonly ShardId[],
    after: EntityId | undefined,
    limit: number,
  ): Promise<readonly EntityId[]> {
    return (await this.#open()).reader.unsettled(shards, after, limit)
  }

  async keys(keys: readonly KeyPlace[]): Promise<readonly KeyState[]> {
    const { reader, writer, ground } = await this.#open()
    const states = await reader.keys(keys)
    const known = keys.filter((_, index) => states[index]?.state === 'known')
    if (known.length === 0 || ground.durability !== 'replicated') return states
    // To say that a call is known is to acknowledge it: a replica must have it (G8).
    await writer.confirm(known.map(({ shard }) => shard))
    const again = await reader.keys(keys)
    return states.map((state, index) => (state.state === 'known' ? bothOf(state, again[index] as KeyState) : state))
  }

  async purge(before: number): Promise<number> {
    const { reader, writer, ground } = await this.#open()
    const keys: Order['keys'] = ({ record, keys, keyTimes }) => [record, keys, keyTimes]
    const order = { script: ground.scripts.purge, keys, args: [before, purgedAtOnce], watermark: 'ignore' as const }
    let forgotten = 0
    for (let shards = reader.all; shards.length > 0; ) {
      const counts = (await writer.each(shards, () => order)).map((answer) => Number(answer[2]))
      for (const count of counts) forgotten += count
      shards = shards.filter((_, index) => counts[index] === purgedAtOnce)
    }
    return forgotten
  }

  async deadLetters(after: MessageId | undefined, limit: number): Promise<readonly DeadLetter[]> {
    return (await this.#open()).reader.deadLetters(after, limit)
  }

  async deadLetter(id: MessageId): Promise<DeadLetter | undefined> {
    return (await this.#open()).reader.deadLetter(id)
  }

  async requeue(id: MessageId): Promise<InboxItem | undefined> {
    const { reader, writer, ground } = await this.#open()
    const letter = await reader.deadLetter(id)
    if (letter === undefined) return undefined
    const [answer] = await writer.each([letter.shard], () => ({
      script: ground.scripts.requeue,
      keys: ({ record, dead, deadIds, ids, inbox }) => [record, dead, deadIds, ids, inbox],
      args: [id, randomUUID()],
    }))
    const [outcome, , position, to, body] = answer ?? ['none']
    if (outcome !== 'requeued') return undefined
    return { id, to: to as EntityId, shard: letter.shard, body: String(body), position: Number(position) }
  }

  /** Stops listening and trying. The client is left as it is. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#courier?.close()
    await Promise.all([...this.#stops].map((stop) => stop()))
  }

  async #open(): Promise<Open> {
    const open = await this.#connect()
    const failed = open.probes.filter(({ passed }) => !passed)
    if (failed.length === 0) return open
    this.#opening = undefined
    const list = failed.map(({ name, finding }) => `${name}: ${finding}`).join(' ')
    throw new InterstateError('STORE_UNFIT', list, { probes: failed })
  }

  #connect(): Promise<Open> {
    if (this.#isClosed) return Promise.reject(new InterstateError('STORE_FAILED', 'The store is closed.', {}))
    this.#opening ??= this.#openNow().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #openNow(): Promise<Open> {
    const { client, prefix = 'interstate', connectTimeoutMs = 10_000, attemptMs = 5_000 } = this.#options
    checkOptions(this.#options, prefix, this.shards)
    let last: unknown
    const onError = (error: unknown): void => {
      last = error
    }
    client.on('error', onError)
    // While it opens nothing is repeated for longer than opening may take.
    const courier = new Courier(client, this.#clock, { settleMs: connectTimeoutMs, attemptMs })
    const late = (): Error => {
      const why = last instanceof Error ? last.message : 'not a word came back (frozen? TLS on one side only?)'
      return new InterstateError(
        'STORE_FAILED',
        `Redis could not be opened within ${connectTimeoutMs} ms: ${why}.`,
        {},
        { cause: last },
      )
    }
    try {
      return await within(this.#clock, connectTimeoutMs, this.#openWith(courier, new Names(prefix, this.shards)), late)
    } catch (error) {
      throw error instanceof InterstateError ? error : late()
    } finally {
      courier.close()
      client.off('error', onError)
    }
  }

  async #openWith(opener: Courier, names: Names): Promise<Open> {
    const { client, durability: chosen, trust = [], absent = 'create' } = this.#options
    const { settleMs = 30_000, attemptMs = 5_000 } = this.#options
    // It makes a client connect that has not yet: only then its nodes are known. It names no key: a node of a cluster that
    // was given as a server of its own answers too, and the probe finds what it is.
    await opener.read(names.cluster.slot, { run: 'DBSIZE', keys: [], args: [] })
    const found = await survey(opener)
    const durability = chosen ?? strongest(found)
    const probes = probesOf(found, client, durability, chosen, trust)
    const courier = new Courier(client, this.#clock, { settleMs, attemptMs })
    // A store is not made on servers that will not do: what would stand there looks like one.
    const store = probes.every(({ passed }) => passed) ? await openStore({ courier: opener, names, absent }) : ''
    const ground: Ground = {
      names,
      scripts: this.#scripts,
      courier,
      watermarks: this.#watermarks,
      clock: this.#clock,
      store,
      durability,
      settleMs,
    }
    this.#courier = courier
    await teach(opener, Object.values(this.#scripts))
    const writer = new Writer(ground)
    return {
      ground,
      writer,
      reader: new Reader(ground),
      groups: new Groups(ground, writer, this.#instance),
      ownership: new Ownership(ground, writer),
      probes,
    }
  }
}

/** Servers that know a script need only its name. One that does not is sent it whole, so nothing rests on this. */
async function teach(courier: Courier, scripts: readonly Script[]): Promise<void> {
  await Promise.allSettled(
    courier.primaries().flatMap((node) => scripts.map(({ text }) => node.call('SCRIPT', ['LOAD', text]))),
  )
}

const purgedAtOnce = 1_000

/** What can be known without asking a server. */
function checkOptions({ client }: RedisStoreOptions, prefix: string, shards: number): void {
  if (prefix === '' || /[{}\s]/.test(prefix)) {
    const what = `The prefix ${JSON.stringify(prefix)} must not be empty nor have a brace or a space in it.`
    throw new InterstateError('STORE_UNFIT', what, { probe: 'prefix', prefix })
  }
  if (!Number.isInteger(shards) || shards < 1 || shards > maxShards) {
    const what = `The number of shards is one from 1 to ${maxShards}, best a power of two, not ${shards}.`
    throw new InterstateError('STORE_UNFIT', what, { probe: 'shards', shards })
  }
  const keyPrefix = isCluster(client)
    ? client.options.keyPrefix || client.options.redisOptions?.keyPrefix
    : client.options.keyPrefix
  if (keyPrefix) {
    const what = `The client has keyPrefix "${keyPrefix}", which would move keys out of their shards. Use \`prefix\` of the store.`
    throw new InterstateError('STORE_UNFIT', what, { probe: 'keyPrefix', keyPrefix })
  }
}

/** What was read twice; a reply that came in between is told next time. */
function bothOf(before: KeyState & { readonly state: 'known' }, after: KeyState): KeyState {
  return after.state === 'known' && before.reply === undefined ? { ...after, reply: undefined } : after
}
