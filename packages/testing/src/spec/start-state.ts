// start-state.ts: an entity in a state that a spec names, as if it had entered it just now: its context is that of the
// spec, the timers of the state are set, its effects run. XState and core do all of it; here it is only put together.
import {
  contextLimits,
  contract,
  type Definition,
  decide,
  decodeSnapshot,
  defineAggregate,
  type EntityId,
  type EntityState,
  type Envelope,
  encodeSnapshot,
  InterstateError,
  incarnationOf,
  logicOf,
  type MessageId,
  type Plain,
  plainCopy,
  type RunningEffect,
  Wiring,
} from '@interstate/core'
import { type AnyMachineSnapshot, type AnyStateNode, createMachine, matchesState, spawnChild } from 'xstate'
import { specInvalid } from './failure.ts'

/** What a spec says of it. */
export interface StartState {
  readonly value: unknown
  readonly context: unknown
  readonly now: number
}

const birth = 'message-0' as MessageId

/**
 * @throws WorldError `SPEC_INVALID` for a state that the machine has not.
 * @throws InterstateError `NOT_PLAIN_DATA` for a context that could not be stored.
 */
export function startState(definition: Definition, entity: EntityId, start: StartState): EntityState {
  if (!isRecord(start.context)) throw specInvalid(`${String(start.context)} is no context: give an object.`)
  const context = plainCopy(start.context, `context of ${entity}`, contextLimits)
  const value = whole(definition, start.value, context)
  const restored = restore(definition, entity, { ...start, value, context })
  if (restored.snapshot.status === 'done') return restored
  const { timers, running, armed } = justEntered(definition, restored)
  // Once more through the stored form: effects that run are children of the machine.
  return again(definition, { ...restored, timers, running, armed })
}

/** A parent alone stands for its initial state, as XState says. */
function whole(definition: Definition, value: unknown, context: Plain): unknown {
  if (typeof value !== 'string' && !isRecord(value)) throw noState(definition, value, 'a state is a name or an object')
  try {
    const { value: resolved } = definition.machine.resolveState({ value, context } as never)
    // XState takes no notice of what it does not look for.
    if (matchesState(value as never, resolved)) return resolved
  } catch (error) {
    throw noState(definition, value, error)
  }
  throw noState(definition, value, 'it is not in one state')
}

function restore(definition: Definition, entity: EntityId, { value, context, now }: StartState): EntityState {
  const of = (status: 'active' | 'done'): EntityState => ({
    entity,
    incarnation: incarnationOf(entity, birth),
    sequence: 1,
    now,
    armed: 0,
    timers: {},
    running: {},
    snapshot: { status, value, context, historyValue: {}, _nodes: [] } as unknown as AnyMachineSnapshot,
  })
  try {
    return again(definition, of('active'))
  } catch (error) {
    if (!isStatus(error)) throw noState(definition, value, error)
    return again(definition, of('done'))
  }
}

/** What is read from the stored form has been checked against the machine. */
function again(definition: Definition, state: EntityState): EntityState {
  return decodeSnapshot(definition, state.entity, encodeSnapshot(definition, state))
}

const whyOf = (error: unknown): string =>
  error instanceof InterstateError ? String(error.details.why ?? error.message) : String(error)
const isStatus = (error: unknown): boolean => whyOf(error).startsWith('its status')

function noState({ name }: Definition, value: unknown, cause: unknown) {
  return specInvalid(`"${name}" has no state ${JSON.stringify(value)}: ${whyOf(cause).replace(/\.$/, '')}.`, { cause })
}

type Entered = Pick<EntityState, 'timers' | 'running' | 'armed'>

/** A machine that does on entry what the states do for their `after` and `invoke`, and nothing else. */
function justEntered(definition: Definition, { entity, snapshot, now }: EntityState): Entered {
  const { machine } = definition
  const nodes = snapshot._nodes as readonly AnyStateNode[]
  const invokes = nodes.flatMap((node) => node.invoke)
  const timers = nodes.flatMap((node) => node.entry.filter(isAfter))
  const actors = Object.fromEntries(invokes.map(({ src }, index) => [`effect${index}`, logicOf(machine, src)]))
  const starts = invokes.map((each, index) => spawnChild(`effect${index}` as never, withId(each) as never))
  const entering = createMachine({
    context: snapshot.context,
    entry: [...timers, ...starts] as never,
    on: { '*': {} },
  }).provide({ actors, delays: machine.implementations.delays } as never)
  const entry = defineAggregate(contract(definition.name, {}), entering)
  const { state } = decide(new Wiring([entry]), entry, undefined, enter(entity, now), now)
  if (state === undefined) return { timers: {}, running: {}, armed: 0 }
  const real = (run: RunningEffect): RunningEffect => ({ ...run, src: sourceOf(invokes[Number(run.src.slice(6))]) })
  const running = Object.fromEntries(Object.entries(state.running).map(([id, run]) => [id, real(run)]))
  return { timers: state.timers, running, armed: state.armed }
}

/** XState writes `after` as a delayed event that the machine raises to itself on entry. */
function isAfter(action: unknown): boolean {
  const { type, id } = action as { readonly type?: unknown; readonly id?: unknown }
  return type === 'xstate.raise' && typeof id === 'string' && id.startsWith('xstate.after.')
}

function withId({ id, input }: { readonly id: string; readonly input?: unknown }) {
  return input === undefined ? { id } : { id, input }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const sourceOf = (invoke: { readonly src: unknown } | undefined): string => String(invoke?.src)

function enter(entity: EntityId, now: number): Envelope {
  return {
    id: birth,
    kind: 'command',
    to: entity,
    from: 'client',
    type: 'enter',
    data: {},
    correlationId: birth,
    causationId: birth,
    created: now,
    contractVersion: 1,
  }
}
