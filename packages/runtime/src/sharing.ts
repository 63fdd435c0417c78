// sharing.ts: a host among others: takes the shards that it shall run, gives back those that it shall not, and looks after
// what others leave in its shards.
// Not here: who shall run what (membership.ts), what happens to work under way when a shard goes (engine.ts).
//   H1  A shard is run only under a lease that the store gave for it; what anybody proposes is a wish.
//   H2  A shard whose store lost history stands still until a person decides, whoever finds it out (G15).
//   H3  What others leave is found without being told of: a word makes it faster, never possible (G16).
import type { Acquired, Cluster, Env, HostRecord, Lanes, ShardId, StoreDriver, TimerHandle } from '@interstate/core'
import { type Halt, InterstateError } from '@interstate/core'
import { Courier } from './courier.ts'
import { Dispatch } from './dispatch.ts'
import type { Leases } from './leases.ts'
import type { Loader } from './loader.ts'
import { Membership, type Round } from './membership.ts'
import { Post } from './post.ts'
import type { SignalListener } from './signals.ts'
import type { Waiters } from './waiters.ts'

/** How a host takes its part among others. */
export interface SharingOptions {
  readonly record: Omit<HostRecord, 'beat'>
  readonly detectMs: number
  readonly lookMs: number
}

/** The parts of a host that share. */
export interface SharingContext extends SharingOptions {
  readonly store: StoreDriver
  readonly lanes: Lanes
  readonly cluster: Cluster
  readonly env: Env
  readonly leases: Leases
  readonly loader: Loader
  readonly waiters: Waiters
  readonly tell: SignalListener
  /** Looks for work soon. */
  readonly ring: () => void
  /** Does something between two groups. */
  readonly errand: (work: () => Promise<void>) => Promise<void>
  /** Looks for answers that were given elsewhere. */
  readonly lookForAnswers: () => Promise<void>
  /** Shards came: finds what was left to do in them. */
  readonly take: (acquired: Acquired) => Promise<void>
  /** Shards are gone. */
  readonly drop: (shards: ReadonlySet<ShardId>) => void
}

/** Rounds in the time after which a silent host counts as dead. */
const roundsToDetect = 5
/** Receivers that are checked for lost history at each look. */
const checkedAtOnce = 8

/** See the file head. */
export class Sharing {
  readonly courier: Courier
  readonly dispatch: Dispatch
  readonly #context: SharingContext
  readonly #membership: Membership
  readonly #post: Post
  #round: Round | undefined
  /** Version of the assignment for which the leases of this host were looked at last. */
  #adopted = 0
  #holdsRound = false
  #wantsRound = false
  #roundTimer: TimerHandle
  #lookTimer: TimerHandle
  /** Shards in which others may have left something. */
  readonly #toLook = new Set<ShardId>()
  #checks = false
  #nextCheck = 0
  /** Of the shards that were taken last. */
  #crashes = 0
  #isStopped = false

  constructor(context: SharingContext) {
    const { cluster, lanes, store, env, record, detectMs, leases, loader, waiters } = context
    this.#context = context
    this.courier = new Courier(lanes)
    this.#membership = new Membership({ cluster, env, shards: store.shards, record, detectMs })
    this.#post = new Post(cluster, record.host, env, leases, {
      assigned: (shard) => this.#round?.view.assignment.owners[shard],
      news: (shards) => this.#lookAt(shards),
      answer: (message, answer) => void waiters.answer(message, answer),
      round: () => void this.#holdRound(),
    })
    this.dispatch = new Dispatch({ leases, loader, courier: this.courier, post: this.#post })
  }

  /** Enters, and takes the shards that are its part. Gives how many owners of one of them in a row crashed before. */
  async start(): Promise<number> {
    const { lookMs } = this.#context
    await this.#post.start(lookMs)
    this.#round = await this.#membership.round()
    await this.#adopt()
    this.#announce()
    this.#setRound()
    this.#setLook()
    return this.#crashes
  }

  /** No more rounds; what this host runs it goes on to run. */
  stop(): void {
    this.#isStopped = true
    const { env } = this.#context
    env.clearTimer(this.#roundTimer)
    env.clearTimer(this.#lookTimer)
  }

  /** The host has come to its end: nothing of it goes on. The others find out. */
  end(): void {
    this.stop()
    void this.#post.stop()
  }

  /** Leaves after its shards were given back: the others take them at once. */
  async leave(): Promise<void> {
    this.stop()
    try {
      this.#post.tellRound(await this.#membership.leave())
      this.#post.flush()
    } finally {
      await this.#post.stop()
    }
  }

  /** Whether other hosts live that go on with the work. */
  get hasOthers(): boolean {
    return (this.#round?.living.size ?? 0) > 1
  }

  /** Whether there is something to look at or to carry. */
  get busy(): boolean {
    return this.#toLook.size > 0 || this.#checks || this.courier.busy
  }

  /** Looks at what others may have left. */
  async look(): Promise<void> {
    const { lanes, leases, loader } = this.#context
    const shards = [...this.#toLook].filter((shard) => leases.has(shard))
    const losses: Halt[] = []
    // What is told from here on is looked at next time.
    this.#toLook.clear()
    try {
      for (const tail of shards.length === 0 ? [] : await lanes.tails(shards)) {
        const loss = loader.noteTail(tail)
        if (loss !== undefined) losses.push(loss)
        if (tail.departing > 0 && this.courier.isIdle(tail.shard)) this.courier.look([tail.shard])
      }
    } catch (error) {
      for (const shard of shards) this.#toLook.add(shard)
      throw error
    }
    for (const loss of losses) await this.#halt(loss)
    if (this.#checks) {
      // It is made again at the next look; nobody's call is refused for it.
      await this.#check().catch((error: unknown) => this.heed(error))
    }
  }

  /** Carries messages along lanes. */
  async carry(): Promise<() => Promise<void>> {
    const { accepted, losses, failure } = await this.courier.carry()
    return async () => {
      this.dispatch.arrived(accepted)
      for (const loss of losses) await this.#halt(loss)
      if (failure !== undefined) throw failure
    }
  }

  /** Sends the words that came up. */
  flush(): void {
    this.#post.flush()
  }

  /** Learns under which leases shards are run, before something is let in there. */
  async know(shards: Iterable<ShardId>): Promise<void> {
    const { cluster, leases } = this.#context
    const unknown = [...new Set(shards)].filter((shard) => leases.known(shard) === undefined)
    if (unknown.length > 0) leases.learn(await cluster.leases(unknown))
  }

  /** Does what a store's refusals say: these shards have passed on, or lost history. */
  async obey(fenced: ReadonlySet<ShardId>, losses: readonly Halt[]): Promise<void> {
    const { leases } = this.#context
    const gone = new Set([...fenced].filter((shard) => leases.has(shard)))
    for (const shard of fenced) leases.forget(shard)
    if (gone.size > 0) this.#drop(gone, 'taken by another host')
    for (const loss of losses) await this.#halt(loss)
    void this.#holdRound()
  }

  /** The first of these shards that stands still. */
  haltOf(shards: readonly ShardId[]): Halt | undefined {
    return this.#round?.view.halts.find(({ shard }) => shards.includes(shard))
  }

  /** Does what the failure of a store says, if it is that history was lost. */
  async heed(error: unknown): Promise<void> {
    if (!(error instanceof InterstateError) || error.code !== 'STORE_LOST_HISTORY') return
    const findings = Object.entries((error.details.findings ?? {}) as Record<string, string>)
    for (const [shard, finding] of findings) await this.#halt({ shard: Number(shard), finding })
  }

  #lookAt(shards: Iterable<ShardId>): void {
    for (const shard of shards) this.#toLook.add(shard)
    this.#context.ring()
  }

  async #check(): Promise<void> {
    this.#checks = false
    await this.#context.lookForAnswers()
    if (await this.#dropStale()) void this.#holdRound()
    const { shards } = this.#context.store
    const to = Array.from({ length: Math.min(checkedAtOnce, shards) }, (_, index) => (this.#nextCheck + index) % shards)
    this.#nextCheck = (this.#nextCheck + checkedAtOnce) % shards
    for (const loss of await this.courier.check(to)) await this.#halt(loss)
  }

  /**
   * A lease may have passed on and nobody said so: while this host stood still, or to one that was slower to take a shard
   * than to learn that it is another's again. Who never writes there is never refused, and its timers would not ring (G16).
   */
  async #dropStale(): Promise<boolean> {
    const { cluster, leases } = this.#context
    const own = leases.all
    if (own.length === 0) return false
    const present = await cluster.leases(own.map(({ shard }) => shard))
    const stale = own.filter(({ epoch }, index) => epoch < (present[index]?.epoch ?? 0))
    if (stale.length > 0) this.#drop(new Set(stale.map(({ shard }) => shard)), 'taken by another host')
    return stale.length > 0
  }

  async #holdRound(): Promise<void> {
    if (this.#holdsRound || this.#isStopped) {
      this.#wantsRound = true
      return
    }
    this.#holdsRound = true
    this.#context.env.clearTimer(this.#roundTimer)
    try {
      do {
        this.#wantsRound = false
        this.#round = await this.#membership.round()
        this.#announce()
        if (this.#differs || this.#round.view.assignment.version !== this.#adopted)
          void this.#context
            .errand(() => this.#adopt())
            .catch((error) => this.heed(error))
            .catch(ignore)
      } while (this.#wantsRound && !this.#isStopped)
    } catch {
      // The store failed. The next round tells more; too many of them missed, and the others go on without this host.
    } finally {
      this.#holdsRound = false
      this.#setRound()
    }
  }

  #announce(): void {
    if (this.#round?.changed !== true) return
    this.#post.tellRound(this.#round.living)
    this.#post.flush()
  }

  #wanted(): ReadonlySet<ShardId> {
    const { view } = this.#round as Round
    const halted = new Set(view.halts.map(({ shard }) => shard))
    const wanted = new Set<ShardId>()
    for (const [shard, owner] of view.assignment.owners.entries()) {
      if (owner === this.#context.record.host && !halted.has(shard)) wanted.add(shard)
    }
    return wanted
  }

  get #differs(): boolean {
    const { leases } = this.#context
    const wanted = this.#wanted()
    return leases.shards.length !== wanted.size || leases.shards.some((shard) => !wanted.has(shard))
  }

  /** Takes and gives back what the last round says. */
  async #adopt(): Promise<void> {
    if (this.#isStopped) return
    const { store, leases } = this.#context
    const { view } = this.#round as Round
    this.courier.halt(new Set(view.halts.map(({ shard }) => shard)))
    if (view.assignment.version !== this.#adopted) await this.#dropStale()
    this.#adopted = view.assignment.version
    const wanted = this.#wanted()
    const given = leases.all.filter(({ shard }) => !wanted.has(shard))
    if (given.length > 0) {
      this.#drop(new Set(given.map(({ shard }) => shard)), 'handed over')
      await store.release(given)
    }
    const missing = [...wanted].filter((shard) => !leases.has(shard))
    if (missing.length > 0) await this.#take(missing)
  }

  async #take(shards: readonly ShardId[]): Promise<void> {
    const { store, cluster, record, take, drop, tell } = this.#context
    const { living } = this.#round as Round
    const present = await cluster.leases(shards)
    const handover = present.filter(({ owner }) => living.has(owner)).map(({ shard }) => shard)
    const acquired = await store.acquire(record.host, shards, handover)
    try {
      await take(acquired)
    } catch (error) {
      // Half taken is not taken: the next round tries again, under newer epochs.
      drop(new Set(shards))
      throw error
    }
    this.courier.look(shards)
    this.#crashes = acquired.crashes
    tell({ signal: 'shards-taken', shards, crashes: acquired.crashes })
    void this.#context.errand(() => this.#compare(shards)).catch(ignore)
  }

  /** History may have been lost while nobody ran the shards. */
  async #compare(shards: readonly ShardId[]): Promise<void> {
    const { leases, store } = this.#context
    const own = shards.filter((shard) => leases.has(shard))
    for (const loss of await this.courier.compare(own, store.shards)) await this.#halt(loss)
  }

  #drop(shards: ReadonlySet<ShardId>, why: string): void {
    this.#context.drop(shards)
    this.courier.drop(shards)
    for (const shard of shards) this.#toLook.delete(shard)
    this.#context.tell({ signal: 'shards-dropped', shards: [...shards], why })
  }

  async #halt({ shard, finding }: Halt): Promise<void> {
    const { cluster, leases, tell } = this.#context
    if (this.haltOf([shard]) !== undefined) return
    if (leases.has(shard)) this.#drop(new Set([shard]), 'lost history')
    const round = this.#round as Round
    // Known here at once: what comes for the shard before the next round is refused already.
    this.#round = { ...round, view: { ...round.view, halts: [...round.view.halts, { shard, finding }] } }
    tell({ signal: 'history-lost', shard, finding })
    await cluster.halt({ shard, finding })
    void this.#holdRound()
  }

  #setRound(): void {
    const { env, detectMs } = this.#context
    if (this.#isStopped) return
    this.#roundTimer = env.setTimer(detectMs / roundsToDetect, () => void this.#holdRound())
  }

  #setLook(): void {
    const { env, lookMs, leases } = this.#context
    if (this.#isStopped) return
    this.#lookTimer = env.setTimer(lookMs, () => {
      this.#checks = true
      this.#lookAt(leases.shards)
      this.#setLook()
    })
  }
}

const ignore = (): void => {}
