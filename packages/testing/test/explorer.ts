// explorer.ts: another way to look at every state of a system, as plainly as can be: a clock that ticks for all, no numbers
// for states, nothing reduced. What the search finds is held against it.
import {
  type AddressRef,
  type Definition,
  decide,
  type EntityId,
  type EntityState,
  type Envelope,
  type MessageId,
  messageType,
  nextDue,
  timeoutsOf,
  validate,
  Wiring,
} from '@interstate/core'
import type { Stimulus } from '../src/index.ts'

const tickMs = 1_000
const mostStates = 1_500
const beginning = Date.UTC(2026, 0, 1)

interface State {
  readonly now: number
  readonly entities: ReadonlyMap<EntityId, EntityState>
  readonly lanes: ReadonlyMap<string, readonly Envelope[]>
  readonly left: number
}

/** Calls `see` with the entities of every state that can be reached. Gives their number; `undefined` where it gave up. */
export function explore(
  definitions: readonly Definition[],
  pool: readonly Stimulus[],
  stimuli: number,
  see: (entities: readonly EntityState[]) => void,
): number | undefined {
  const wiring = new Wiring(definitions)
  const queue: State[] = [{ now: beginning, entities: new Map(), lanes: new Map(), left: stimuli }]
  const seen = new Set(queue.map(textOf))
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    if (seen.size > mostStates) return undefined
    see([...state.entities.values()])
    for (const next of successors(wiring, pool, state)) {
      const text = textOf(next)
      if (seen.has(text)) continue
      seen.add(text)
      queue.push(next)
    }
  }
  return seen.size
}

function* successors(wiring: Wiring, pool: readonly Stimulus[], state: State): Generator<State> {
  for (const [lane, [head, ...rest]] of state.lanes) {
    if (head === undefined) continue
    yield turn(wiring, { ...state, lanes: new Map([...state.lanes, [lane, rest]]) }, head)
  }
  for (const entity of state.entities.values()) {
    const [firing] = timeoutsOf(entity, state.now)
    if (firing !== undefined) yield turn(wiring, state, firing)
  }
  const dues = [...state.entities.values()].flatMap((entity) => Object.values(entity.timers).map(({ due }) => due))
  if (dues.some((due) => due > state.now)) yield { ...state, now: state.now + tickMs }
  if (state.left === 0) return
  for (const { address, message } of pool) {
    const ref = address as unknown as AddressRef
    const { contract } = wiring.definition(ref.contract.name)
    const id = 'call' as MessageId
    yield turn(
      wiring,
      { ...state, left: state.left - 1 },
      {
        id,
        kind: 'command',
        to: ref.id(),
        from: 'client',
        type: messageType(message),
        data: validate(contract, 'command', message),
        correlationId: id,
        causationId: id,
        created: state.now,
        contractVersion: 1,
      },
    )
  }
}

function turn(wiring: Wiring, state: State, message: Envelope): State {
  const before = state.entities.get(message.to)
  const after = decide(wiring, wiring.definitionOf(message.to), before, message, state.now)
  const lanes = new Map(state.lanes)
  for (const sent of after.outbox) {
    const lane = `${sent.from} ${sent.to}`
    lanes.set(lane, [...(lanes.get(lane) ?? []), sent])
  }
  const entities = new Map(state.entities)
  if (after.state !== undefined) entities.set(message.to, after.state)
  return { ...state, entities, lanes }
}

function textOf({ now, entities, lanes, left }: State): string {
  const present = [...entities].map(([id, entity]) => [
    id,
    lookOf(entity),
    timersOf(entity, now),
    nextDue(entity) === undefined,
  ])
  const waiting = [...lanes].filter(([, queue]) => queue.length > 0)
  const messages = waiting.map(([lane, queue]) => [lane, queue.map(({ type, data }) => [type, data])])
  return JSON.stringify([present.sort(byName), messages.sort(byName), left])
}

function timersOf({ timers }: EntityState, now: number): unknown {
  return Object.entries(timers).map(([id, { due, generation }]) => [id, Math.max(0, due - now), generation])
}

/** What of an entity both ways must agree on. */
export function lookOf({ entity, snapshot: { value, context, status } }: EntityState): unknown {
  return [entity, value, context, status]
}

const byName = ([one]: readonly unknown[], [two]: readonly unknown[]): number => (String(one) < String(two) ? -1 : 1)
