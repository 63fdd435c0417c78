// resident.ts: an entity in memory, with the messages that wait for it.
import {
  type Definition,
  type EntityId,
  type EntityState,
  type Envelope,
  type InterstateError,
  type MessageId,
  nextDue,
  type ShardId,
  type StoredMessage,
  type Trouble,
  type TurnOutcome,
  timeoutsOf,
} from '@interstate/core'
import type { Arrival } from './arrival.ts'
import type { Fold } from './fold.ts'
import { Queue } from './queue.ts'

/** A message in memory on its way to a turn. */
export class Item {
  readonly envelope: Envelope
  /** Whether the store has it in an inbox. */
  stored = false
  /** It stands in the queue of its entity. */
  queued = false
  /** The call from outside that brought it and waits to hear that it is durable. */
  readonly arrival: Arrival | undefined
  /** The turns that sent it, as long as they are not committed. */
  producer: Fold | undefined
  /** The turns in which it was handled; it is done. */
  taker: Fold | undefined
  outcome: TurnOutcome | undefined
  /** The entity before and after it was handled, for whoever listens. */
  before: EntityState | undefined
  after: EntityState | undefined

  constructor(envelope: Envelope, arrival?: Arrival, producer?: Fold) {
    this.envelope = envelope
    this.arrival = arrival
    this.producer = producer
    this.taker = undefined
    this.outcome = undefined
    this.before = undefined
    this.after = undefined
  }
}

/** A message in an inbox that can't be read. When its turn comes it is put away as it is. */
export class UnreadableItem extends Item {
  readonly error: InterstateError
  /** Its stored form. */
  readonly body: string

  constructor({ id, to, body }: StoredMessage, error: InterstateError) {
    super({ id, to, kind: 'internal', from: to, type: 'unreadable', data: {} } as unknown as Envelope)
    this.stored = true
    this.error = error
    this.body = body
  }
}

/** A message that was read from its inbox. */
export function storedItem(envelope: Envelope): Item {
  const item = new Item(envelope)
  item.stored = true
  return item
}

/**
 * What an entity in memory is ready for.
 * - `unloaded`: the store has not been asked yet. `ready`: it takes turns.
 * - `waiting`: its head message is tried again later. `parked`: a person decides. `held`: this host can't read it.
 */
export type Phase = 'unloaded' | 'ready' | 'waiting' | 'parked' | 'held'

/** See the file head. */
export class Resident {
  readonly entity: EntityId
  readonly shard: ShardId
  readonly definition: Definition | undefined
  phase: Phase = 'unloaded'
  /** Why it is held. */
  error: InterstateError | undefined
  state: EntityState | undefined
  /** The stored version. */
  version = 0
  trouble: Trouble | undefined
  /** Messages in the order of handling. The inbox may hold more, see `spilled`. */
  readonly queue: Queue<Item> = new Queue<Item>()
  /** The inbox holds messages that are not in `queue`; new ones go to the store only. */
  spilled = false
  /** The wake-up that the store knows. */
  wakeAt: number | undefined
  /** What the present group does to it. */
  fold: Fold | undefined
  /** It stands in the list of those that want a turn. */
  listed = false
  /** The group that used it last. */
  usedIn = 0

  constructor(entity: EntityId, shard: ShardId, definition: Definition | undefined) {
    this.entity = entity
    this.shard = shard
    this.definition = definition
  }

  /** Whether a message may be put into the queue, or must wait in the store. */
  get takesIntoMemory(): boolean {
    return !this.spilled && (this.phase === 'ready' || this.phase === 'unloaded')
  }

  /** When it wants a turn without a message: a retry, or its first timer. */
  wantsWakeAt(): number | undefined {
    if (this.trouble?.parkedAt !== undefined) return undefined
    if (this.trouble?.retryAt !== undefined) return this.trouble.retryAt
    return this.state === undefined ? undefined : nextDue(this.state)
  }

  /** Whether a new host must look at it: effects run, or it is in trouble. */
  get unsettled(): boolean {
    if (this.trouble !== undefined) return true
    for (const _ in this.state?.running) return true
    return false
  }

  /** Whether a message is the firing of a timer that was cancelled or set anew: it runs nothing. */
  hasNoMore(message: MessageId): boolean {
    if (this.state === undefined || !message.startsWith(`${this.entity}#`)) return false
    return !timeoutsOf(this.state, Number.POSITIVE_INFINITY).some(({ id }) => id === message)
  }

  /** While it stands still for long, its messages wait in the store alone. */
  leaveInStore(): void {
    if (this.phase !== 'parked' && this.phase !== 'held') return
    for (const { stored, envelope } of this.queue) if (!stored && envelope.kind !== 'timeout') return
    if (this.queue.length > 0) this.spilled = true
    this.queue.clear()
  }

  /** Forgets what was loaded, so that it is read again. */
  unload(): void {
    this.phase = 'unloaded'
    this.error = undefined
    this.state = undefined
    this.version = 0
    this.trouble = undefined
    this.wakeAt = undefined
    this.fold = undefined
  }
}
