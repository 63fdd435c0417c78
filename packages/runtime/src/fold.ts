// fold.ts: the turns of one entity in one group, folded into one commit.
import {
  type Commit,
  type Decision,
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
import { type Addressed, addressed, answersOf } from './answer.ts'
import type { Item, Phase, Resident } from './resident.ts'

/** A message given up in this group. */
interface Buried {
  readonly item: Item
  /** Its stored form, where that can't be read. */
  readonly body: string | undefined
  readonly error: InterstateError
  readonly attempts: number
}

/** See the file head. */
export class Fold {
  readonly resident: Resident
  /** What the resident was before, to go back to. */
  readonly before: {
    readonly phase: Phase
    readonly state: EntityState | undefined
    readonly trouble: Trouble | undefined
  }
  /** Messages handled, in order. */
  readonly items: Item[] = []
  /** Messages sent that nobody handled inside the group. */
  readonly outbox: Envelope[] = []
  readonly buried: Buried[] = []
  readonly answers: Addressed[] = []
  readonly started = new Map<string, RunningEffect>()
  readonly stopped: string[] = []
  readonly actions: (() => unknown)[] = []

  constructor(resident: Resident) {
    this.resident = resident
    this.before = { phase: resident.phase, state: resident.state, trouble: resident.trouble }
  }

  /** Adds one turn; what it sent is delivered by the caller. */
  add(item: Item, decision: Decision): void {
    this.items.push(item)
    if (item.envelope.from === 'client' || decision.replies.length > 0) {
      this.answers.push(...answersOf(item.envelope, decision))
    }
    for (const key of decision.stopped) this.#stop(key)
    for (const [id, effect] of decision.started) this.started.set(id, effect)
    if (decision.actions.length > 0) this.actions.push(...decision.actions)
  }

  /** Gives a message up. */
  bury(item: Item, error: InterstateError, attempts: number, body?: string): void {
    this.items.push(item)
    this.buried.push({ item, error, attempts, body })
    const { envelope } = item
    if (envelope.from === 'client' && envelope.kind === 'command') {
      const asker = { from: envelope.from, message: envelope.id, key: envelope.key }
      this.answers.push(addressed(asker, { end: 'dead-letter', why: error.message }))
    }
  }

  /** Whether anything must be written: a message that changed nothing and was never stored leaves no trace. */
  get writes(): boolean {
    const { resident, before } = this
    return (
      resident.state !== before.state ||
      resident.trouble !== before.trouble ||
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
      deadLetters: this.buried.map(({ item: { envelope }, error, attempts, body }) => ({
        id: envelope.id,
        to: envelope.to,
        shard: resident.shard,
        body: body ?? encodeEnvelope(envelope),
        reason: JSON.stringify({ code: error.code, text: error.message, attempts, at: now }),
      })),
      replies: this.answers.flatMap(({ key, answer }) =>
        key === undefined ? [] : [{ key, reply: JSON.stringify(answer) }],
      ),
    }
  }

  #snapshot(limits: StoreLimits): string | undefined {
    const { state, definition, entity } = this.resident
    if (state === undefined || definition === undefined) return undefined
    const text = encodeSnapshot(definition, state)
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
        this.started.delete(id)
        return
      }
    }
    this.stopped.push(key)
  }
}

/** The stored form of a message. */
export function stored(envelope: Envelope, shard: number): StoredMessage {
  return { id: envelope.id, to: envelope.to, shard, body: encodeEnvelope(envelope) }
}
