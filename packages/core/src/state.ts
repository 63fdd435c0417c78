// state.ts: an entity in memory: XState's snapshot and what Interstate keeps beside it. Never changed in place.
import type { AnyMachineSnapshot } from 'xstate'
import type { EntityId } from './address.ts'
import type { Asker, Envelope } from './envelope.ts'
import type { Incarnation } from './ids.ts'
import type { Plain, PlainObject } from './plain.ts'

/** A durable timer: an event that the machine raises to itself, or a message that it sends, when it is due. */
export interface Timer {
  /** Tells a timer from an earlier one of the same name, so that an old firing never counts (G9). */
  readonly generation: number
  /** Milliseconds since 1970. */
  readonly due: number
  /** What the machine raises. */
  readonly raise?: PlainObject | undefined
  /** What the entity sends. */
  readonly send?: Envelope | undefined
  readonly asker?: Asker | undefined
  readonly cause: Cause
}

/** The message in whose turn something was started that ends in a later one. */
export type Cause = Pick<Envelope, 'correlationId' | 'causationId' | 'headers'>

/** An effect on the outside world that was started and has not answered. */
export interface RunningEffect {
  /** Stable across repeats: hand it to the outside system. */
  readonly key: string
  /** The name of its logic in the machine. */
  readonly src: string
  readonly input: Plain
  readonly asker?: Asker | undefined
  readonly cause: Cause
}

/** Everything of one entity that outlives a turn. */
export interface EntityState {
  readonly entity: EntityId
  readonly incarnation: Incarnation
  /** Counts turns. */
  readonly sequence: number
  /** The latest turn's time; the next turn's is not before it. */
  readonly now: number
  readonly snapshot: AnyMachineSnapshot
  readonly timers: Readonly<Record<string, Timer>>
  readonly running: Readonly<Record<string, RunningEffect>>
  /** Counts timers ever armed: the source of generations. */
  readonly armed: number
}

/** When the first timer is due, or `undefined` without timers. */
export function nextDue(state: EntityState): number | undefined {
  let first: number | undefined
  for (const id in state.timers) {
    const due = (state.timers[id] as Timer).due
    if (first === undefined || due < first) first = due
  }
  return first
}
