// settlement.ts: what follows from a written group. Nothing of a turn leaves before this point (G8).
//   S1  A committed fold lets everything out: receipts, answers, effects, custom actions, signals.
//   S2  A fold that was not committed leaves nothing behind: its entity is read again, its messages stand where they stood.
//   S3  A call of which a message was fenced is no receipt: it waits for the end of its host, which refuses it.
import type { CommitResult, Group, GroupResult, IdempotencyKey, MessageId } from '@interstate/core'
import type { Addressed } from './answer.ts'
import type { Arrival, Arrivals } from './arrival.ts'
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
  /** A message that must be accepted with the next wave. */
  readonly carry: (item: Item) => void
}

/** See the file head. */
export class Settlement {
  readonly #context: SettlementContext

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
    this.#store(wave, failed)
    for (const arrival of wave.arrivals) this.#receipt(arrival)
    return fenced.size > 0 ? 'fenced' : [...failed.values()][0]?.outcome
  }

  /** Undoes what of a wave is not settled: as if no turn of it had been taken. */
  undo(wave: Wave, taken: ReadonlySet<IdempotencyKey> = new Set()): void {
    const orphaned = new Set(wave.produced().map(({ envelope }) => this.#context.residents.get(envelope.to)))
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
    for (const answer of fold.answers) this.#answer(answer)
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
    const { residents } = this.#context
    for (const item of [...wave.accepted, ...wave.sent]) {
      if (item.producer !== undefined && failed.has(item.producer)) continue
      if (item.taker !== undefined) continue
      item.stored = true
      item.producer = undefined
      if (item.arrival !== undefined) item.arrival.pending -= 1
      const resident = residents.get(item.envelope.to)
      if (item.queued) residents.list(resident)
      else if (wave.intoMemory) residents.deliver(item)
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
        this.#context.residents.get(item.envelope.to).queue.keep((each) => each !== item)
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

  #answer({ message, answer }: Addressed): void {
    const awaited = this.#context.waiters.answer(message, answer)
    if (!awaited && answer.end === 'reply') this.#context.tally.unawaited(message)
  }
}

function settled(item: Item): void {
  item.producer = undefined
  if (item.arrival !== undefined && !item.stored) item.arrival.pending -= 1
}
