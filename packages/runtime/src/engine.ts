// engine.ts: the loop of a host: let in, take turns, write, settle. One group at a time.
// Owns: when a group is made, in which mode, and what happens when the store fails.
//   E1  No group is made before the last one is settled.
//   E2  After an undone group turns are taken one by one for a while, so that the culprit stands alone (G13).
//   E3  When the store fails, calls from outside are refused and nothing is lost; when it is fenced, the process ends.
//   E4  Shards come and go between two groups only. A shard that another host has taken is dropped, whatever waits for it:
//       what is durable is that host's now, and what is not is let in there.
//   E5  A group whose end is not known stays the present one until it is (group-writer.ts).
import {
  type Acquired,
  type EntityId,
  type Env,
  type ErrorCode,
  type Group,
  type GroupResult,
  type Halt,
  type HostId,
  InterstateError,
  type PlacementRule,
  type RetryPolicy,
  type ShardId,
  type StoreDriver,
  type TimerHandle,
  type Wiring,
} from '@interstate/core'
import { Admission } from './admission.ts'
import { type Arrival, Arrivals, unawaited } from './arrival.ts'
import { EffectRunner } from './effect-runner.ts'
import { GroupWriter } from './group-writer.ts'
import { Leases } from './leases.ts'
import { Loader } from './loader.ts'
import { Recovery } from './recovery.ts'
import type { Item } from './resident.ts'
import { Residents } from './residents.ts'
import { effectEvents, resumeEffects } from './resumption.ts'
import { Settlement } from './settlement.ts'
import { Sharing, type SharingOptions } from './sharing.ts'
import type { Tally } from './tally.ts'
import { TurnTaker, type Verification } from './turn.ts'
import { unpark } from './unpark.ts'
import { Waiters } from './waiters.ts'
import { WakeUps } from './wake-ups.ts'
import { type Budget, Wave, type WaveContext } from './wave.ts'

/** What an engine runs on. */
export interface EngineOptions {
  readonly wiring: Wiring
  readonly store: StoreDriver
  readonly env: Env
  readonly tally: Tally
  readonly owner: HostId
  readonly place: PlacementRule | undefined
  readonly retry: RetryPolicy
  readonly budget: Budget
  readonly verification: Verification
  /** Entities in memory. */
  readonly maxLive: number
  /** Effects that run at the same time. */
  readonly maxEffects: number
  readonly hangMs: number | undefined
  /** How it takes its part among hosts that share the store. */
  readonly sharing: SharingOptions
}

/** Turns that are taken one by one after a group was undone. */
const aloneFor = 1_024
/** Failures that one entity's state brings about; taken alone, its turn fails and no other. */
const culprits: ReadonlySet<ErrorCode> = new Set(['LIMIT_EXCEEDED', 'NOT_PLAIN_DATA'])
/** How long a host that stops goes on with what is in memory, in milliseconds. */
const quietMs = 5_000
/** The same where other hosts share the store. */
const sharedQuietMs = 250
/** Wait before a failed store is tried again, in milliseconds. */
const storeRetryMs = 500

/** Somebody who waits for quiet. */
interface Idler {
  readonly when: () => boolean
  readonly resolve: () => void
  readonly reject: (reason: InterstateError) => void
}

/** Something to be done between two groups. */
interface Errand {
  readonly run: () => Promise<void>
  readonly reject: (reason: InterstateError) => void
}

/** See the file head. */
export class Engine {
  readonly residents: Residents
  readonly arrivals: Arrivals = new Arrivals()
  readonly waiters: Waiters
  readonly effects: EffectRunner
  readonly loader: Loader
  readonly leases: Leases = new Leases()
  /** Only where several hosts may share the store. */
  readonly #sharing: Sharing | undefined
  readonly #options: EngineOptions
  readonly #context: WaveContext
  readonly #admission: Admission
  readonly #settlement: Settlement
  readonly #wakeUps: WakeUps
  readonly #carried: Item[] = []
  readonly #errands: Errand[] = []
  readonly #idle: Idler[] = []
  readonly #recovery: Recovery
  #watchdog: ReturnType<Env['watchdog']>
  #running = false
  #started = false
  #stopping = false
  #stopped = false
  #ended: InterstateError = new InterstateError('HOST_STOPPED', 'The host has stopped.')
  #rung = false
  #alone = 0
  #groups = 0
  /** The store failed; nothing is tried before its timer rings. */
  #resting = false
  #restTimer: TimerHandle

  constructor(options: EngineOptions) {
    const { wiring, store, env, tally, place, retry, owner } = options
    this.#options = options
    this.residents = new Residents(wiring, store.shards, place)
    this.waiters = new Waiters(env)
    this.loader = new Loader(store, this.residents, tally.tell)
    this.effects = new EffectRunner(
      env,
      effectEvents(tally, (result) => this.arrive(unawaited(result))),
      options.maxEffects,
    )
    this.#wakeUps = new WakeUps(env, store, this.residents, this.leases, this.loader.load, () => this.ring())
    this.#sharing = this.#share(options)
    this.#admission = new Admission(store, this.arrivals, this.waiters, tally.tell, (arrivals) => this.#know(arrivals))
    this.#recovery = new Recovery(retry)
    this.#context = {
      residents: this.residents,
      leases: this.leases,
      taker: new TurnTaker(wiring, store.limits, options.verification),
      env,
      retry,
      limits: store.limits,
      load: this.loader.load,
      isCurrent: (shard) => this.loader.isCurrent(shard),
    }
    this.#settlement = new Settlement({
      residents: this.residents,
      arrivals: this.arrivals,
      waiters: this.waiters,
      effects: this.effects,
      wakeUps: this.#wakeUps,
      tally,
      dispatch: this.#sharing?.dispatch,
      self: owner,
      isCurrent: this.#context.isCurrent,
      keys: (places) => store.keys(places),
      carry: (item) => void this.#carried.push(item),
    })
  }

  /** Takes its shards and finds what was left to do. */
  async start(): Promise<void> {
    const { store, owner, env, hangMs, tally } = this.#options
    try {
      let crashes = 0
      if (this.#sharing === undefined) {
        const shards = Array.from({ length: store.shards }, (_, shard) => shard)
        const acquired = await store.acquire(owner, shards)
        crashes = acquired.crashes
        await this.#take(acquired)
      } else crashes = await this.#sharing.start()
      this.#watchdog = hangMs === undefined ? undefined : env.watchdog(hangMs)
      tally.tell({ signal: 'started', shards: this.leases.shards.length, crashes })
    } catch (error) {
      this.#end(error as InterstateError)
      throw error
    }
    this.#started = true
    this.ring()
  }

  /** A call from outside. */
  arrive(arrival: Arrival): void {
    if (this.#stopped) {
      arrival.reject(this.#ended)
      return
    }
    this.arrivals.push(arrival)
    this.ring()
  }

  /** Does something between two groups, when no turn is under way. */
  errand<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stopped) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      // Not Promise.try: Node.js 22 has none.
      this.#errands.push({ run: () => Promise.resolve().then(work).then(resolve, reject), reject })
      this.ring()
    })
  }

  /**
   * Lets a parked entity go on; an errand.
   * @throws InterstateError `ENTITY_NOT_PARKED`; `LEASE_LOST` where another host runs it; `STORE_FAILED` when that could not be written.
   */
  unpark(entity: EntityId, head: 'retry' | 'dead-letter'): Promise<void> {
    const { residents, leases, loader } = this
    const write = (wave: Wave): Promise<string | undefined> => this.#write(wave, this.#writer(wave))
    return unpark({ residents, leases, loader, wave: this.#context, write }, entity, head)
  }

  /** Resolves when nothing is left to do but what waits for a time or for a person. */
  drained(): Promise<void> {
    if (this.#stopped) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#idle.push({ resolve, reject, when: () => this.#settledDown })
      this.ring()
    })
  }

  /** Looks for work soon. */
  ring(): void {
    if (this.#rung || this.#stopped) return
    this.#rung = true
    this.#options.env.soon(() => {
      this.#rung = false
      void this.#run()
    })
  }

  /** Ends the loop, as soon as what is in memory is handled, and gives the shards back. What is not durable is refused. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopping = true
    this.effects.stopAll()
    this.#sharing?.stop()
    await this.#quiet()
    if (this.#stopped) return
    this.#wakeUps.stop()
    const stopped = new InterstateError('HOST_STOPPED', 'The host has stopped.')
    await this.errand(async () => {
      this.#end(stopped)
      await this.#options.store.release(this.leases.all)
      await this.#sharing?.leave()
    }).catch((error: unknown) => {
      // A host that came to its end by itself meanwhile has nothing to give back.
      if (this.#ended === stopped) throw error
    })
  }

  /** Resolves when no call from outside waits, or when that takes too long: what is durable can wait for the next host. */
  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      // Where others go on at once there is no use in finishing what is durable; only its own callers are waited for.
      const isShared = this.#sharing?.hasOthers === true
      const timer = this.#options.env.setTimer(isShared ? sharedQuietMs : quietMs, resolve)
      const done = (): void => {
        this.#options.env.clearTimer(timer)
        resolve()
      }
      this.#idle.push({ resolve: done, reject: done, when: () => (isShared ? !this.#hasCallers : !this.#busy) })
      this.ring()
    })
  }

  #end(reason: InterstateError): void {
    this.#stopped = true
    this.#ended = reason
    this.#wakeUps.stop()
    this.#sharing?.end()
    this.effects.stopAll()
    this.#watchdog?.stop()
    this.#refuseAll(reason)
    this.waiters.failAll(reason)
    this.#options.env.clearTimer(this.#restTimer)
    for (const { reject } of [...this.#idle.splice(0), ...this.#errands.splice(0)]) reject(reason)
  }

  async #run(): Promise<void> {
    // A timer or an effect may ring while entities are still being read.
    if (this.#running || this.#stopped || !this.#started) return
    this.#running = true
    this.#watchdog?.turn('busy')
    try {
      await this.#step()
    } catch (error) {
      this.#storeFailed(error)
    } finally {
      this.#running = false
      this.#watchdog?.turn('idle')
    }
    if (this.#busy) this.ring()
    for (const idler of this.#idle.splice(0)) {
      if (idler.when()) idler.resolve()
      else this.#idle.push(idler)
    }
  }

  async #step(): Promise<void> {
    for (let errand = this.#errands.shift(); errand !== undefined; errand = this.#errands.shift()) await errand.run()
    if (this.#stopped || this.#resting) return
    await this.#read()
    const wave = await this.#open()
    // Behind the reading: on a connection that keeps order it would wait for what is carried.
    const carrying = Promise.allSettled([this.#sharing?.carry()])
    // The store has it before the first turn is taken.
    if (this.#sharing?.busy === true) await new Promise<void>((resolve) => this.#options.env.soon(resolve))
    const [written] = await Promise.allSettled([this.#handle(wave)])
    const [carried] = await carrying
    const [arrived] = await Promise.allSettled([carried.status === 'fulfilled' ? carried.value?.() : undefined])
    this.#sharing?.flush()
    for (const end of [written, carried, arrived]) if (end.status === 'rejected') throw end.reason
    if (this.#recovery.unreported) await this.#reportSurvival()
    this.#groups += 1
    for (const { resident } of wave.folds) resident.usedIn = this.#groups
    this.residents.evict(this.#options.maxLive, this.#groups)
  }

  /** Brings into memory what the next wave needs. */
  async #read(): Promise<void> {
    await this.#sharing?.look()
    if (await this.loader.readBacklog())
      for (const resident of this.residents.all()) if (resident.spilled) this.residents.list(resident)
    await this.loader.readSpilled(this.residents.spilled())
    if (this.#wakeUps.due) await this.#wakeUps.wake()
  }

  /** A wave with what waits outside, before its first turn. */
  async #open(): Promise<Wave> {
    const { store, budget } = this.#options
    const isCareful = this.#alone > 0 || this.#recovery.lasts || (this.loader.backlog && store.scope === 'store')
    const mode = store.scope === 'store' && !isCareful ? 'together' : 'each'
    const wave = new Wave(this.#context, mode, isCareful ? 'from the inbox' : 'at once')
    try {
      await this.#sharing?.know(this.#carried.map(({ envelope }) => this.residents.shardOf(envelope.to)))
      for (const item of this.#carried.splice(0)) wave.accept(item)
      await this.#admission.admit(wave)
      if (wave.goesInParts) await wave.prepare(budget)
    } catch (error) {
      this.#settlement.undo(wave)
      throw error
    }
    return wave
  }

  /** Takes the turns of a wave and writes what comes of them. */
  async #handle(wave: Wave): Promise<void> {
    const { budget } = this.#options
    const writer = this.#writer(wave)
    try {
      if (this.#recovery.lasts) await this.#recovery.fill(wave, this.residents, this.loader.load)
      else if (wave.goesInParts) await wave.runInParts(budget, writer.part)
      else await wave.run(budget)
      wave.end()
    } catch (error) {
      // What the store has of it already can neither be undone nor settled: the next host finds out.
      if (writer.hasBegun) throw new InterstateError('LEASE_LOST', `The host failed: ${error}.`, {}, { cause: error })
      this.#settlement.undo(wave)
      throw error
    }
    this.#alone = Math.max(0, this.#alone - wave.turns)
    await this.#write(wave, writer)
  }

  #writer(wave: Wave): GroupWriter {
    const { store, env, owner, tally } = this.#options
    const unknown = (error: InterstateError): void => {
      // Those whose calls are in it are told that nobody knows.
      for (const arrival of wave.arrivals) if (!arrival.internal) this.#refuse(arrival, error)
      this.#refuseAll(error, wave.arrivals)
      tally.tell({ signal: 'store-failed', error })
    }
    return new GroupWriter({ store, env, owner, retryMs: storeRetryMs, unknown, stops: () => this.#stopping }, wave)
  }

  async #reportSurvival(): Promise<void> {
    await this.#options.store.survived(this.#options.owner)
    this.#recovery.reported()
  }

  /** @returns Why something was undone, or `undefined`. */
  async #write(wave: Wave, writer: GroupWriter): Promise<string | undefined> {
    const { env, tally } = this.#options
    if (!wave.writes) return this.#settlement.settle(wave, [], undefined, undefined)
    const begin = env.monotonic()
    let failure: string | undefined
    try {
      const { group, folds, result } = await writer.finish()
      failure = this.#settlement.settle(wave, folds, group, result)
      const durable = result.results.filter(({ outcome }) => outcome === 'committed' || outcome === 'already applied')
      const turns = failure === undefined ? wave.taken : wave.taken.filter(({ taker }) => taker !== undefined)
      const isUndone = wave.mode === 'together' && failure !== undefined
      if (!isUndone) tally.committed(turns.length, durable.length, env.monotonic() - begin)
      await this.#obey(group, result)
    } catch (error) {
      this.#settlement.undo(wave)
      if (!(error instanceof InterstateError) || !culprits.has(error.code)) throw error
      failure = error.code
    }
    if (failure !== undefined) {
      this.#recovery.forget(this.residents)
      this.#alone = Math.max(aloneFor, this.residents.ready)
      tally.tell({ signal: 'regrouped', why: failure })
    }
    return failure
  }

  /** Shards came: goes on with what was left to do in them. */
  async #take({ leases, crashes }: Acquired): Promise<void> {
    const shards = leases.map(({ shard }) => shard)
    this.leases.take(leases)
    this.loader.open(shards)
    this.#recovery.begin(crashes)
    await this.#wakeUps.start(shards)
    await resumeEffects(shards, {
      store: this.#options.store,
      residents: this.residents,
      loader: this.loader,
      effects: this.effects,
    })
    this.ring()
  }

  /** Shards are gone: another host runs them, or nobody may (E4). */
  #drop(shards: ReadonlySet<ShardId>): void {
    this.leases.drop(shards)
    this.loader.close(shards)
    this.#recovery.forget(this.residents)
    for (const { state, queue } of this.residents.drop(shards)) {
      for (const { key } of Object.values(state?.running ?? {})) this.effects.stop(key)
      for (const item of queue) {
        item.queued = false
        if (item.arrival === undefined || item.stored || this.#carried.includes(item)) continue
        this.#carried.push(item)
      }
    }
  }

  /** Does what the refusals of a store say. */
  async #obey({ accepted, commits }: Group, { fenced, results, lost = [] }: GroupResult): Promise<void> {
    const late = new Set(fenced)
    const gone = new Set<ShardId>()
    const losses: Halt[] = [...lost]
    for (const { id, entry, shard } of accepted) if (late.has(id)) gone.add(entry ?? shard)
    for (const [index, { lease }] of commits.entries()) {
      const result = results[index]
      if (result?.outcome === 'fenced') gone.add(lease.shard)
      if (result?.outcome === 'lost') losses.push({ shard: lease.shard, finding: result.finding })
    }
    if (gone.size === 0 && losses.length === 0) return
    if (this.#sharing === undefined) {
      throw new InterstateError('LEASE_LOST', 'Another host has taken the shards of this one.')
    }
    await this.#sharing.obey(gone, losses)
  }

  /** Learns who runs the shards that calls are for. Those for a shard that stands still are refused; gives the others. */
  async #know(arrivals: readonly Arrival[]): Promise<readonly Arrival[]> {
    const sharing = this.#sharing
    if (sharing === undefined) return arrivals
    const shardsOf = ({ entry, envelopes }: Arrival): readonly ShardId[] =>
      entry === undefined ? envelopes.map(({ to }) => this.residents.shardOf(to)) : [entry]
    await sharing.know(arrivals.flatMap(shardsOf))
    return arrivals.filter((arrival) => {
      const halted = sharing.haltOf(shardsOf(arrival))
      if (halted === undefined) return true
      const { shard, finding } = halted
      const what = `Shard ${shard} stands still: ${finding}.`
      arrival.reject(new InterstateError('STORE_LOST_HISTORY', what, { shard, finding }))
      return false
    })
  }

  #share({ store, env, tally, sharing }: EngineOptions): Sharing | undefined {
    const { lanes, cluster } = store
    if (lanes === undefined || cluster === undefined) return undefined
    return new Sharing({
      ...sharing,
      store,
      lanes,
      cluster,
      env,
      leases: this.leases,
      loader: this.loader,
      waiters: this.waiters,
      tell: tally.tell,
      ring: () => this.ring(),
      errand: (work) => this.errand(work),
      lookForAnswers: () => this.#admission.lookForAnswers(),
      take: (acquired) => this.#take(acquired),
      drop: (shards) => this.#drop(shards),
    })
  }

  #storeFailed(cause: unknown): void {
    const { env, tally } = this.#options
    const error =
      cause instanceof InterstateError
        ? cause
        : new InterstateError('STORE_FAILED', `The host failed: ${String(cause)}.`, {}, { cause })
    this.#recovery.forget(this.residents)
    if (error.code === 'STORE_FENCED' || error.code === 'LEASE_LOST') {
      this.#end(error)
      tally.tell({ signal: 'fatal', error })
      // What the disk holds is unknown now; a lost lease only means that another host goes on.
      if (error.code === 'STORE_FENCED') env.exit(error)
      return
    }
    this.#refuseAll(error)
    if (error.code === 'STORE_LOST_HISTORY') this.errand(async () => this.#sharing?.heed(error)).catch(() => {})
    tally.tell({ signal: 'store-failed', error })
    this.#resting = true
    this.#restTimer = env.setTimer(storeRetryMs, () => {
      this.#resting = false
      this.ring()
    })
  }

  /** Refuses every call from outside that is not durable or under way; what the host itself has to say stays. */
  #refuseAll(error: InterstateError, underWay: ReadonlySet<Arrival> = new Set()): void {
    const kept: Arrival[] = []
    for (const arrival of this.arrivals.take(Number.POSITIVE_INFINITY)) {
      if (arrival.internal) kept.push(arrival)
      else this.#refuse(arrival, error)
    }
    for (const item of this.#carried.splice(0)) {
      if (item.arrival === undefined || item.arrival.internal) this.#carried.push(item)
      else this.#refuse(item.arrival, error)
    }
    for (const resident of this.residents.all()) {
      resident.queue.keep(({ arrival, stored }) => {
        if (arrival === undefined || arrival.internal || stored || underWay.has(arrival)) return true
        this.#refuse(arrival, error)
        return false
      })
    }
    for (const arrival of kept) this.arrivals.push(arrival)
  }

  #refuse(arrival: Arrival, error: InterstateError): void {
    if (arrival.registration !== undefined) this.arrivals.letGo(arrival.registration.key)
    arrival.reject(error)
    this.waiters.fail(arrival.message, error)
  }

  /** Whether somebody waits whose call is not durable, or whose answer may come with the next turns. */
  get #hasCallers(): boolean {
    if (this.arrivals.length > 0 || this.#carried.length > 0) return true
    return this.waiters.size > 0 && this.residents.ready > 0
  }

  get #busy(): boolean {
    if (this.#stopped) return false
    if (this.#resting) return this.#errands.length > 0
    return (
      this.arrivals.length > 0 ||
      this.residents.ready > 0 ||
      this.#errands.length > 0 ||
      this.#carried.length > 0 ||
      this.#recovery.pending ||
      this.loader.backlog ||
      this.#wakeUps.due ||
      this.#sharing?.busy === true
    )
  }

  /** Whether nothing will happen without a time passing or somebody from outside. */
  get #settledDown(): boolean {
    return !this.#busy && !this.#resting && this.effects.size === 0 && this.residents.waiting() === 0
  }
}
