// places.ts: what the states and transitions of a machine are called, in reports and in errors.
import type { Definition } from '@interstate/core'
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

/** A state of a machine. */
export interface StatePlace {
  /** `payment.open`; the root is `payment`. */
  readonly name: string
  readonly node: AnyStateNode
}

/** A transition of a machine. */
export interface TransitionPlace {
  /** `payment.open on Charge`; with ` #2` for the second of several on one message. */
  readonly name: string
  /** The state that it leads out of. */
  readonly state: string
  /** `on Charge`, `after 30 min`, `always`, `on done of book`. */
  readonly on: string
  /** XState's descriptor: `Charge`, `payment.*`, `xstate.after.1000.payment.open`; empty for `always`. */
  readonly descriptor: string
  /** Of the states that it leads to; empty where it stays. */
  readonly targets: readonly string[]
  readonly transition: AnyTransitionDefinition
}

/** All states and transitions of one machine, in the order in which they are written. */
export interface Places {
  readonly states: readonly StatePlace[]
  readonly transitions: readonly TransitionPlace[]
}

const known = new WeakMap<AnyStateMachine, Places>()

/** The states and transitions of a definition's machine; the same names for every copy of it. */
export function placesOf({ name, machine }: Pick<Definition, 'name' | 'machine'>): Places {
  const found = known.get(machine)
  if (found !== undefined) return found
  const nodes = nodesUnder(machine.root)
  const places: Places = {
    states: nodes.map((node) => ({ name: stateName(name, node), node })),
    transitions: nodes.flatMap((node) => transitionsOf(name, node)),
  }
  known.set(machine, places)
  return places
}

/** `payment.open`. */
export function stateName(type: string, node: AnyStateNode): string {
  return [type, ...node.path].join('.')
}

function nodesUnder(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states as Record<string, AnyStateNode>).flatMap(nodesUnder)]
}

function transitionsOf(type: string, node: AnyStateNode): TransitionPlace[] {
  const state = stateName(type, node)
  const groups: (readonly [string, readonly AnyTransitionDefinition[]])[] = [
    ...(node.transitions as ReadonlyMap<string, readonly AnyTransitionDefinition[]>),
    ['', (node.always ?? []) as readonly AnyTransitionDefinition[]],
  ]
  return groups.flatMap(([descriptor, transitions]) =>
    transitions.map((transition, index): TransitionPlace => {
      const on = trigger(descriptor, transition, node)
      const which = transitions.length > 1 ? ` #${index + 1}` : ''
      const targets = (transition.target ?? []).map((target) => stateName(type, target as AnyStateNode))
      return { name: `${state} ${on}${which}`, state, on, descriptor, targets, transition }
    }),
  )
}

function trigger(descriptor: string, transition: AnyTransitionDefinition, node: AnyStateNode): string {
  if (descriptor === '') return 'always'
  if (descriptor.startsWith('xstate.after.')) {
    const { delay } = transition as { readonly delay?: number | string }
    return `after ${typeof delay === 'number' ? duration(delay) : String(delay)}`
  }
  if (descriptor === `xstate.done.state.${node.id}`) return 'on done'
  const ended = /^xstate\.(done|error)\.actor\.(.*)$/s.exec(descriptor)
  if (ended !== null) return `on ${ended[1]} of ${effectName(ended[2] as string, node)}`
  return `on ${descriptor}`
}

/** An effect without an id of its own is known by its logic: XState's `0.(machine).booking` tells nobody anything. */
function effectName(id: string, node: AnyStateNode): string {
  const index = node.invoke.findIndex((invoke) => invoke.id === id)
  const src: unknown = node.invoke[index]?.src
  if (id !== `${index}.${node.id}` || typeof src !== 'string') return id
  const name = src.startsWith('xstate.invoke.') ? 'effect' : src
  const namesakes = node.invoke.slice(0, index).filter((invoke) => invoke.src === src || name === 'effect')
  return namesakes.length === 0 ? name : `${name} (${namesakes.length + 1})`
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** The largest unit that leaves no rest: two delays never share a name. */
function duration(ms: number): string {
  const unit = units.find(([, size]) => ms > 0 && ms % size === 0)
  return unit === undefined ? `${ms} ms` : `${ms / unit[1]} ${unit[0]}`
}
