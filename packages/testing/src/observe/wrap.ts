// wrap.ts: puts each function of a machine's copy under observation, by the name that a person knows it by.
// Custom actions are left alone: they run after the commit, at most once, and may ask for anything.
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import type { Observation } from './observation.ts'
import type { Places } from './places.ts'

/** What is told of guards, entries and transitions while the machine runs. */
export interface Told {
  readonly entered: ((state: string) => void) | undefined
  readonly left: ((state: string) => void) | undefined
  readonly taken: ((transition: string) => void) | undefined
  readonly guarded: ((transition: string, passed: boolean) => void) | undefined
}

type Callable = (...args: never[]) => unknown
/** XState's own action (`assign`, `raise`, …): a function whose `resolve` gives its outcome. */
interface BuiltinAction extends Callable {
  readonly type: string
  resolve: (
    scope: unknown,
    snapshot: unknown,
    args: unknown,
    params: unknown,
    self: unknown,
    extra: unknown,
  ) => Resolved
}
type Resolved = readonly [snapshot: unknown, params: unknown, more: readonly unknown[] | undefined]
/** XState's own guard (`and`, `or`, `not`, `stateIn`). */
interface BuiltinGuard extends Callable {
  check: (snapshot: unknown, args: unknown, self: unknown) => boolean
  readonly guards?: readonly unknown[]
}
/** `{ type: 'name', params }`. */
interface Reference {
  readonly type: string
  readonly params?: unknown
}
type Named = Record<string, unknown>

/** See the file head. `machine` is changed; it must be a copy. */
export class Wrapper {
  readonly #observation: Observation
  readonly #told: Told
  /** Whose guard is looked at next: XState reads it right before it evaluates it. */
  #transition: string | undefined

  constructor(observation: Observation, told: Told) {
    this.#observation = observation
    this.#told = told
  }

  wrap(machine: AnyStateMachine, places: Places): void {
    this.#implementations(machine)
    for (const place of places.transitions) this.#transitionOf(place)
    for (const { node, name } of places.states) this.#state(name, node)
    const { context } = machine.config
    if (typeof context === 'function') {
      machine.config = { ...machine.config, context: this.#function('context function', context as Callable) as never }
    }
  }

  #implementations(machine: AnyStateMachine): void {
    const { actions, guards, delays } = machine.implementations as unknown as Record<
      'actions' | 'guards' | 'delays',
      Named
    >
    for (const [name, action] of Object.entries(actions)) actions[name] = this.#action(action, `action "${name}"`)
    for (const [name, guard] of Object.entries(guards)) guards[name] = this.#guard(guard, `guard "${name}"`)
    for (const [name, delay] of Object.entries(delays)) {
      if (typeof delay === 'function') delays[name] = this.#function(`delay "${name}"`, delay as Callable)
    }
  }

  #state(name: string, node: AnyStateNode): void {
    const { entered, left } = this.#told
    const entry = node.entry.map((action) => this.#action(action, `inline ${kindOf(action)} on entry to ${name}`))
    const exit = node.exit.map((action) => this.#action(action, `inline ${kindOf(action)} on exit from ${name}`))
    node.entry = (entered === undefined ? entry : [marker(() => entered(name)), ...entry]) as never
    node.exit = (left === undefined ? exit : [...exit, marker(() => left(name))]) as never
    if (node.type === 'compound') {
      const initial = node.initial as { actions: readonly unknown[] }
      initial.actions = initial.actions.map((each) => this.#action(each, `inline ${kindOf(each)} on start of ${name}`))
    }
    for (const invoke of node.invoke as unknown as { id: string; input?: unknown }[]) {
      if (typeof invoke.input !== 'function') continue
      invoke.input = this.#function(`input of effect "${invoke.id}" in ${name}`, invoke.input as Callable)
    }
    if (typeof node.output === 'function') {
      node.output = this.#function(`output of ${name}`, node.output as Callable) as never
    }
  }

  #transitionOf({ name, transition }: Places['transitions'][number]): void {
    const { taken } = this.#told
    const actions = transition.actions.map((action) => this.#action(action, `inline ${kindOf(action)} of ${name}`))
    const guard = this.#guard(transition.guard, `inline guard of ${name}`)
    Object.assign(transition, { actions: taken === undefined ? actions : [marker(() => taken(name)), ...actions] })
    if (guard === undefined || this.#told.guarded === undefined) {
      Object.assign(transition, { guard })
      return
    }
    Object.defineProperty(transition, 'guard', {
      enumerable: true,
      configurable: true,
      get: () => {
        this.#transition = name
        return guard
      },
    })
  }

  #action(action: unknown, place: string): unknown {
    if (isBuiltinAction(action)) return this.#builtinAction(action, place)
    return isReference(action) ? this.#reference(action, 'action') : action
  }

  #builtinAction(action: BuiltinAction, place: string): unknown {
    const resolve: BuiltinAction['resolve'] = (scope, snapshot, args, params, _self, extra) =>
      this.#observation.within(place, () => {
        const [next, resolved, more] = action.resolve(scope, snapshot, args, params, action, extra)
        return [next, resolved, more?.map((each) => this.#action(each, place))]
      })
    return Object.assign(() => {}, action, { resolve })
  }

  #guard(guard: unknown, place: string): unknown {
    if (isReference(guard)) return this.#reference(guard, 'guard')
    if (typeof guard !== 'function') return guard
    if ('check' in guard) return this.#builtinGuard(guard as BuiltinGuard, place)
    return (args: never, params: never) =>
      this.#evaluated(() => this.#observation.within(place, () => (guard as Callable)(args, params)))
  }

  #builtinGuard(guard: BuiltinGuard, place: string): unknown {
    const guards = guard.guards?.map((each) => this.#guard(each, place))
    const inner = { ...guard, ...(guards === undefined ? {} : { guards }) }
    const check: BuiltinGuard['check'] = (snapshot, args) =>
      this.#evaluated(() => this.#observation.within(place, () => guard.check(snapshot, args, inner))) as boolean
    return Object.assign(() => {}, inner, { check })
  }

  /** Tells the result of a transition's whole guard, not of the guards that it joins: those find nothing to tell of. */
  #evaluated(evaluate: () => unknown): unknown {
    const transition = this.#transition
    this.#transition = undefined
    const passed = evaluate()
    if (transition !== undefined && this.#observation.active) this.#told.guarded?.(transition, Boolean(passed))
    return passed
  }

  #reference(reference: Reference, of: 'action' | 'guard'): Reference {
    if (typeof reference.params !== 'function') return reference
    const params = this.#function(`params of ${of} "${reference.type}"`, reference.params as Callable)
    return { ...reference, params }
  }

  #function(place: string, body: Callable): Callable {
    return (...args) => this.#observation.within(place, () => body(...args))
  }
}

/** An action that changes nothing and is not collected: it only tells that XState came by. */
function marker(tell: () => void): unknown {
  const resolve = (_scope: unknown, snapshot: unknown): Resolved => {
    tell()
    return [snapshot, undefined, undefined]
  }
  return Object.assign(() => {}, { type: 'interstate.observed', resolve })
}

function kindOf(action: unknown): string {
  return isBuiltinAction(action) ? action.type.replace(/^xstate\./, '') : 'action'
}

function isBuiltinAction(action: unknown): action is BuiltinAction {
  return typeof action === 'function' && 'resolve' in action
}

function isReference(named: unknown): named is Reference {
  return typeof named === 'object' && named !== null && 'type' in named
}
