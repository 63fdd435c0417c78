// initial.ts: the snapshot that an entity is born with.
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate'
import { type CollectedAction, collecting, scope } from './scope.ts'

type Initial = readonly [snapshot: AnyMachineSnapshot, actions: readonly CollectedAction[]]

/** Initial snapshots that are the same for every entity of a machine; `undefined` where they are not. */
const shared = new WeakMap<AnyStateMachine, { readonly initial: Initial | undefined }>()

/**
 * The initial snapshot and the actions that come with it. Snapshots are never changed in place, so that entities of a
 * machine whose birth depends on nothing share one: building it costs as much as a turn.
 */
export function initialOf(machine: AnyStateMachine, input: unknown): Initial {
  let known = shared.get(machine)
  if (known === undefined) {
    known = { initial: isSame(machine) ? build(machine, undefined) : undefined }
    shared.set(machine, known)
  }
  return known.initial ?? build(machine, input)
}

function build(machine: AnyStateMachine, input: unknown): Initial {
  return collecting(() => machine.getInitialSnapshot(scope as never, input as never) as AnyMachineSnapshot)
}

/** Whether nothing runs at birth: no context function, and no action or eventless transition in an initial state. */
function isSame(machine: AnyStateMachine): boolean {
  if (typeof machine.config.context === 'function') return false
  return initialStates(machine.root).every(
    ({ entry, invoke, always, initial, type }) =>
      entry.length === 0 &&
      invoke.length === 0 &&
      always === undefined &&
      (type !== 'compound' || initial.actions.length === 0) &&
      type !== 'final',
  )
}

function initialStates(node: AnyStateNode): AnyStateNode[] {
  const children = Object.values(node.states as Record<string, AnyStateNode>)
  switch (node.type) {
    case 'compound':
      return [node, ...children.filter((child) => node.initial.target.includes(child)).flatMap(initialStates)]
    case 'parallel':
      return [node, ...children.filter(({ type }) => type !== 'history').flatMap(initialStates)]
    default:
      return [node]
  }
}
