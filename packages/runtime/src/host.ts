// host.ts: the face of a host: send, ask, publish, read, drain, stop.
import { hash } from 'node:crypto'
import {
  type Address,
  AddressRef,
  analyse,
  type CommandFor,
  contextLimits,
  type Definition,
  decodeSnapshot,
  defaultRetry,
  type EntityId,
  type Env,
  type Envelope,
  type EventFor,
  encodeEnvelope,
  type HostId,
  type IdempotencyKey,
  InterstateError,
  type LogicalPartition,
  type MessageId,
  machineVersion,
  messageType,
  type PlacementRule,
  type PlainLimits,
  type PlainObject,
  type Probe,
  parseEntityId,
  payloadLimits,
  plainCopy,
  type Registration,
  type ReplyFor,
  type RetryPolicy,
  type ShardId,
  type StoreDriver,
  type Trouble,
  timeOfKey,
  type View,
  validate,
  Wiring,
} from '@interstate/core'
import type { Receipt } from './arrival.ts'
import { Engine } from './engine.ts'
import { type DeadLetters, deadLetters, type Parked, parked } from './keeper.ts'
import { nodeEnv } from './node-env.ts'
import type { SharingOptions } from './sharing.ts'
import type { Counters, SignalListener } from './signals.ts'
import { Tally } from './tally.ts'
import type { Verification } from './turn.ts'

/** How a host works. All have defaults. */
export interface Policies {
  /** What becomes of a failing message. Default: 4 attempts after 0.1, 0.8 and 6.4 seconds, then the definition's `poison`. */
  readonly retry?: Partial<RetryPolicy>
  /** Whether the machines are analysed before the start. Default true, with NODE_ENV=production false. */
  readonly analyse?: boolean
  /** How often turns are decided twice (G14). Default `always`, with NODE_ENV=production `sampled`. */
  readonly verify?: Verification
  /** Entities kept in memory. Default 10,000. */
  readonly maxLive?: number
  /** Effects that run at the same time. Default 256. */
  readonly maxEffects?: number
  /** A turn that takes longer kills the process, and after some crashes its message is put away (G11). Default 30,000; `false` for never. */
  readonly hangMs?: number | false
  /** Turns in one group at most. Default 16,384. */
  readonly groupTurns?: number
  /** Time for the turns of one group, in milliseconds. Default 50. */
  readonly groupMs?: number
  /** Commits that a store which writes them one by one is handed while further turns are taken. Default 256. */
  readonly groupPart?: number
  /** Size of a payload at most. Default 32 levels, 10,000 values, 256 Ki characters. */
  readonly payload?: Partial<PlainLimits>
  /** Whether SIGTERM drains and stops the host, and then ends the process. Default true. */
  readonly stopOnTerminate?: boolean
}

/** How a host takes its part where several share a store. All have defaults. */
export interface ClusterOptions {
  /** Its share of the work, relative to other hosts. Default 1; 0 runs only what is pinned to it. */
  readonly weight?: number
  /** Shards that are this host's own as long as it lives. With `place` they make chosen entities run on chosen hosts. */
  readonly pins?: readonly ShardId[]
  /** A host that shows no sign of life for so long is dead, in milliseconds. The same for all hosts. Default 5,000. */
  readonly detectMs?: number
  /** How often the host looks by itself for what others left in its shards, in milliseconds. Default 1,000. */
  readonly lookMs?: number
}

/** What {@link createHost} takes. */
export interface HostOptions {
  /** Aggregates and sagas, as `defineAggregate` and `defineSaga` give them. */
  readonly entities: readonly Definition[]
  /** The host opens it and closes it. */
  readonly store: StoreDriver
  /** The seam to the outside. Default: Node.js. */
  readonly env?: Env
  /** Pins chosen entities to shards. Must never change for a stored entity. */
  readonly place?: PlacementRule
  readonly policies?: Policies
  /** Its part among the hosts that share the store, where the store can be shared. */
  readonly cluster?: ClusterOptions
  /** Names of warnings about the machines that are known and meant, as `analyse` gives them. */
  readonly accept?: readonly string[]
  /** Hears of everything that became durable, for logs and metrics. */
  readonly onSignal?: SignalListener
}

/** What `send` and `publish` take. */
export interface SendOptions {
  /** Makes a repeated call harmless, see `idempotencyKey`. */
  readonly idempotencyKey?: IdempotencyKey
  /** Joins this message to a chain that began elsewhere. Default: the message's own id. */
  readonly correlationId?: string
  /** Handed on to all that follows from the message. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What `ask` takes. */
export interface AskOptions extends SendOptions {
  /** How long to wait for the outcome, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number
}

type AnyAddress = Address<unknown, unknown>
type ViewFor<A> = A extends Address<unknown, infer V> ? (V extends View ? V : View) : never

/** A running host. */
export interface Host {
  /** Its name among the hosts that share its store; another at each start. */
  readonly id: HostId
  /**
   * Sends a command. Resolves when it is durable: from then on it has its effect exactly once, whatever crashes.
   *
   * @throws InterstateError `ENTITY_UNKNOWN`, `MESSAGE_UNKNOWN`, `MESSAGE_RESERVED`, `PAYLOAD_INVALID`, `NOT_PLAIN_DATA`,
   * `LIMIT_EXCEEDED`: nothing is stored. `IDEMPOTENCY_KEY_*`: nothing runs. `HOST_STOPPED`, `STORE_FULL`,
   * `STORE_FAILED`: not accepted, send it again. After a crash during the call it is not known whether it was accepted:
   * send it again with the same idempotency key.
   *
   * @example
   * ```ts
   * await host.send(Payment.at('42'), { type: 'Charge', cents: 1200 })
   * ```
   */
  send<A extends AnyAddress>(to: A, command: CommandFor<A>, options?: SendOptions): Promise<Receipt>
  /**
   * Sends a command and waits for its outcome: the reply, or `undefined` when it was handled without one.
   *
   * @throws InterstateError as `send`; `MESSAGE_REFUSED` when the entity does not take it in its present state;
   * `MESSAGE_DEAD_LETTERED`; `ASK_TIMEOUT`: it is accepted and will be handled.
   */
  ask<A extends AnyAddress>(to: A, command: CommandFor<A>, options?: AskOptions): Promise<ReplyFor<A> | undefined>
  /**
   * Publishes a fact about an entity that happened outside. It goes to all followers or, after a crash, to none.
   *
   * @param about - The entity that it is about.
   * @throws InterstateError as `send`.
   */
  publish<A extends AnyAddress>(about: A, event: EventFor<A>, options?: SendOptions): Promise<Receipt>
  /**
   * What is durable of an entity: state, context, version. No turn is taken. An address from a definition,
   * `payment.at(key)`, gives its context typed; one from a contract does not know it.
   *
   * @returns `undefined` for an entity that has handled nothing.
   * @throws InterstateError `SNAPSHOT_UNREADABLE` or `SNAPSHOT_VERSION_UNKNOWN`.
   */
  read<A extends AnyAddress>(of: A): Promise<ViewFor<A> | undefined>
  /**
   * Resolves when nothing is left to do: all messages handled, those that are tried again included, and effects ended.
   * Later timers and parked entities stay. On a clock that stands still a retry never comes: move the clock first.
   */
  drain(): Promise<void>
  /** Handles what was accepted, aborts effects (a next host runs them again), gives the store back. */
  stop(): Promise<void>
  /** Forgets idempotency keys made before a time. Such a key is refused from then on and never run. Gives their number. */
  purge(options: { readonly before: number | Date }): Promise<number>
  readonly deadLetters: DeadLetters
  readonly parked: Parked
  /** Counts since the start. */
  counters(): Counters
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a host: checks the wiring, probes the store, takes its shards and goes on with what was left to do. While
 * developing it also warns of what `analyse` finds.
 *
 * @throws InterstateError `WIRING_INVALID`, `STORE_UNFIT` and what opening the store throws. Nothing runs then.
 *
 * @example
 * ```ts
 * await using host = await createHost({ entities: [payment], store: sqliteStore({ path: 'shop.db' }) })
 * await host.send(Payment.at('42'), { type: 'Charge', cents: 1200 })
 * ```
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const { store, policies = {} } = options
  const wiring = new Wiring(options.entities)
  const env = options.env ?? nodeEnv()
  const tally = new Tally(options.onSignal)
  await probe(store)
  if (policies.analyse ?? env.defaultVerification() === 'always') warn(options, env, tally)
  const owner = env.id() as HostId
  const engine = new Engine({
    wiring,
    store,
    env,
    tally,
    owner,
    sharing: sharingOf(options, wiring, owner),
    place: options.place,
    retry: { ...defaultRetry, ...policies.retry },
    budget: {
      turns: Math.max(1, policies.groupTurns ?? 16_384),
      ms: policies.groupMs ?? 50,
      burst: 64,
      part: Math.max(1, policies.groupPart ?? 256),
    },
    verification: policies.verify ?? env.defaultVerification(),
    maxLive: policies.maxLive ?? 10_000,
    maxEffects: policies.maxEffects ?? 256,
    hangMs: policies.hangMs === false ? undefined : (policies.hangMs ?? 30_000),
  })
  try {
    await engine.start()
  } catch (error) {
    await store.close()
    throw error
  }
  const via = store.cluster === undefined ? undefined : owner
  return new RunningHost({ wiring, env, tally, engine, store, policies, id: owner, via })
}

/** @throws InterstateError `DEFINITION_INVALID` for what is no weight, shard or time. */
function sharingOf({ cluster = {}, store }: HostOptions, wiring: Wiring, host: HostId): SharingOptions {
  const { weight = 1, pins = [], detectMs = 5_000, lookMs = 1_000 } = cluster
  const isShard = (shard: ShardId): boolean => Number.isInteger(shard) && shard >= 0 && shard < store.shards
  const wrong = [
    ...(Number.isFinite(weight) && weight >= 0 ? [] : [`weight ${weight}`]),
    ...pins.filter((shard) => !isShard(shard)).map((shard) => `shard ${shard} of ${store.shards}`),
    ...[detectMs, lookMs].filter((ms) => !(Number.isFinite(ms) && ms > 0)).map((ms) => `${ms} ms`),
  ]
  if (wrong.length > 0) {
    const what = `A host can't take its part among others with ${wrong.join(', ')}.`
    throw new InterstateError('DEFINITION_INVALID', what, { wrong })
  }
  const runs: Record<string, string> = {}
  for (const { name, machine } of wiring.definitions.values()) runs[name] = machineVersion(machine)
  return { record: { host, weight, pins, runs }, detectMs, lookMs }
}

/** G18: a store that fails its probe is refused before anything runs on it. */
async function probe(store: StoreDriver): Promise<void> {
  let probes: readonly Probe[]
  try {
    probes = await store.probe()
  } catch (error) {
    await store.close()
    throw error
  }
  const failed = probes.filter(({ passed }) => !passed)
  if (failed.length === 0) return
  await store.close()
  const list = failed.map(({ name, finding }) => `${name}: ${finding}`).join('; ')
  throw new InterstateError('STORE_UNFIT', `Store "${store.name}" fails its probe: ${list}.`, { probes: failed })
}

/** Tells what `analyse` finds. Errors are none of it: the wiring has been checked. */
function warn({ entities, store: { limits }, accept = [], onSignal }: HostOptions, env: Env, tally: Tally): void {
  for (const finding of analyse(entities, { limits, accept })) {
    const { code, place, remedy, name } = finding
    if (onSignal === undefined) env.warn?.(`${place}. ${remedy} To accept it: accept: ['${name}']`, code)
    else tally.tell({ signal: 'finding', finding })
  }
}

interface Parts {
  readonly wiring: Wiring
  readonly env: Env
  readonly tally: Tally
  readonly engine: Engine
  readonly store: StoreDriver
  readonly policies: Policies
  readonly id: HostId
  /** Where several hosts share a store: the name under which an answer comes back to this one. */
  readonly via: HostId | undefined
}

class RunningHost implements Host {
  readonly id: HostId
  readonly deadLetters: DeadLetters
  readonly parked: Parked
  readonly #parts: Parts
  readonly #limits: PlainLimits
  readonly #checksSize: boolean
  readonly #forgetTerminate: () => void
  #stopping: Promise<void> | undefined

  constructor(parts: Parts) {
    const { engine, store, wiring, env, tally, policies, id } = parts
    this.#parts = parts
    this.id = id
    this.#limits = payloadLimitsOf(policies)
    this.#checksSize = policies.payload !== undefined || store.limits.maxMessageBytes < roomyMessageBytes
    this.deadLetters = deadLetters({ engine, store, wiring, env, tell: tally.tell })
    this.parked = parked({ engine, store, wiring, env, tell: tally.tell })
    this.#forgetTerminate = policies.stopOnTerminate === false ? () => {} : env.onTerminate(() => this.stop())
  }

  send<A extends AnyAddress>(to: A, command: CommandFor<A>, options: SendOptions = {}): Promise<Receipt> {
    // Not async: one promise a message instead of two.
    try {
      const envelope = this.#command(to, command, options)
      return this.#arrive([envelope], registrationOf([envelope], this.#partition(envelope.to), command, options), false)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async ask<A extends AnyAddress>(
    to: A,
    command: CommandFor<A>,
    options: AskOptions = {},
  ): Promise<ReplyFor<A> | undefined> {
    const envelope = this.#command(to, command, options, this.#parts.via)
    const outcome = this.#parts.engine.waiters.wait(envelope.id, options.timeoutMs ?? 30_000)
    // A refused call fails its waiter too; its own error is the one that is thrown.
    outcome.catch(() => {})
    try {
      await this.#arrive([envelope], registrationOf([envelope], this.#partition(envelope.to), command, options), true)
    } catch (error) {
      this.#parts.engine.waiters.fail(envelope.id, error as InterstateError)
      throw error
    }
    return (await outcome) as ReplyFor<A> | undefined
  }

  async publish<A extends AnyAddress>(about: A, event: EventFor<A>, options: SendOptions = {}): Promise<Receipt> {
    const { wiring, tally } = this.#parts
    const { contract, id: source } = this.#resolve(about)
    const data = validate(contract, 'event', event, this.#limits)
    const type = `${contract.name}.${messageType(event)}`
    const envelopes: Envelope[] = []
    for (const to of wiring.receiversOf(type, parseEntityId(source), data)) {
      // One call is one chain, however many follow.
      const chain = envelopes[0] === undefined ? options : { ...options, correlationId: envelopes[0].correlationId }
      envelopes.push(this.#envelope('event', to, type, data, contract.version, chain))
    }
    if (envelopes.length === 0) {
      this.#refuseIfStopping()
      tally.tell({ signal: 'unfollowed', type })
      return { message: this.#parts.env.id() as MessageId, duplicate: false }
    }
    const home = this.#partition(source)
    return this.#arrive(envelopes, registrationOf(envelopes, home, event, options), false, home.shard)
  }

  async read<A extends AnyAddress>(of: A): Promise<ViewFor<A> | undefined> {
    const { wiring, store } = this.#parts
    this.#refuseIfStopping()
    const { id } = this.#resolve(of)
    const [row] = await store.load([this.#partition(id)])
    if (row?.snapshot === undefined) return undefined
    const { snapshot } = decodeSnapshot(wiring.definitionOf(id), id, row.snapshot)
    const trouble = row.trouble === undefined ? undefined : (JSON.parse(row.trouble) as Trouble)
    const { value, context, status, output } = snapshot
    const stopped = trouble?.parkedAt === undefined ? undefined : trouble.message
    return { value, context, status, output, version: row.version, parked: stopped } as ViewFor<A>
  }

  async drain(): Promise<void> {
    await this.#parts.engine.drained()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async purge({ before }: { readonly before: number | Date }): Promise<number> {
    const { engine, store } = this.#parts
    const mark = Number(before)
    if (!Number.isFinite(mark)) {
      // It would be the mark, and no key could ever be told from one that is too old.
      throw new InterstateError('IDEMPOTENCY_KEY_INVALID', `Keys can't be purged before ${before}: that is no time.`)
    }
    return engine.errand(() => store.purge(mark))
  }

  counters(): Counters {
    return this.#parts.tally.counters()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    const { engine, store, tally } = this.#parts
    this.#forgetTerminate()
    try {
      await engine.stop()
    } finally {
      await store.close()
    }
    tally.tell({ signal: 'stopped' })
  }

  #command(to: AnyAddress, command: unknown, options: SendOptions, via?: HostId): Envelope {
    const { contract, id } = this.#resolve(to)
    const data = validate(contract, 'command', command, this.#limits)
    const envelope = this.#envelope('command', id, messageType(command), data, contract.version, options)
    return via === undefined ? envelope : { ...envelope, via }
  }

  /** @throws InterstateError `ADDRESS_INVALID` or `ENTITY_UNKNOWN`. */
  #resolve(address: unknown): { readonly id: EntityId; readonly contract: Definition['contract'] } {
    if (!(address instanceof AddressRef)) {
      throw new InterstateError('ADDRESS_INVALID', 'That is no address. Make one with Contract.at(key).')
    }
    const { contract } = this.#parts.wiring.definition(address.contract.name)
    return { id: address.id(), contract }
  }

  #partition(entity: EntityId): LogicalPartition {
    return this.#parts.engine.residents.partition(entity)
  }

  #envelope(
    kind: 'command' | 'event',
    to: EntityId,
    type: string,
    data: PlainObject,
    contractVersion: number,
    { correlationId, headers, idempotencyKey: key }: SendOptions,
  ): Envelope {
    const { env } = this.#parts
    const id = env.id() as MessageId
    const correlation = correlationId === undefined ? id : checkCorrelation(correlationId)
    const created = env.now()
    const envelope: Envelope = {
      id,
      kind,
      to,
      from: 'client',
      type,
      data,
      correlationId: correlation,
      causationId: id,
      created,
      contractVersion,
      key,
      headers: headers === undefined ? undefined : checkHeaders(headers),
    }
    this.#parts.engine.residents.checkPlace(to)
    if (this.#checksSize) this.#checkSize(envelope)
    return envelope
  }

  #checkSize(envelope: Envelope): void {
    const bytes = Buffer.byteLength(encodeEnvelope(envelope))
    const most = this.#parts.store.limits.maxMessageBytes
    if (bytes <= most) return
    throw new InterstateError('LIMIT_EXCEEDED', `${envelope.type} has ${bytes} bytes; ${most} is the most.`, { most })
  }

  #refuseIfStopping(): void {
    if (this.#stopping !== undefined) throw new InterstateError('HOST_STOPPED', 'The host is stopping.')
  }

  #arrive(
    envelopes: readonly Envelope[],
    registration: Registration | undefined,
    asks: boolean,
    entry?: ShardId,
  ): Promise<Receipt> {
    this.#refuseIfStopping()
    const message = (envelopes[0] as Envelope).id
    return new Promise((resolve, reject) => {
      this.#parts.engine.arrive({
        message,
        envelopes,
        items: [],
        registration,
        entry: this.#parts.via === undefined ? undefined : entry,
        pending: envelopes.length,
        registered: registration === undefined,
        internal: false,
        asks,
        resolve,
        reject,
      })
    })
  }
}

/** The limits for payloads: what may be sent must be readable when it comes out of a store again. */
function payloadLimitsOf({ payload }: Policies): PlainLimits {
  const { maxDepth, maxNodes, maxChars } = { ...payloadLimits, ...payload }
  return {
    maxDepth: Math.min(maxDepth, contextLimits.maxDepth - 2),
    maxNodes: Math.min(maxNodes, contextLimits.maxNodes - 1_000),
    maxChars: Math.min(maxChars, contextLimits.maxChars - 65_536),
  }
}

/** Below this size of message no payload at the default limits can come to lie. */
const roomyMessageBytes = 4 << 20
const maxCorrelationChars = 256
const headerLimits: PlainLimits = { maxDepth: 1, maxNodes: 65, maxChars: 16_384 }

function checkCorrelation(id: unknown): MessageId {
  if (typeof id !== 'string') throw new InterstateError('NOT_PLAIN_DATA', 'A correlation id is a text.', { id })
  if (id.length > 0 && id.length <= maxCorrelationChars) return id as MessageId
  const what = `A correlation id has 1 to ${maxCorrelationChars} characters, this one ${id.length}.`
  throw new InterstateError('LIMIT_EXCEEDED', what, { most: maxCorrelationChars })
}

function checkHeaders(headers: unknown): Readonly<Record<string, string>> {
  const copy = plainCopy(headers, 'headers', headerLimits)
  const isRecord = typeof copy === 'object' && copy !== null && !Array.isArray(copy)
  if (isRecord && Object.values(copy).every((each) => typeof each === 'string')) return copy as Record<string, string>
  throw new InterstateError('NOT_PLAIN_DATA', 'Headers are texts by name.')
}

/** What is kept of a call that may be repeated. */
function registrationOf(
  envelopes: readonly Envelope[],
  { entity: about, shard }: LogicalPartition,
  message: unknown,
  { idempotencyKey: key }: SendOptions,
): Registration | undefined {
  if (key === undefined) return undefined
  const [first, ...others] = envelopes.map(({ id }) => id) as [MessageId, ...MessageId[]]
  return { key, shard, at: timeOfKey(key), message: first, others, fingerprint: fingerprintOf(about, message) }
}

/**
 * The same call has the same fingerprint, in whatever order its properties were written. It is taken of the message as
 * it was sent: a default may be another next time, and so may be who follows.
 */
function fingerprintOf(about: EntityId, message: unknown): string {
  return hash('sha256', `${about}\n${JSON.stringify(message, sortKeys)}`, 'base64url').slice(0, 22)
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1)))
}
