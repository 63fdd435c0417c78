// wave.ts: takes turns until nobody wants one or the budget is used, and makes one group of them.
// Owns: the order of turns, what a failed turn becomes, what must be written with the group.
// Not here: writing and what follows from it (engine.ts), what one message does (turn.ts).
//   W1  Messages of one entity are handled in the order of its queue; a failing head stops its entity and no other (G6, G11).
//   W2  Nothing a turn put out leaves here; the group does, when it is durable (G8).
//   W3  Mode `together`: a message sent and handled within the group is never written: born and gone in one transaction.
//   W4  Mode `each`: one burst an entity, so that each commit stands alone (G13). What entities send is handled from the
//       inbox only; so are calls, unless the wave takes them at once: then their commit is what makes them durable.
//   W5  An entity whose commit was handed over in a part takes no further turn in the wave.
import {
  type EntityId,
  type Env,
  type Envelope,
  type Group,
  InterstateError,
  nextAttempt,
  type Registration,
  type RetryPolicy,
  type ShardId,
  type StoreLimits,
  type Trouble,
} from '@interstate/core'
import type { Arrival } from './arrival.ts'
import { Fold, stored } from './fold.ts'
import type { Leases } from './leases.ts'
import { Item, type Resident, UnreadableItem } from './resident.ts'
import type { Residents } from './residents.ts'
import type { Turn, TurnTaker } from './turn.ts'

/** How far a wave goes. */
export interface Budget {
  readonly turns: number
  readonly ms: number
  /** Messages that one entity handles before the next has its turn. */
  readonly burst: number
  /** Commits that are handed to the store while further turns are taken, where each stands alone. */
  readonly part: number
}

/** What a wave needs to know of its host. */
export interface WaveContext {
  readonly residents: Residents
  readonly leases: Leases
  readonly taker: TurnTaker
  readonly env: Env
  readonly retry: RetryPolicy
  readonly limits: StoreLimits
  /** Reads residents from the store. */
  readonly load: (residents: readonly Resident[]) => Promise<void>
  /** Whether new messages of a shard may go into memory; while older ones are unread they wait in the store, to keep the order. */
  readonly isCurrent: (shard: ShardId) => boolean
}

/**
 * When calls from outside are handled. `from the inbox`: when they are there. `at once`: what one commit covers, call and
 * key, goes right to its entity.
 */
export type Calls = 'from the inbox' | 'at once'

/** A group, or a part of one, and the folds behind its commits. */
export interface Written {
  readonly group: Group
  readonly folds: readonly Fold[]
}

/** Entities that are read from the store with one call. */
const loadsAtOnce = 64

/** See the file head. */
export class Wave {
  readonly mode: Group['mode']
  readonly #calls: Calls
  readonly folds: Fold[] = []
  /** Arrivals of which something is handled or accepted in this group. */
  readonly arrivals: Set<Arrival> = new Set()
  /** Messages from outside that go to the inbox with this group. */
  readonly accepted: Set<Item> = new Set()
  /** Entities to which these are. */
  readonly #acceptedBy: Set<EntityId> = new Set()
  /** Messages from entities that go to the inbox with this group. */
  readonly sent: Item[] = []
  /** Turns in the order in which they were taken. */
  readonly taken: Item[] = []
  /** Messages from entities, as long as it is open whether the group handles them. */
  #produced: Item[] = []
  /** Entities that turned out to be unable to take turns. */
  readonly held: Resident[] = []
  /** Of these, the ones whose next message was made by a newer contract. */
  readonly outdated: Resident[] = []
  readonly #context: WaveContext
  readonly #now: number
  #turns = 0
  /** Folds that are part of what was handed to the store. */
  #handedOver = 0

  constructor(context: WaveContext, mode: Group['mode'], calls: Calls) {
    this.#context = context
    this.mode = mode
    this.#calls = calls
    this.#now = context.env.now()
  }

  /** Turns taken. */
  get turns(): number {
    return this.#turns
  }

  /** Whether its commits may be written before the last of its turns is taken. */
  get goesInParts(): boolean {
    return this.mode === 'each' && this.#calls === 'at once'
  }

  /** Whether the group has anything to write. */
  get writes(): boolean {
    return this.accepted.size > 0 || this.registrations().length > 0 || this.folds.some((fold) => this.#writes(fold))
  }

  /** Lets a call from outside in. */
  admit(arrival: Arrival): void {
    arrival.items = arrival.envelopes.map((envelope) => new Item(envelope, arrival))
    const isOneCommit = this.mode === 'together' || (arrival.registration === undefined && arrival.entry === undefined)
    for (const item of arrival.items) {
      // Behind one that goes to the inbox it would be handled before it (G6).
      const atOnce = this.#calls === 'at once' && isOneCommit && !this.#acceptedBy.has(item.envelope.to)
      if (!atOnce || !this.#deliver(item)) this.accept(item)
    }
  }

  /** Whether what waits for an entity in the store only will be read before the next wave. */
  readsSpilled({ spilled, shard }: Resident): boolean {
    return spilled && this.#context.isCurrent(shard)
  }

  /** Puts a message from outside into the inbox with this group. */
  accept(item: Item): void {
    this.accepted.add(item)
    this.#acceptedBy.add(item.envelope.to)
    if (item.arrival !== undefined) this.arrivals.add(item.arrival)
  }

  /** Takes turns of all who want one. */
  async run(budget: Budget): Promise<void> {
    const { residents, load } = this.#context
    const goesOn = this.#bounds(budget)
    const toLoad: Resident[] = []
    const again: Resident[] = []
    try {
      while (goesOn()) {
        if (toLoad.length === loadsAtOnce || (toLoad.length > 0 && residents.ready === 0)) {
          await load(toLoad)
          for (const resident of toLoad.splice(0)) this.#admitLoaded(resident)
        }
        const resident = residents.next()
        if (resident === undefined) break
        if (resident.phase === 'unloaded') toLoad.push(resident)
        else this.#visit(resident, budget.burst, again)
      }
    } finally {
      // Also when loading fails: they still want their turn.
      for (const resident of [...toLoad, ...again]) residents.list(resident)
    }
  }

  /** Reads whoever wants a turn, all with one call: between two parts it would wait for the store to write the first. */
  async prepare(budget: Budget): Promise<void> {
    const { residents, load } = this.#context
    const unloaded = residents.unloaded().slice(0, budget.turns)
    if (unloaded.length > 0) await load(unloaded)
  }

  /** The same after {@link prepare}, in mode `each`. `part` is called whenever some commits are done for good (W5). */
  async runInParts(budget: Budget, part: () => Promise<void>): Promise<void> {
    const { residents } = this.#context
    const goesOn = this.#bounds(budget)
    const again: Resident[] = []
    while (goesOn()) {
      const resident = residents.next()
      if (resident === undefined) break
      if (resident.phase === 'unloaded') again.push(resident)
      else this.#visit(resident, budget.burst, again)
      if (this.folds.length - this.#handedOver >= budget.part) await part()
    }
    for (const resident of again) residents.list(resident)
  }

  /** Takes one turn of each of these. */
  runOnly(chosen: readonly Resident[]): void {
    for (const resident of chosen) {
      this.#burst(resident, 1)
      if (resident.queue.length > 0 || this.readsSpilled(resident)) this.#context.residents.list(resident)
    }
  }

  /** Ends the wave: what nobody handled must be in an inbox with this group. */
  end(): void {
    for (const item of this.#produced) {
      if (item.taker !== undefined || item.producer === undefined) continue
      item.producer.send(item.envelope)
      this.sent.push(item)
    }
    this.#produced = []
    for (const { resident } of this.folds) if (resident.phase !== 'ready') this.#acceptAll(resident)
    for (const resident of this.held) this.#acceptAll(resident)
    // An event goes to all of its followers or to none.
    for (const { items } of this.arrivals) {
      if (items.length > 1) for (const item of items) if (item.taker === undefined && !item.stored) this.accept(item)
    }
    // What was carried over to be stored may have had its turn meanwhile: in the inbox it would have another (G1).
    for (const item of this.accepted) if (item.taker !== undefined) this.accepted.delete(item)
  }

  /** Writes down what stands in the way of an entity, without a turn. */
  mark(resident: Resident, trouble: Trouble | undefined): void {
    this.fold(resident)
    resident.trouble = trouble
  }

  /** Puts the head message of an entity away by its policy: as a dead letter, or the entity is parked with it. */
  giveUp(resident: Resident, item: Item, error: InterstateError, attempts: number): void {
    if (resident.definition?.poison === 'park' || item.envelope.kind === 'timeout') {
      this.#park(resident, item, error)
      return
    }
    this.bury(resident, item, error, attempts)
  }

  /** Makes the head message of an entity a dead letter. */
  bury(resident: Resident, item: Item, error: InterstateError, attempts: number): void {
    this.fold(resident).bury(item, error, attempts)
    resident.queue.shift()
    if (resident.trouble?.message === item.envelope.id) resident.trouble = undefined
    resident.phase = 'ready'
    if (item.arrival !== undefined && !item.stored) this.arrivals.add(item.arrival)
  }

  /** What this group does to an entity. */
  fold(resident: Resident): Fold {
    if (resident.fold === undefined) {
      resident.fold = new Fold(resident)
      this.folds.push(resident.fold)
    }
    return resident.fold
  }

  /** Keys that this group registers. */
  registrations(): readonly Registration[] {
    const found: Registration[] = []
    for (const { registration, registered } of this.arrivals) {
      if (registration !== undefined && !registered) found.push(registration)
    }
    return found
  }

  /**
   * What has not been handed over of the commits, with the folds behind them.
   * @throws InterstateError `LIMIT_EXCEEDED` when a snapshot is too large.
   */
  toPart(owner: Group['owner'], tag: string): Written {
    const { residents, leases, limits } = this.#context
    const shardOf = (envelope: Envelope): number => residents.shardOf(envelope.to)
    const first = this.#handedOver
    const folds = this.folds.slice(first).filter((fold) => this.#writes(fold))
    const commits = folds.map((fold, index) => {
      const lease = leases.own(fold.resident.shard)
      return fold.toCommit(lease, `${tag}.${first + index}`, limits, this.#now, shardOf)
    })
    this.#handedOver = this.folds.length
    return { group: { owner, tag, accepted: [], registrations: [], commits, mode: this.mode }, folds }
  }

  /**
   * All that has not been handed over, when the wave has ended.
   * @throws InterstateError `LIMIT_EXCEEDED` when a snapshot is too large.
   */
  toGroup(owner: Group['owner'], tag: string): Written {
    const { residents, leases } = this.#context
    const { group, folds } = this.toPart(owner, tag)
    const accepted = [...this.accepted].map(({ envelope, arrival }) => {
      const message = stored(envelope, residents.shardOf(envelope.to))
      const entry = arrival?.entry
      return { ...message, entry, lease: leases.known(entry ?? message.shard) }
    })
    return { group: { ...group, accepted, registrations: this.registrations() }, folds }
  }

  /** Items that exist only if this group is written. */
  produced(): readonly Item[] {
    return [...this.#produced, ...this.sent]
  }

  /**
   * Whether anything must be written of what happened to an entity. Where shards pass from host to host that is so for
   * every call: an answer that left no trace would be fenced by nothing (G5).
   */
  #writes(fold: Fold): boolean {
    if (fold.writes) return true
    return this.mode === 'each' && fold.items.some(({ arrival, stored }) => arrival !== undefined && !stored)
  }

  /** At least one turn, however little time there is. */
  #bounds(budget: Budget): () => boolean {
    const { env } = this.#context
    const end = env.monotonic() + budget.ms
    return () => this.#turns < budget.turns && (this.#turns === 0 || this.#turns % 64 !== 0 || env.monotonic() < end)
  }

  /** Puts a message into the memory of its entity; `false` where it must wait in the store. */
  #deliver(item: Item): boolean {
    const { residents, isCurrent } = this.#context
    return isCurrent(residents.shardOf(item.envelope.to)) && residents.deliver(item)
  }

  #admitLoaded(resident: Resident): void {
    if (resident.phase === 'ready') this.#context.residents.list(resident, 'soon')
    else this.held.push(resident)
  }

  #visit(resident: Resident, burst: number, again: Resident[]): void {
    if (resident.phase === 'ready') this.#burst(resident, burst)
    else this.held.push(resident)
    // In mode `each` an entity has one burst a group. What is in the store only is read before the next wave.
    if (resident.queue.length === 0 ? this.readsSpilled(resident) : this.mode === 'each') again.push(resident)
    else if (resident.queue.length > 0) this.#context.residents.list(resident)
  }

  #burst(resident: Resident, most: number): void {
    for (let left = most; left > 0 && resident.phase === 'ready'; left -= 1) {
      const item = resident.queue.peek()
      if (item === undefined) return
      if (this.#calls === 'from the inbox' && item.arrival !== undefined && !item.stored) {
        // It came while calls were taken at once; now it must be in the inbox first (W4).
        this.accept(item)
        return
      }
      this.#turns += 1
      if (item instanceof UnreadableItem) {
        this.bury(resident, item, item.error, 1)
        continue
      }
      const newer = this.#context.taker.refuses(resident, item.envelope)
      if (newer === undefined) this.#turn(resident, item)
      else this.#hold(resident, newer)
    }
  }

  #hold(resident: Resident, error: InterstateError): void {
    resident.phase = 'held'
    resident.error = error
    this.held.push(resident)
    this.outdated.push(resident)
  }

  #turn(resident: Resident, item: Item): void {
    const { definition } = resident
    let turn: Turn
    try {
      turn = this.#context.taker.take(resident, item.envelope, this.#now, { checkSize: this.mode === 'each' })
      for (const { to } of turn.decision.outbox) this.#context.residents.checkPlace(to)
    } catch (error) {
      this.#failed(resident, item, error as InterstateError)
      return
    }
    const { decision } = turn
    if (decision.outcome === 'parked') {
      const where = JSON.stringify(resident.state?.snapshot.value)
      const what = `${resident.entity} has no transition for ${item.envelope.type} in state ${where}.`
      this.#park(
        resident,
        item,
        new InterstateError('MESSAGE_REFUSED', what, { entity: resident.entity, definition: definition?.name }),
      )
      return
    }
    const fold = this.fold(resident)
    fold.add(item, turn)
    this.taken.push(item)
    resident.queue.shift()
    resident.state = decision.state
    // Trouble with a message that stands further behind stays: its attempts count.
    const { trouble } = resident
    if (trouble !== undefined && (trouble.message === item.envelope.id || resident.hasNoMore(trouble.message)))
      resident.trouble = undefined
    if (item.arrival !== undefined && !item.stored) this.arrivals.add(item.arrival)
    for (const envelope of decision.outbox) this.#send(fold, envelope)
  }

  #send(fold: Fold, envelope: Envelope): void {
    const item = new Item(envelope, undefined, fold)
    if (this.mode === 'together' && this.#context.isCurrent(fold.resident.shard)) {
      this.#deliver(item)
      // Also where it must wait in the store: what a turn sent goes into the outbox in its order (G6).
      this.#produced.push(item)
      return
    }
    fold.send(envelope)
    this.sent.push(item)
  }

  #failed(resident: Resident, item: Item, error: InterstateError): void {
    const { retry, env } = this.#context
    const before = this.#troubleOf(resident, item)
    const attempts = before.attempts + 1
    const retryAt = nextAttempt(retry, attempts, this.#now, env.random())
    if (retryAt === 'give up') {
      this.giveUp(resident, item, error, attempts)
      return
    }
    // The host outlived this turn: whatever killed hosts before, it was not this message.
    this.mark(resident, { ...before, attempts, crashes: 0, error: describe(error), retryAt })
    resident.phase = 'waiting'
  }

  #park(resident: Resident, item: Item, error: InterstateError): void {
    const { retryAt: _, ...before } = this.#troubleOf(resident, item)
    this.mark(resident, { ...before, attempts: before.attempts + 1, error: describe(error), parkedAt: this.#now })
    resident.phase = 'parked'
  }

  #troubleOf({ trouble }: Resident, { envelope: { id } }: Item): Trouble {
    return trouble?.message === id ? trouble : { message: id, attempts: 0, crashes: 0 }
  }

  /** Calls from outside don't wait for an entity that stands still: their messages go to its inbox. */
  #acceptAll(resident: Resident): void {
    for (const item of resident.queue) if (item.arrival !== undefined && !item.stored) this.accept(item)
  }
}

function describe(error: InterstateError): { readonly code: string; readonly text: string } {
  return { code: error.code ?? 'MACHINE_FAILED', text: error.message }
}
