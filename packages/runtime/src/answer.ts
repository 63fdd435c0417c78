// answer.ts: what a client learns of its message: reply, refusal, or that there is nothing to say.
import type { Asker, Decision, EntityState, Envelope, IdempotencyKey, MessageId, PlainObject } from '@interstate/core'

/** The end of a client's message. Its JSON is kept with the idempotency key. */
export type Answer =
  | { readonly end: 'reply'; readonly reply: PlainObject }
  | { readonly end: 'refused'; readonly why: string }
  | { readonly end: 'dead-letter'; readonly why: string }
  /** Handled, and nobody replied. */
  | { readonly end: 'done' }

/** An answer on its way to whoever asked. */
export interface Addressed {
  readonly message: MessageId
  readonly key: IdempotencyKey | undefined
  readonly answer: Answer
}

/** The answers to clients that a turn gives. */
export function answersOf(envelope: Envelope, decision: Decision): readonly Addressed[] {
  const answers = decision.replies.map(({ asker, reply }) => addressed(asker, { end: 'reply', reply }))
  if (envelope.from !== 'client' || envelope.kind !== 'command') return answers
  const own = { from: envelope.from, message: envelope.id, key: envelope.key }
  if (decision.refusal !== undefined) return [...answers, addressed(own, { end: 'refused', why: decision.refusal })]
  if (answers.some((each) => each.message === envelope.id) || repliesLater(decision.state, envelope.id)) return answers
  return [...answers, addressed(own, { end: 'done' })]
}

export function addressed({ message, key }: Asker, answer: Answer): Addressed {
  return { message, key, answer }
}

/** A timer or an effect that the message started may still reply. */
function repliesLater(state: EntityState | undefined, message: MessageId): boolean {
  for (const id in state?.timers) if (state.timers[id]?.asker?.message === message) return true
  for (const id in state?.running) if (state.running[id]?.asker?.message === message) return true
  return false
}
