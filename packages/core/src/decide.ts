// decide.ts: what one message does to one entity. Pure: the same state, message and time give the same decision on
// every machine, so a lost turn can be run again (G14).
import type { AnyMachineSnapshot } from 'xstate'
import { type MessageId, parseEntityId } from './address.ts'
import { type Outputs, toOutputs } from './effects.ts'
import type { Definition } from './entity.ts'
import { askerOf, type Envelope, follow } from './envelope.ts'
import { InterstateError } from './errors.ts'
import { type Incarnation, incarnationOf, turnStem } from './ids.ts'
import { initialOf } from './initial.ts'
import type { PlainObject } from './plain.ts'
import { type CollectedAction, collecting, scope } from './scope.ts'
import type { EntityState } from './state.ts'
import { CurrentTurn, during } from './turn.ts'
import type { Wiring } from './wiring.ts'

/**
 * How a turn ended.
 * - `handled`: the machine took a transition. `sent`: a delayed message of the entity went out.
 * - `ignored`: no transition, and the definition lists the type. `rejected`: no transition; the sender is answered.
 * - `parked`: no transition, and the policy wants a person to decide.
 * - `late`: the entity was done. `unmatched`: an event for a saga that was never started.
 * - `stale`: a firing or a result of what was cancelled, re-armed or stopped meanwhile.
 */
export type TurnOutcome = 'handled' | 'sent' | 'ignored' | 'rejected' | 'parked' | 'late' | 'unmatched' | 'stale'

/** What one message does to one entity. */
export interface Decision extends Outputs {
  readonly outcome: TurnOutcome
  /** The entity afterwards; the very same object where nothing changed. */
  readonly state: EntityState | undefined
}

/**
 * Decides what one message does to one entity.
 *
 * @param state - The entity after its last turn; `undefined` before its first.
 * @param now - The turn's time in milliseconds since 1970.
 * @throws InterstateError `MACHINE_FAILED`, `MACHINE_NEVER_SETTLES`, `NOT_HOSTABLE`, `EFFECT_FAILED`, and what an output
 * that breaks its contract throws. Nothing has changed then.
 */
export function decide(
  wiring: Wiring,
  definition: Definition,
  state: EntityState | undefined,
  message: Envelope,
  now: number,
): Decision {
  const time = Math.max(Math.floor(now), state?.now ?? 0)
  const incarnation = state?.incarnation ?? incarnationOf(message.to, message.id)
  return during(new CurrentTurn(time, message.to, incarnation, message), () => {
    try {
      if (state === undefined) return birth(wiring, definition, incarnation, message, time)
      if (message.kind === 'timeout') return fire(wiring, definition, state, message, time)
      if (message.kind === 'result') return settle(wiring, definition, state, message, time)
      return receive(wiring, definition, state, message, time)
    } catch (error) {
      throw machineFailed(message, error)
    }
  })
}

/** The first message of an entity: it comes to life, unless only a start event may do that. */
function birth(
  wiring: Wiring,
  definition: Definition,
  incarnation: Incarnation,
  message: Envelope,
  now: number,
): Decision {
  const starts = definition.follows.some(
    ({ contract, event, isStart }) =>
      isStart && message.kind === 'event' && message.type === `${contract.name}.${event}`,
  )
  if (!starts && message.kind !== 'command') return nothing('unmatched', undefined)
  const { key } = parseEntityId(message.to)
  const input = starts ? { key, message: eventOf(message) } : { key }
  const [snapshot, actions] = initialOf(definition.machine, input)
  // XState keeps what a context function or an entry action threw in the snapshot.
  if (snapshot.status === 'error') throw snapshot.error
  const born: EntityState = {
    entity: message.to,
    incarnation,
    sequence: 0,
    now,
    snapshot,
    timers: {},
    running: {},
    armed: 0,
  }
  if (starts) return advance(wiring, definition, born, message, now, snapshot, actions)
  if (snapshot.status === 'done') return unhandled(definition, undefined, message, now, 'late')
  const [after, more] = transition(definition, born, eventOf(message))
  if (after === snapshot && more.length === 0 && !takes(snapshot, message)) {
    return unhandled(definition, undefined, message, now)
  }
  return advance(wiring, definition, born, message, now, after, [...actions, ...more])
}

function receive(wiring: Wiring, definition: Definition, state: EntityState, message: Envelope, now: number): Decision {
  if (state.snapshot.status !== 'active') return unhandled(definition, state, message, now, 'late')
  const [after, actions] = transition(definition, state, eventOf(message))
  if (after === state.snapshot && actions.length === 0 && !takes(after, message)) {
    return unhandled(definition, state, message, now)
  }
  return advance(wiring, definition, state, message, now, after, actions)
}

/** A timer is due: cancel and re-arm win over its firing (G9). */
function fire(wiring: Wiring, definition: Definition, state: EntityState, message: Envelope, now: number): Decision {
  const { timer: id, generation } = message.data as { timer: string; generation: number }
  const timer = Object.hasOwn(state.timers, id) ? state.timers[id] : undefined
  if (timer === undefined || timer.generation !== generation || timer.due > now) return nothing('stale', state)
  const { [id]: _, ...timers } = state.timers
  const rest: EntityState = { ...state, timers }
  if (timer.send !== undefined) {
    return { ...nothing('sent', { ...rest, sequence: state.sequence + 1, now }), outbox: [timer.send] }
  }
  const [after, actions] = transition(definition, rest, timer.raise as PlainObject)
  return advance(wiring, definition, rest, message, now, after, actions)
}

/** An effect has ended: only the run that is still awaited counts. */
function settle(wiring: Wiring, definition: Definition, state: EntityState, message: Envelope, now: number): Decision {
  const {
    effect: id,
    key,
    ...result
  } = message.data as { effect: string; key: string; output?: unknown; error?: unknown }
  const effect = Object.hasOwn(state.running, id) ? state.running[id] : undefined
  if (effect === undefined || effect.key !== key) return nothing('stale', state)
  const { [id]: _, ...running } = state.running
  // A restored snapshot has no child that has ended, so neither has a live one.
  const { [id]: __, ...children } = state.snapshot.children
  const rest: EntityState = { ...state, running, snapshot: { ...state.snapshot, children } as AnyMachineSnapshot }
  const event =
    'error' in result
      ? { type: `xstate.error.actor.${id}`, error: result.error, actorId: id }
      : { type: `xstate.done.actor.${id}`, output: result.output, actorId: id }
  const [after, actions] = transition(definition, rest, event)
  if (after.status === 'error') {
    const what = `Effect "${id}" of ${state.entity} failed and no onError takes it.`
    throw new InterstateError('EFFECT_FAILED', what, { entity: state.entity, effect: id, error: result.error })
  }
  return advance(wiring, definition, rest, message, now, after, actions)
}

/** A message as the machine sees it. The type comes last: a payload can't pass for another message. */
function eventOf({ data, type }: Envelope): PlainObject {
  return { ...data, type }
}

function transition(
  { machine }: Definition,
  state: EntityState,
  event: { readonly type?: unknown },
): readonly [AnyMachineSnapshot, readonly CollectedAction[]] {
  return collecting(() => machine.transition(state.snapshot, event as never, scope as never) as AnyMachineSnapshot)
}

function advance(
  wiring: Wiring,
  definition: Definition,
  state: EntityState,
  message: Envelope,
  now: number,
  snapshot: AnyMachineSnapshot,
  actions: readonly CollectedAction[],
): Decision {
  const after: EntityState = { ...state, sequence: state.sequence + 1, now, snapshot }
  const { state: settled, outputs } = toOutputs(wiring, definition, after, message, actions)
  return { outcome: 'handled', state: settled, ...outputs }
}

/** The declared policy for a message that no transition takes. */
function unhandled(
  definition: Definition,
  state: EntityState | undefined,
  message: Envelope,
  now: number,
  late?: 'late',
): Decision {
  if (definition.ignores.has(message.type)) return nothing('ignored', state)
  if (definition.unhandled === 'ignore') return nothing('ignored', state)
  if (definition.unhandled === 'park' && late === undefined) return nothing('parked', state)
  if (message.kind !== 'command') return nothing(late ?? 'rejected', state)
  const where = state === undefined ? 'before its first message' : `in state ${JSON.stringify(state.snapshot.value)}`
  const refusal = `${message.to} does not take ${message.type} ${where}`
  const answer = refusalMessage(definition, state, message, now, refusal)
  return { ...nothing(late ?? 'rejected', state), refusal, outbox: answer === undefined ? none : [answer] }
}

/** What an entity gets whose command is refused; a client outside is answered by its host. */
function refusalMessage(
  definition: Definition,
  state: EntityState | undefined,
  message: Envelope,
  now: number,
  reason: string,
): Envelope | undefined {
  const asker = askerOf(message)
  if (asker === undefined || asker.from === 'client') return undefined
  const incarnation = state?.incarnation ?? incarnationOf(message.to, message.id)
  return {
    id: `${turnStem(message.to, incarnation, message.id)}-1` as MessageId,
    kind: 'reply',
    to: asker.from,
    from: message.to,
    type: `${definition.name}.rejected`,
    data: { command: message.type, reason },
    ...follow(message),
    created: now,
    contractVersion: definition.contract.version,
  }
}

/** Whether some transition takes the message, be it one that does nothing: `on: { Late: {} }`. */
function takes(snapshot: AnyMachineSnapshot, message: Envelope): boolean {
  return snapshot.machine.getTransitionData(snapshot as never, eventOf(message) as never).length > 0
}

function nothing(outcome: TurnOutcome, state: EntityState | undefined): Decision {
  return {
    outcome,
    state,
    outbox: none,
    replies: none,
    started: none,
    stopped: none,
    actions: none,
    refusal: undefined,
  }
}

const none: readonly never[] = []

function machineFailed(message: Envelope, error: unknown): InterstateError {
  if (error instanceof InterstateError) return error
  const what = error instanceof Error ? error.message : String(error)
  const details = { entity: message.to, message: message.id, type: message.type }
  if (what.startsWith('Infinite loop detected')) {
    return new InterstateError('MACHINE_NEVER_SETTLES', `${message.to} loops on ${message.type}.`, details, {
      cause: error,
    })
  }
  return new InterstateError('MACHINE_FAILED', `${message.to} threw on ${message.type}: ${what}.`, details, {
    cause: error,
  })
}
