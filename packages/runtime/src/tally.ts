// tally.ts: counts and tells what became durable.
import type { EntityId, ErrorCode, MessageId, TurnOutcome } from '@interstate/core'
import type { Fold } from './fold.ts'
import type { Item } from './resident.ts'
import type { Counters, Signal, SignalListener } from './signals.ts'
import { timerChanges } from './timer-changes.ts'

/** See the file head. */
export class Tally {
  readonly #listener: SignalListener | undefined
  readonly #turns: Record<TurnOutcome, number> = {
    handled: 0,
    sent: 0,
    ignored: 0,
    rejected: 0,
    parked: 0,
    late: 0,
    unmatched: 0,
    stale: 0,
  }
  #accepted = 0
  #duplicates = 0
  #deadLetters = 0
  #retries = 0
  #groups = 0
  #commits = 0

  constructor(listener: SignalListener | undefined) {
    this.#listener = listener
  }

  /** Tells a signal; what a listener throws is its own affair. */
  readonly tell = (signal: Signal): void => {
    if (signal.signal === 'duplicate') this.#duplicates += 1
    if (signal.signal === 'dead-letter') this.#deadLetters += 1
    if (signal.signal === 'retry') this.#retries += 1
    try {
      this.#listener?.(signal)
    } catch {
      // A listener watches; it must not change what it watches.
    }
  }

  counters(): Counters {
    return {
      accepted: this.#accepted,
      duplicates: this.#duplicates,
      turns: { ...this.#turns },
      deadLetters: this.#deadLetters,
      retries: this.#retries,
      groups: this.#groups,
      commits: this.#commits,
    }
  }

  /** Messages from outside became durable. */
  accepted(messages: number): void {
    this.#accepted += messages
  }

  /** A group became durable. */
  committed(turns: number, entities: number, ms: number): void {
    this.#groups += 1
    this.#commits += entities
    if (this.#listener !== undefined) this.tell({ signal: 'committed', turns, entities, ms })
  }

  /** Turns became durable. */
  turns(taken: readonly Item[]): void {
    for (const { outcome } of taken) this.#turns[outcome as TurnOutcome] += 1
    if (this.#listener === undefined) return
    for (const item of taken) this.tell(turnSignal(item))
  }

  /** What stood in the way of turns became durable. */
  troubles({ resident: { entity, trouble, phase }, buried }: Fold): void {
    for (const { item, error } of buried) {
      this.tell({ signal: 'dead-letter', entity, message: item.envelope.id, code: error.code, text: error.message })
    }
    if (trouble?.error === undefined) return
    const { code, text } = trouble.error
    const about = { entity, message: trouble.message, code: code as ErrorCode, text }
    if (phase === 'parked') {
      this.#turns.parked += 1
      this.tell({ signal: 'parked', ...about })
    } else if (phase === 'waiting') {
      this.tell({ signal: 'retry', ...about, attempts: trouble.attempts, at: trouble.retryAt ?? 0 })
    }
  }

  /** Runs a plain custom action: after the commit, at most once. */
  run(entity: EntityId, action: () => unknown): void {
    try {
      const result = action()
      if (result instanceof Promise)
        result.catch((error: unknown) => this.tell({ signal: 'action-failed', entity, error }))
    } catch (error) {
      this.tell({ signal: 'action-failed', entity, error })
    }
  }

  unawaited(message: MessageId): void {
    if (this.#listener !== undefined) this.tell({ signal: 'reply-unawaited', message })
  }
}

function turnSignal({ envelope, outcome, before, after }: Item): Signal {
  const { id, to, kind, type, correlationId, causationId } = envelope
  return {
    signal: 'turn',
    entity: to,
    message: id,
    kind,
    type,
    outcome: outcome as TurnOutcome,
    before: before?.snapshot.value,
    after: after?.snapshot.value,
    timers: timerChanges(before, after, envelope),
    correlationId,
    causationId,
  }
}
