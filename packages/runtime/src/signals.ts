// signals.ts: what a host tells about its work, as a closed union for logs and metrics.
import type {
  EntityId,
  ErrorCode,
  Finding,
  IdempotencyKey,
  InterstateError,
  MessageId,
  MessageKind,
  ShardId,
  TurnOutcome,
  View,
} from '@interstate/core'
import type { TimerChanges } from './timer-changes.ts'

/** Something that happened in a host, told after it became durable. `signal` tells which. */
export type Signal =
  /** The host owns its shards. `crashes` owners in a row ended without a word before it. */
  | { readonly signal: 'started'; readonly shards: number; readonly crashes: number }
  | { readonly signal: 'stopped' }
  /** The host runs these shards now. `crashes` owners in a row ended without a word before it. */
  | { readonly signal: 'shards-taken'; readonly shards: readonly ShardId[]; readonly crashes: number }
  /** The host no longer runs these shards. */
  | { readonly signal: 'shards-dropped'; readonly shards: readonly ShardId[]; readonly why: string }
  /** The store has less of a shard than it acknowledged. The shard stands still until a person decides (G15). */
  | { readonly signal: 'history-lost'; readonly shard: ShardId; readonly finding: string }
  /** A warning of `analyse` about the machines, told before the start while developing. */
  | { readonly signal: 'finding'; readonly finding: Finding }
  /**
   * One message was handled. `before` and `after` are the entity's state values, absent where it was not born; `timers`
   * names what the turn did to timers, by the types of the messages that they bring.
   */
  | {
      readonly signal: 'turn'
      readonly entity: EntityId
      readonly message: MessageId
      readonly kind: MessageKind
      readonly type: string
      readonly outcome: TurnOutcome
      readonly before: View['value'] | undefined
      readonly after: View['value'] | undefined
      readonly timers: TimerChanges
      readonly correlationId: MessageId
      readonly causationId: MessageId
    }
  /** A group of turns became durable. */
  | { readonly signal: 'committed'; readonly turns: number; readonly entities: number; readonly ms: number }
  /** An idempotency key was seen again; nothing ran. */
  | { readonly signal: 'duplicate'; readonly key: IdempotencyKey; readonly message: MessageId }
  /** A turn failed and will be tried again. */
  | {
      readonly signal: 'retry'
      readonly entity: EntityId
      readonly message: MessageId
      readonly attempts: number
      readonly at: number
      readonly code: ErrorCode
      readonly text: string
    }
  | {
      readonly signal: 'dead-letter'
      readonly entity: EntityId
      readonly message: MessageId
      readonly code: ErrorCode
      readonly text: string
    }
  | {
      readonly signal: 'parked'
      readonly entity: EntityId
      readonly message: MessageId
      readonly code: ErrorCode
      readonly text: string
    }
  | { readonly signal: 'unparked'; readonly entity: EntityId }
  | { readonly signal: 'requeued'; readonly entity: EntityId; readonly message: MessageId }
  /** The entity waits for a host that can read it, or for a person who mends it; no other is touched. */
  | { readonly signal: 'held'; readonly entity: EntityId; readonly error: InterstateError }
  /** A published event that nobody follows. */
  | { readonly signal: 'unfollowed'; readonly type: string }
  /** A reply whose asker no longer waits. */
  | { readonly signal: 'reply-unawaited'; readonly message: MessageId }
  | { readonly signal: 'effect-started'; readonly entity: EntityId; readonly effect: string; readonly key: string }
  | {
      readonly signal: 'effect-ended'
      readonly entity: EntityId
      readonly effect: string
      readonly key: string
      readonly ok: boolean
    }
  /** A plain custom action threw. It is not run again. */
  | { readonly signal: 'action-failed'; readonly entity: EntityId; readonly error: unknown }
  /** A group was undone and is taken turn by turn. `why` is the outcome that undid it. */
  | { readonly signal: 'regrouped'; readonly why: string }
  /** The store refused or failed; the host tries again. */
  | { readonly signal: 'store-failed'; readonly error: InterstateError }
  /** The host can't go on. */
  | { readonly signal: 'fatal'; readonly error: InterstateError }

/** Listens to signals. What it throws is ignored; it must not block. */
export type SignalListener = (signal: Signal) => void

/** Counts of a host since it started. */
export interface Counters {
  /** Messages that entered from outside. */
  readonly accepted: number
  /** Repeated idempotency keys that were answered without running anything. */
  readonly duplicates: number
  /** Messages handled, by how their turn ended. */
  readonly turns: Readonly<Record<TurnOutcome, number>>
  readonly deadLetters: number
  readonly retries: number
  /** Groups written. */
  readonly groups: number
  /** Entity records written; several turns of one entity may share one. */
  readonly commits: number
}
