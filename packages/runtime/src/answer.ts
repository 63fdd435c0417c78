// answer.ts: what a client learns of its message: reply, refusal, or that there is nothing to say.
import type {
  Asker,
  Decision,
  EntityState,
  Envelope,
  HostId,
  IdempotencyKey,
  MessageId,
  PlainObject,
} from '@interstate/core'

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
  /** The host at which the client waits, where that was said. */
  readonly via: HostId | undefined
  readonly answer: Answer
  /** It comes of a later turn than that of the message itself: another answer may have been given before it. */
  readonly isLate: boolean
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
  const { id } = envelope
  const answers = decision.replies.map(({ asker, reply }) => addressed(asker, { end: 'reply', reply }, id))
  const own = askerIn(envelope)
  if (own !== undefined && decision.refusal !== undefined) {
    answers.push(addressed(own, { end: 'refused', why: decision.refusal }, id))
  }
  const waiting = replies === 'never replies' ? nobody : waitingIn(before)
  const open = own === undefined ? waiting : [own, ...waiting]
  if (open.length === 0) return answers
  const settled = new Set(answers.map(({ message }) => message))
  if (replies === 'may reply') for (const message of repliedLater(decision)) settled.add(message)
  for (const asker of open) {
    if (settled.has(asker.message)) continue
    settled.add(asker.message)
    answers.push(addressed(asker, { end: 'done' }, id))
  }
  return answers
}

/** @param by - The message whose turn gives the answer. */
export function addressed({ message, key, via }: Asker, answer: Answer, by: MessageId): Addressed {
  return { message, key, via, answer, isLate: message !== by }
}

/** The client whom this message leads to an answer: it sent it, or what it sent led to it. */
export function askerIn({ from, kind, id, key, via, asker }: Envelope): Asker | undefined {
  if (from === 'client' && kind === 'command') return { from, message: id, key, via }
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

/** Messages to which a timer, an effect or a message of the entity to itself may still reply. */
function repliedLater({ state, outbox }: Decision): readonly MessageId[] {
  const later = [...Object.values(state?.timers ?? none), ...Object.values(state?.running ?? none), ...outbox]
  return later.flatMap(({ asker }) => (asker === undefined ? [] : [asker.message]))
}

const nobody: readonly never[] = []
const none: Readonly<Record<string, never>> = {}
