// fold.ts: the turns of one entity in one group, folded into one commit.
import {
  type Commit,
  type EntityState,
  type Envelope,
  encodeEnvelope,
  encodeSnapshot,
  InterstateError,
  type Lease,
  type RunningEffect,
  type StoredMessage,
  type StoreLimits,
  type Trouble,
} from '@interstate/core'
import { type Addressed, addressed, answersOf, askerIn, isWaitedFor } from './answer.ts'
import { type Item, type Resident, UnreadableItem } from './resident.ts'
import type { Turn } from './turn.ts'

/** A message given up in this group. */
interface Buried {
  readonly item: Item
  readonly error: InterstateError
  readonly attempts: number
}

/** See the file head. Its lists are made when the first thing goes into them: most turns need one or two. */
export class Fold {
  readonly resident: Resident
  readonly #stateBefore: EntityState | undefined
  readonly #troubleBefore: Trouble | undefined
  /** Messages handled, in order. */
  readonly items: Item[] = []
  #outbox: Envelope[] | undefined
  #buried: Buried[] | undefined
  #answers: Addressed[] | undefined
  #started: Map<string, RunningEffect> | undefined
  #stopped: string[] | undefined
  #actions: (() => unknown)[] | undefined
  /** The snapshot of the last turn. */
  #encoded: string | undefined

  constructor(resident: Resident) {
    this.resident = resident
    this.#stateBefore = resident.state
    this.#troubleBefore = resident.trouble
  }

  /** Messages sent that nobody handled inside the group. */
  get outbox(): readonly Envelope[] {
    return this.#outbox ?? none
  }

  get buried(): readonly Buried[] {
    return this.#buried ?? none
  }

  get answers(): readonly Addressed[] {
    return this.#answers ?? none
  }

  /** Effects to start after the commit, by their id. */
  get started(): Iterable<readonly [string, RunningEffect]> {
    return this.#started ?? none
  }

  /** Keys of effects to stop after the commit. */
  get stopped(): readonly string[] {
    return this.#stopped ?? none
  }

  /** Plain custom actions to run after the commit. */
  get actions(): readonly (() => unknown)[] {
    return this.#actions ?? none
  }

  /** Adds one turn; what it sent is delivered by the caller. */
  add(item: Item, { decision, encoded }: Turn): void {
    this.items.push(item)
    item.taker = this
    item.outcome = decision.outcome
    const before = this.resident.state
    item.before = before
    item.after = decision.state
    if (decision.state !== before) this.#encoded = encoded
    if (decision.replies.length > 0 || isAwaited(item) || isWaitedFor(before)) {
      this.#answers = append(this.#answers, ...answersOf(item.envelope, decision, before, this.#replies))
    }
    for (const key of decision.stopped) this.#stop(key)
    for (const [id, effect] of decision.started) {
      this.#started ??= new Map()
      this.#started.set(id, effect)
    }
    if (decision.actions.length > 0) this.#actions = append(this.#actions, ...decision.actions)
  }

  /** Puts a message into the outbox. */
  send(envelope: Envelope): void {
    this.#outbox = append(this.#outbox, envelope)
  }

  /** Gives a message up. */
  bury(item: Item, error: InterstateError, attempts: number): void {
    this.items.push(item)
    item.taker = this
    this.#buried = append(this.#buried, { item, error, attempts })
    const asker = askerIn(item.envelope)
    if (asker !== undefined) {
      const answer = addressed(asker, { end: 'dead-letter', why: error.message }, item.envelope.id)
      this.#answers = append(this.#answers, answer)
    }
  }

  /** Whether anything must be written: a message that changed nothing and was never stored leaves no trace. */
  get writes(): boolean {
    const { resident } = this
    return (
      resident.state !== this.#stateBefore ||
      resident.trouble !== this.#troubleBefore ||
      this.outbox.length > 0 ||
      this.buried.length > 0 ||
      this.answers.some(({ key }) => key !== undefined) ||
      this.items.some(({ stored }) => stored)
    )
  }

  /**
   * The one write of these turns.
   * @throws InterstateError `LIMIT_EXCEEDED` when the snapshot is larger than the store takes.
   */
  toCommit(
    lease: Lease,
    tag: string,
    limits: StoreLimits,
    now: number,
    shardOf: (envelope: Envelope) => number,
  ): Commit {
    const { resident } = this
    return {
      lease,
      entity: resident.entity,
      expectedVersion: resident.version,
      tag,
      snapshot: this.#snapshot(limits),
      trouble: resident.trouble === undefined ? undefined : JSON.stringify(resident.trouble),
      wakeAt: resident.wantsWakeAt(),
      unsettled: resident.unsettled,
      consumed: this.items.filter(({ stored }) => stored).map(({ envelope }) => envelope.id),
      outbox: this.outbox.map((envelope) => stored(envelope, shardOf(envelope))),
      deadLetters: this.buried.map(({ item, error, attempts }) => ({
        id: item.envelope.id,
        to: item.envelope.to,
        shard: resident.shard,
        body: item instanceof UnreadableItem ? item.body : encodeEnvelope(item.envelope),
        reason: JSON.stringify({ code: error.code, text: error.message, attempts, at: now }),
      })),
      replies: this.answers.flatMap(({ key, answer }) =>
        key === undefined ? [] : [{ key, reply: JSON.stringify(answer) }],
      ),
    }
  }

  get #replies(): 'may reply' | 'never replies' {
    for (const _ in this.resident.definition?.contract.replies) return 'may reply'
    return 'never replies'
  }

  #snapshot(limits: StoreLimits): string | undefined {
    const { state, definition, entity } = this.resident
    if (state === undefined || definition === undefined) return undefined
    const text = this.#encoded ?? encodeSnapshot(definition, state)
    if (text.length > limits.maxSnapshotBytes) {
      const details = { entity, bytes: text.length, most: limits.maxSnapshotBytes }
      throw new InterstateError('LIMIT_EXCEEDED', `The snapshot of ${entity} has ${text.length} characters.`, details)
    }
    return text
  }

  /** An effect that was started and stopped inside the group never runs. */
  #stop(key: string): void {
    for (const [id, effect] of this.started) {
      if (effect.key === key) {
        this.#started?.delete(id)
        return
      }
    }
    this.#stopped = append(this.#stopped, key)
  }
}

const none: readonly never[] = []

function append<T>(list: T[] | undefined, ...items: readonly T[]): T[] {
  if (list === undefined) return [...items]
  list.push(...items)
  return list
}

/** Whether somebody may want to know how a client's message ends: a caller of `ask`, or whoever repeats its key. */
function isAwaited({ envelope, arrival }: Item): boolean {
  if (envelope.asker?.from === 'client') return true
  return envelope.from === 'client' && (envelope.key !== undefined || arrival === undefined || arrival.asks)
}

/** The stored form of a message. */
export function stored(envelope: Envelope, shard: number): StoredMessage {
  return { id: envelope.id, to: envelope.to, shard, body: encodeEnvelope(envelope) }
}
