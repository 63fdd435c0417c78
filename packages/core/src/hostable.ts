// hostable.ts: refuses a machine that holds what can't be stored between two messages.
import { type AnyActorLogic, type AnyStateMachine, type AnyStateNode, createEmptyActor, StateMachine } from 'xstate'
import { InterstateError } from './errors.ts'
import { statesOf } from './structure.ts'

/** XState allows an endless `always` loop by default; a turn must end. */
const maxMicrosteps = 1_000

/**
 * A copy of the machine, ready to be hosted.
 *
 * @throws InterstateError `NOT_HOSTABLE`, naming the place and what to write instead.
 */
export function hostable(name: string, machine: AnyStateMachine): AnyStateMachine {
  for (const node of statesOf(machine.root)) {
    checkInvokes(name, machine, node)
    for (const action of actionsOf(node)) checkAction(name, machine, node, action)
  }
  const hosted = machine.provide({})
  hosted.options = {
    ...machine.options,
    maxIterations: Math.min(machine.options.maxIterations ?? maxMicrosteps, maxMicrosteps),
  }
  return hosted
}

/** The logic that an `invoke` or `spawnChild` names, or `undefined` where nothing implements it. */
export function logicOf(machine: AnyStateMachine, src: unknown): AnyActorLogic | undefined {
  if (typeof src !== 'string') return src as AnyActorLogic | undefined
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/.exec(src)
  if (inline === null) return machine.implementations.actors[src] as AnyActorLogic | undefined
  const node = machine.getStateNodeById(inline[2] as string)
  const invokes: readonly { src: unknown }[] = [node.config.invoke ?? []].flat()
  const found = invokes[Number(inline[1])]?.src
  return typeof found === 'string' ? logicOf(machine, found) : (found as AnyActorLogic | undefined)
}

/**
 * Whether a logic is a promise: the only kind of child that can be run again after a crash.
 * XState marks it by nothing but its behaviour, so it is asked to settle.
 */
export function isPromiseLogic(logic: AnyActorLogic): boolean {
  if (logic instanceof StateMachine) return false
  try {
    const before = { status: 'active', output: undefined, error: undefined, input: undefined }
    const after = logic.transition(before, { type: 'xstate.promise.resolve', data: 1 }, probeScope as never)
    return after.status === 'done' && after.output === 1
  } catch {
    return false
  }
}

const probeScope = { self: createEmptyActor(), defer() {}, emit() {}, system: createEmptyActor().system }

interface BuiltinAction {
  readonly type?: string
  readonly src?: unknown
  readonly systemId?: unknown
  readonly to?: unknown
}

function checkInvokes(name: string, machine: AnyStateMachine, node: AnyStateNode): void {
  for (const invoke of node.invoke) {
    const place = `invoke "${invoke.id}" of state "${node.id}"`
    checkLogic(name, place, logicOf(machine, invoke.src))
    if (invoke.systemId !== undefined) throw notHostable(name, place, 'has a systemId', useAddresses)
    if (node.config.invoke !== undefined && 'onSnapshot' in invoke && invoke.onSnapshot !== undefined) {
      throw notHostable(name, place, 'listens to onSnapshot', 'Take the result in onDone.')
    }
  }
}

function checkAction(name: string, machine: AnyStateMachine, node: AnyStateNode, action: unknown): void {
  const { type, src, systemId, to } = resolveAction(machine, action)
  const place = `an action of state "${node.id}"`
  if (type === 'xstate.spawnChild') {
    checkLogic(name, place, logicOf(machine, src))
    if (systemId !== undefined) throw notHostable(name, place, 'spawns with a systemId', useAddresses)
  }
  if (type === 'xstate.sendTo' && typeof to === 'string') {
    throw notHostable(name, place, `sends to the child or parent "${to}"`, useAddresses)
  }
}

function resolveAction(machine: AnyStateMachine, action: unknown): BuiltinAction {
  const named = typeof action === 'string' ? action : (action as BuiltinAction | undefined)?.type
  if (typeof action === 'function' || named === undefined) return (action ?? {}) as BuiltinAction
  return (machine.implementations.actions[named] ?? {}) as unknown as BuiltinAction
}

function actionsOf(node: AnyStateNode): readonly unknown[] {
  const transitions = [...node.transitions.values()].flat()
  const always = node.always ?? []
  return [...node.entry, ...node.exit, ...[...transitions, ...always].flatMap((transition) => transition.actions)]
}

function checkLogic(name: string, place: string, logic: AnyActorLogic | undefined): void {
  if (logic === undefined)
    throw notHostable(name, place, 'names an actor that nothing implements', 'Add it to `actors` of setup.')
  if (isPromiseLogic(logic)) return
  throw notHostable(
    name,
    place,
    logic instanceof StateMachine ? 'is a machine' : 'is a callback, an observable or a transition function',
    logic instanceof StateMachine
      ? 'Define it as an entity of its own and send it commands.'
      : 'Write it as fromPromise or effect(...), or move it out of the machine and let it send messages through host.send.',
  )
}

const useAddresses = 'Write sendTo(Contract.at(key), message): entities are reached by their address.'

/** The refusal of what can't be hosted: where it stands and what to write instead. */
export function notHostable(name: string, place: string, found: string, instead: string): InterstateError {
  return new InterstateError('NOT_HOSTABLE', `In "${name}", ${place} ${found}. ${instead}`, { name, place, instead })
}
