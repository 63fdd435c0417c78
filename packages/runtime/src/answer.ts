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

/**
 * The answers to clients that a turn gives.
 *
 * @param before - The entity before the turn.
 * @param replies - Whether its contract has replies: if not, nobody waits for one.
 */
export function answersOf(
  envelope: Envelope,
  decision: Decision,
  before: EntityState | undefined,
  replies: 'may reply' | 'never replies',
): readonly Addressed[] {
  const answers = decision.replies.map(({ asker, reply }) => addressed(asker, { end: 'reply', reply }))
  const own = askerIn(envelope)
  if (own !== undefined && decision.refusal !== undefined) {
    answers.push(addressed(own, { end: 'refused', why: decision.refusal }))
  }
  for (const asker of own === undefined ? waitingIn(before) : [own, ...waitingIn(before)]) {
    if (answers.some(({ message }) => message === asker.message)) continue
    if (replies === 'never replies' || !repliesLater(decision, asker.message)) {
      answers.push(addressed(asker, { end: 'done' }))
    }
  }
  return answers
}

export function addressed({ message, key }: Asker, answer: Answer): Addressed {
  return { message, key, answer }
}

/** The client whom this message leads to an answer: it sent it, or what it sent led to it. */
export function askerIn({ from, kind, id, key, asker }: Envelope): Asker | undefined {
  if (from === 'client' && kind === 'command') return { from, message: id, key }
  return asker?.from === 'client' ? asker : undefined
}

/** Whether a client waits for what a timer or an effect of the entity answers. */
export function isWaitedFor(state: EntityState | undefined): boolean {
  for (const id in state?.timers) if (state.timers[id]?.asker?.from === 'client') return true
  for (const id in state?.running) if (state.running[id]?.asker?.from === 'client') return true
  return false
}

function waitingIn(state: EntityState | undefined): readonly Asker[] {
  if (state === undefined || !isWaitedFor(state)) return nobody
  return [...Object.values(state.timers), ...Object.values(state.running)].flatMap(({ asker }) =>
    asker?.from === 'client' ? [asker] : [],
  )
}

/** A timer, an effect or a message to itself that the message led to may still reply. */
function repliesLater({ state, outbox }: Decision, message: MessageId): boolean {
  for (const id in state?.timers) if (state.timers[id]?.asker?.message === message) return true
  for (const id in state?.running) if (state.running[id]?.asker?.message === message) return true
  return outbox.some(({ asker }) => asker?.message === message)
}

const nobody: readonly never[] = []
