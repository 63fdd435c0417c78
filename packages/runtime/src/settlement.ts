// settlement.ts: what follows from a written group. Nothing of a turn leaves before this point (G8).
//   S1  A committed fold lets everything out: receipts, answers, effects, custom actions, signals.
//   S2  A fold that was not committed leaves nothing behind: its entity is read again, its messages stand where they stood.
//   S3  A call of which a message was fenced is no receipt: it waits for the end of its host, which refuses it.
//   S4  The first answer to a key stands. Who asks at another host than the one that gave it may still wait: a later one is
//       told only after a look at what stands there.
import type {
  CommitResult,
  Group,
  GroupResult,
  HostId,
  IdempotencyKey,
  KeyPlace,
  KeyState,
  MessageId,
  ShardId,
} from '@interstate/core'
import type { Addressed, Answer } from './answer.ts'
import type { Arrival, Arrivals } from './arrival.ts'
import type { Dispatch } from './dispatch.ts'
import type { EffectRunner } from './effect-runner.ts'
import type { Fold } from './fold.ts'
import type { Item, Resident } from './resident.ts'
import type { Residents } from './residents.ts'
import type { Tally } from './tally.ts'
import type { Waiters } from './waiters.ts'
import type { WakeUps } from './wake-ups.ts'
import type { Wave } from './wave.ts'

/** The parts of a host that learn of a commit. */
export interface SettlementContext {
  readonly residents: Residents
  readonly arrivals: Arrivals
  readonly waiters: Waiters
  readonly effects: EffectRunner
  readonly wakeUps: WakeUps
  readonly tally: Tally
  /** Sends on what was written, where its receiver may run elsewhere. */
  readonly dispatch: Dispatch | undefined
  readonly self: HostId
  readonly isCurrent: (shard: ShardId) => boolean
  /** What stands under keys. */
  readonly keys: (places: readonly KeyPlace[]) => Promise<readonly KeyState[]>
  /** A message that must be accepted with the next wave. */
  readonly carry: (item: Item) => void
}

/** An answer that may come after another one. */
interface Late extends Addressed, KeyPlace {
  readonly key: IdempotencyKey
}

/** See the file head. */
export class Settlement {
  readonly #context: SettlementContext
  #late: Late[] = []

  constructor(context: SettlementContext) {
    this.#context = context
  }

  /**
   * Settles a wave whose group was written, or had nothing to write.
   * @returns Why something was not written, or `undefined` when all was.
   */
  settle(
    wave: Wave,
    written: readonly Fold[],
    group: Group | undefined,
    result: GroupResult | undefined,
  ): string | undefined {
    const failed = new Map<Fold, CommitResult>()
    written.forEach((fold, index) => {
      const outcome = result?.results[index] as CommitResult
      if (outcome.outcome === 'committed' || outcome.outcome === 'already applied') {
        fold.resident.version = outcome.version
        fold.resident.wakeAt = group?.commits[index]?.wakeAt
      } else failed.set(fold, outcome)
    })
    const taken = new Set(result?.taken)
    const fenced = new Set(result?.fenced)
    if (wave.mode === 'together' && (failed.size > 0 || taken.size > 0 || fenced.size > 0)) {
      this.undo(wave, taken)
      const fault = [...failed.values()].find(({ outcome }) => outcome !== 'rolled back')?.outcome
      return fault ?? (fenced.size > 0 ? 'fenced' : 'key taken')
    }
    this.#context.tally.turns(
      failed.size === 0 ? wave.taken : wave.taken.filter(({ taker }) => !failed.has(taker as Fold)),
    )
    for (const fold of wave.folds) {
      const why = failed.get(fold)
      if (why === undefined) this.#commit(fold)
      else this.#undoFold(fold, why)
    }
    this.#lookAgain(wave, taken, fenced)
    this.#context.dispatch?.written(group, result, written)
    this.#store(wave, failed)
    for (const arrival of wave.arrivals) this.#receipt(arrival)
    void this.#recall()
    return fenced.size > 0 ? 'fenced' : [...failed.values()][0]?.outcome
  }

  /** Undoes what of a wave is not settled: as if no turn of it had been taken. */
  undo(wave: Wave, taken: ReadonlySet<IdempotencyKey> = new Set()): void {
    const receivers = wave.produced().map(({ envelope }) => this.#context.residents.find(envelope.to))
    const orphaned = new Set(receivers.filter((resident) => resident !== undefined))
    for (const fold of wave.folds) if (fold.resident.fold === fold) this.#undoFold(fold, undefined)
    for (const { queue } of orphaned) queue.keep(({ producer }) => producer === undefined)
    // What they would have left in the store is still in memory only: the next wave meets them again.
    for (const resident of wave.held) this.#readAgain(resident)
    this.#lookAgain(wave, taken)
    for (const item of wave.accepted) if (!item.queued && !item.stored) this.#context.carry(item)
    wave.accepted.clear()
    // What comes next goes to the inbox at once; what waits in memory must be there before it (G6).
    for (const { queue } of this.#context.residents.all()) {
      for (const item of queue) if (item.arrival !== undefined && !item.stored) this.#context.carry(item)
    }
  }

  #commit(fold: Fold): void {
    const { resident } = fold
    const { tally, effects, wakeUps, residents } = this.#context
    resident.fold = undefined
    wakeUps.note(resident.wakeAt)
    tally.troubles(fold)
    for (const answer of fold.answers) this.#answer(answer, resident.shard)
    for (const key of fold.stopped) effects.stop(key)
    if (resident.definition !== undefined) {
      const { definition, entity } = resident
      for (const [id, effect] of fold.started) effects.start({ entity, definition, id, effect })
    }
    for (const action of fold.actions) tally.run(resident.entity, action)
    for (const item of fold.items) settled(item)
    if (resident.state?.snapshot.status === 'done') residents.release(resident)
  }

  #undoFold({ resident, items }: Fold, why: CommitResult | undefined): void {
    const gone: MessageId | undefined = why?.outcome === 'duplicate' ? why.message : undefined
    // What was sent within the undone group has never existed; what is a duplicate has had its effect.
    const back = items.filter((item) => item.producer === undefined && item.envelope.id !== gone)
    for (const item of back) item.taker = undefined
    if (gone !== undefined) resident.queue.keep(({ envelope }) => envelope.id !== gone)
    resident.queue.unshift(back)
    this.#readAgain(resident)
  }

  #readAgain(resident: Resident): void {
    // Its time may have come already; a message that was to be tried again is then not looked at any more.
    this.#context.wakeUps.note(resident.wakeAt)
    resident.unload()
    if (resident.queue.length > 0 || resident.spilled) this.#context.residents.list(resident)
  }

  /** Messages that went to the inbox with this group. */
  #store(wave: Wave, failed: ReadonlyMap<Fold, CommitResult>): void {
    const { residents, dispatch } = this.#context
    for (const item of [...wave.accepted, ...wave.sent]) {
      if (item.producer !== undefined && failed.has(item.producer)) continue
      if (item.taker !== undefined) continue
      item.stored = true
      item.producer = undefined
      if (item.arrival !== undefined) item.arrival.pending -= 1
      if (dispatch !== undefined && !dispatch.keeps(item)) {
        // It will be read in its turn, or has been; twice in memory it would have two turns.
        if (item.queued) residents.find(item.envelope.to)?.queue.keep((each) => each !== item)
        item.queued = false
        continue
      }
      const resident = residents.get(item.envelope.to)
      if (item.queued) residents.list(resident)
      // What is kept counts as read, also where another hand put something behind it meanwhile: nobody reads it again.
      else if (dispatch !== undefined || this.#context.isCurrent(resident.shard)) residents.deliver(item)
      resident.leaveInStore()
    }
    for (const { resident } of wave.folds) resident.leaveInStore()
    for (const resident of wave.held) resident.leaveInStore()
    for (const { entity, error } of wave.outdated) {
      if (error !== undefined) this.#context.tally.tell({ signal: 'held', entity, error })
    }
  }

  /** Calls whose key was taken between the look and the write, or whose shard has passed on, are looked at again. */
  #lookAgain(wave: Wave, taken: ReadonlySet<IdempotencyKey>, fenced: ReadonlySet<MessageId> = new Set()): void {
    if (taken.size === 0 && fenced.size === 0) return
    for (const arrival of wave.arrivals) {
      const { registration, envelopes } = arrival
      const isTaken = registration !== undefined && taken.has(registration.key)
      if (!isTaken && !envelopes.some(({ id }) => fenced.has(id))) continue
      wave.arrivals.delete(arrival)
      for (const item of arrival.items) {
        wave.accepted.delete(item)
        this.#context.residents.find(item.envelope.to)?.queue.keep((each) => each !== item)
      }
      if (registration !== undefined) this.#context.arrivals.letGo(registration.key)
      this.#context.arrivals.push(arrival)
    }
  }

  #receipt(arrival: Arrival): void {
    if (arrival.registration !== undefined && !arrival.registered) {
      arrival.registered = true
      this.#context.arrivals.letGo(arrival.registration.key)
    }
    if (arrival.pending > 0) return
    if (!arrival.internal) this.#context.tally.accepted(arrival.envelopes.length)
    arrival.resolve({ message: arrival.message, duplicate: false })
  }

  #answer(addressed: Addressed, shard: ShardId): void {
    const { message, key, via, isLate } = addressed
    const { dispatch, waiters, self } = this.#context
    const isAwaited = waiters.has(message) || (via !== undefined && via !== self)
    if (dispatch !== undefined && isLate && key !== undefined && isAwaited)
      this.#late.push({ ...addressed, key, shard })
    else this.#tell(addressed)
  }

  #tell({ message, via, answer }: Addressed): void {
    const { waiters, dispatch, self, tally } = this.#context
    // Also who has repeated here, under its key, what was asked at another host.
    const awaited = waiters.answer(message, answer)
    if (via !== undefined && via !== self) dispatch?.tellAnswer(via, message, answer)
    else if (!awaited && answer.end === 'reply') tally.unawaited(message)
  }

  /** Tells the answers that stand in the place of late ones (S4). */
  async #recall(): Promise<void> {
    const late = this.#late
    if (late.length === 0) return
    this.#late = []
    try {
      const states = await this.#context.keys(late)
      for (const [index, each] of late.entries()) {
        const known = states[index]
        const first = known?.state === 'known' ? known.reply : undefined
        this.#tell(first === undefined ? each : { ...each, answer: JSON.parse(first) as Answer })
      }
      this.#context.dispatch?.flush()
    } catch {
      // The store failed: who waits asks again under the key.
    }
  }
}

function settled(item: Item): void {
  item.producer = undefined
  if (item.arrival !== undefined && !item.stored) item.arrival.pending -= 1
}
