// effect.ts: an effect on the outside world that knows its idempotency key.
import { type AnyActorRef, fromPromise, type NonReducibleUnknown, type PromiseActorLogic } from 'xstate'

/** What an effect gets. */
export interface EffectArgs<TInput> {
  readonly input: TInput
  /**
   * The same on every repeat of this run, after a crash: hand it to the outside system, so that it acts once. A machine
   * that enters the invoking state again starts another run, with another key; one that tries again on purpose and must
   * act once all the same uses a key of its own, from its context.
   */
  readonly idempotencyKey: string
  /** Aborted when the state that invoked the effect is left, and when the host stops. */
  readonly signal: AbortSignal
}

const keys = new WeakMap<object, string>()

/**
 * Logic for `invoke` and `spawnChild`: an effect on the outside world. It runs after the commit that started it, at
 * least once: again after a crash, with the same key. Its result comes back as one message, exactly once.
 * XState's own `fromPromise` may be used as well; it just gets no key.
 *
 * @param run - Does the work. What it resolves to must be plain data; what it rejects with arrives at `onError` as
 * `{ name, message }`.
 *
 * @example
 * ```ts
 * setup({
 *   actors: {
 *     book: effect<{ orderId: string }, string>(({ input, idempotencyKey }) => carrier.book(input.orderId, idempotencyKey)),
 *   },
 * })
 * ```
 */
export function effect<TInput extends NonReducibleUnknown, TOutput>(
  run: (args: EffectArgs<TInput>) => Promise<TOutput>,
): PromiseActorLogic<TOutput, TInput> {
  return fromPromise<TOutput, TInput>(({ input, signal, self }) =>
    run({ input, signal, idempotencyKey: keys.get(self) ?? (self as AnyActorRef).sessionId }),
  )
}

/** @internal Tells an effect's actor its key, before it starts. */
export function giveKey(actor: object, key: string): void {
  keys.set(actor, key)
}
