// observe.ts: a copy of a definition that behaves the same and tells what it does, and refuses what no turn may do.
import type { Definition } from '@interstate/core'
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import { WorldError } from '../failure/error.ts'
import { Observation } from './observation.ts'
import { placesOf } from './places.ts'
import { Repetition } from './repetition.ts'
import { trapModules } from './traps.ts'
import { type Told, Wrapper } from './wrap.ts'

/** Is told what an observed machine does, by the names of places.ts. What it throws fails the turn. */
export interface Watch {
  readonly entered?: (type: string, state: string) => void
  readonly left?: (type: string, state: string) => void
  readonly taken?: (type: string, transition: string) => void
  /** The result of a transition's whole guard, each time it is evaluated. */
  readonly guarded?: (type: string, transition: string, passed: boolean) => void
}

/** Tells several watches, as long as somebody is to hear it. */
export function watches(all: readonly (Watch | undefined)[], isHeard: () => boolean): Watch {
  const tell =
    <K extends keyof Watch>(what: K) =>
    (...told: Parameters<NonNullable<Watch[K]>>): void => {
      if (isHeard()) for (const each of all) (each?.[what] as ((...told: unknown[]) => void) | undefined)?.(...told)
    }
  return { entered: tell('entered'), left: tell('left'), taken: tell('taken'), guarded: tell('guarded') }
}

/**
 * A copy of a definition whose machine comes to the same decisions, and
 * - throws WorldError `NOT_DETERMINISTIC` where a guard, an action, a delay or a context function asks for the time, for
 *   chance, for a timer or for the network, where it changes its context or its message in place, and where it keeps what
 *   JSON would not give back; the error names the function and the place;
 * - tells `watch` what happened; a turn that is taken again right away, to see whether both agree, it tells once.
 *
 * Hand the copies to `Wiring`, `decide` and `createHost`; a state that the bare machine made is none of its own.
 */
export function observed<D extends Definition>(definition: D, watch: Watch = {}): D {
  trapModules()
  const machine = copyOf(definition.machine)
  const copy: D = { ...definition, machine }
  const observation = new Observation(definition.name)
  const repetition = new Repetition()
  new Wrapper(observation, toldBy(watch, definition.name, repetition)).wrap(machine, placesOf(copy))
  observe(machine, observation, repetition)
  return copy
}

function toldBy({ entered, left, taken, guarded }: Watch, type: string, repetition: Repetition): Told {
  const once = <A extends unknown[]>(tell: ((type: string, ...args: A) => void) | undefined) =>
    tell && ((...args: A) => (repetition.isAgain ? undefined : tell(type, ...args)))
  return { entered: once(entered), left: once(left), taken: once(taken), guarded: once(guarded) }
}

/** How many steps a turn may take does not come with `provide`. */
function copyOf(machine: AnyStateMachine): AnyStateMachine {
  const copy = machine.provide({})
  copy.options = machine.options
  return copy
}

function observe(machine: AnyStateMachine, observation: Observation, repetition: Repetition): void {
  const { transition, getInitialSnapshot } = machine
  const observedTransition: AnyStateMachine['transition'] = (snapshot: AnyMachineSnapshot, event, scope) => {
    if (snapshot.machine !== machine) {
      throw new WorldError('WORLD_INVALID', `A state of "${machine.id}" was made by another copy of its machine.`)
    }
    repetition.transition(snapshot)
    const inputs = { context: snapshot.context, message: event }
    return observation.transition(inputs, () => transition(snapshot, event, scope) as AnyMachineSnapshot)
  }
  const observedBirth: AnyStateMachine['getInitialSnapshot'] = (scope, input) => {
    repetition.birth()
    const inputs = { context: undefined, message: input }
    const snapshot = observation.transition(inputs, () => getInitialSnapshot(scope, input) as AnyMachineSnapshot)
    repetition.born(snapshot)
    return snapshot
  }
  Object.assign(machine, { transition: observedTransition, getInitialSnapshot: observedBirth })
}
