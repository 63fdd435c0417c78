// local.ts: the messages that an entity gets from itself: its timers are due, its effects have ended.
import type { EntityId, MessageId } from './address.ts'
import type { Envelope } from './envelope.ts'
import type { Plain } from './plain.ts'
import type { EntityState, RunningEffect, Timer } from './state.ts'

/** The firings of an entity's timers that are due, in the order in which they are. */
export function timeoutsOf(state: EntityState, now: number): readonly Envelope[] {
  return Object.entries(state.timers)
    .filter(([, { due }]) => due <= now)
    .sort(([, one], [, two]) => one.due - two.due || one.generation - two.generation)
    .map(([name, timer]) => timeout(state.entity, name, timer, now))
}

function timeout(entity: EntityId, timer: string, { generation, asker, cause }: Timer, now: number): Envelope {
  return {
    // Derived: the timer and its generation name the firing; whoever tries it again gives it the same name (G9).
    id: `${entity}#${timer}#${generation}` as MessageId,
    kind: 'timeout',
    to: entity,
    from: entity,
    type: 'timeout',
    data: { timer, generation },
    ...cause,
    created: now,
    contractVersion: 1,
    asker,
  }
}

/** How an effect ended. */
export type EffectEnd = { readonly output: Plain } | { readonly error: Plain }

/**
 * The end of an effect, as its entity gets it.
 *
 * @param run - Tells this run from another one of the same effect: after a crash it runs again, and its second result is
 * another message.
 */
export function resultOf(
  entity: EntityId,
  id: string,
  effect: RunningEffect,
  end: EffectEnd,
  { run, now }: { readonly run: string; readonly now: number },
): Envelope {
  return {
    id: `${effect.key}-${run}` as MessageId,
    kind: 'result',
    to: entity,
    from: entity,
    type: 'result',
    data: { effect: id, key: effect.key, ...end },
    ...effect.cause,
    created: now,
    contractVersion: 1,
    asker: effect.asker,
  }
}
