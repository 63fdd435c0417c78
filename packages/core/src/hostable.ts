// hostable.ts: refuses a machine that holds what can't be stored between two messages.
import { type AnyActorLogic, type AnyStateMachine, type AnyStateNode, createEmptyActor, StateMachine } from 'xstate'
import { InterstateError } from './errors.ts'
import { contextLimits, type Plain, plainCopy } from './plain.ts'
import { statesOf } from './structure.ts'

/** XState allows an endless `always` loop by default; a turn must end. */
const maxMicrosteps = 1_000

/**
 * A copy of the machine, ready to be hosted.
 *
 * @throws InterstateError `NOT_HOSTABLE`, naming the place and what to write instead; `NOT_PLAIN_DATA` for an initial
 * context that could not be stored.
 */
export function hostable(name: string, machine: AnyStateMachine): AnyStateMachine {
  for (const node of statesOf(machine.root)) {
    checkInvokes(name, machine, node)
    for (const transition of transitionsOf(node)) checkGuard(name, machine, node, transition.guard)
    for (const action of actionsOf(node)) checkAction(name, machine, node, action)
  }
  const hosted = machine.provide({})
  const most = machine.options.maxIterations ?? Number.POSITIVE_INFINITY
  hosted.options = { ...machine.options, maxIterations: Number.isFinite(most) ? most : maxMicrosteps }
  const { context } = machine.config
  if (typeof context === 'object') hosted.config = { ...machine.config, context: frozenCopy(name, context) }
  return hosted
}

/** The logic that an `invoke` or `spawnChild` names, or `undefined` where nothing implements it. */
export function logicOf(machine: AnyStateMachine, src: unknown): AnyActorLogic | undefined {
  if (typeof src !== 'string') return src as AnyActorLogic | undefined
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/.exec(src)
  if (inline === null) return resolve(machine.implementations.actors, src) as AnyActorLogic | undefined
  const node = statesOf(machine.root).find(({ id }) => id === inline[2])
  if (node === undefined) return undefined
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

/** All entities are born with one context object. An action that changed it in place would change its neighbours. */
function frozenCopy(name: string, context: unknown): Plain {
  const freeze = (value: Plain): Plain => {
    if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) freeze(item)
    return Object.freeze(value)
  }
  return freeze(plainCopy(context, `initial context of "${name}"`, contextLimits))
}

/** What XState's own actions carry. */
interface BuiltinAction {
  readonly type?: string
  readonly src?: unknown
  readonly id?: unknown
  readonly systemId?: unknown
  readonly to?: unknown
  readonly delay?: unknown
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
  const place = `an action of state "${node.id}"`
  const resolved = resolve(machine.implementations.actions, action)
  if (resolved === undefined)
    throw notHostable(name, place, 'names an action that nothing implements', addTo('actions'))
  const { type, src, id, systemId, to, delay } = resolved as BuiltinAction
  if (typeof delay === 'string' && resolve(machine.implementations.delays, delay) === undefined) {
    throw notHostable(name, place, `names a delay "${delay}" that nothing implements`, addTo('delays'))
  }
  if (type === 'xstate.spawnChild') {
    checkLogic(name, place, logicOf(machine, src))
    if (typeof src !== 'string') throw notHostable(name, place, 'spawns an inline child', useNames)
    if (id === undefined) throw notHostable(name, place, 'spawns a child without an id', useIds)
    if (systemId !== undefined) throw notHostable(name, place, 'spawns with a systemId', useAddresses)
  }
  if (type === 'xstate.sendTo' && typeof to === 'string') {
    throw notHostable(name, place, `sends to the child or parent "${to}"`, useAddresses)
  }
}

function checkGuard(name: string, machine: AnyStateMachine, node: AnyStateNode, guard: unknown): void {
  if (guard === undefined) return
  const resolved = resolve(machine.implementations.guards, guard)
  if (resolved === undefined) {
    throw notHostable(name, `a guard of state "${node.id}"`, 'names what nothing implements', addTo('guards'))
  }
  // and, or, not: functions that carry the guards they join.
  const { guards = [] } = resolved as { readonly guards?: readonly unknown[] }
  for (const joined of guards) checkGuard(name, machine, node, joined)
}

/** What a name stands for, as a text or as `{ type }`; a function stands for itself. */
export function resolve(implementations: object, named: unknown): unknown {
  if (typeof named === 'function') return named
  const name = typeof named === 'string' ? named : (named as { readonly type: string }).type
  return Object.hasOwn(implementations, name) ? (implementations as Record<string, unknown>)[name] : undefined
}

function transitionsOf(
  node: AnyStateNode,
): readonly { readonly guard?: unknown; readonly actions: readonly unknown[] }[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? []), node.initial]
}

function actionsOf(node: AnyStateNode): readonly unknown[] {
  return [...node.entry, ...node.exit, ...transitionsOf(node).flatMap(({ actions }) => actions)]
}

function checkLogic(name: string, place: string, logic: AnyActorLogic | undefined): void {
  if (logic === undefined) throw notHostable(name, place, 'names an actor that nothing implements', addTo('actors'))
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

/** What to write instead of a child without a name of its own. */
export const useIds = 'Write spawnChild("name", { id }): by its id a result finds its way back.'
const addTo = (section: string): string => `Add it to \`${section}\` of setup.`
const useNames = 'Name a fromPromise or effect(...) in `actors` of setup, and write spawnChild("name", { id }).'
const useAddresses = 'Write sendTo(Contract.at(key), message): entities are reached by their address.'

/** The refusal of what can't be hosted: where it stands and what to write instead. */
export function notHostable(name: string, place: string, found: string, instead: string): InterstateError {
  return new InterstateError('NOT_HOSTABLE', `In "${name}", ${place} ${found}. ${instead}`, { name, place, instead })
}
