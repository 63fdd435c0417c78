// narrate.ts: a path of the search as a story: who got what, and what became of it.
import { hash } from 'node:crypto'
import type { Envelope, PlainObject } from '@interstate/core'
import type { Change, Look, Story, StoryStep } from '../failure/story.ts'
import { duration, stateName, timerName } from '../words.ts'
import { place, type State } from './layout.ts'
import type { Successor } from './successor.ts'
import type { System } from './system.ts'
import { firstTimer, type Resident } from './turns.ts'

/** A path: states and the steps between them; `states` has one more. */
export interface Path {
  readonly states: readonly State[]
  readonly successors: readonly Successor[]
}

/** The story of a path. */
export function narrate(system: System, { states, successors }: Path): Story {
  const steps = successors.map((successor, index) => tellStep(system, states[index] as State, successor))
  return { steps, changes: steps.length === 0 ? [] : changes(system, states) }
}

/** A few characters by which a step is known again, also where the machines have changed around it. */
export function markOf(system: System, before: State, successor: Successor): string {
  const { from, to, what, data, note } = tellStep(system, before, successor)
  const way = successor.step.does === 'act' ? successor.step.way : 0
  return hash('sha256', JSON.stringify([from, to, what, data, note, way]), 'base64url').slice(0, 6)
}

function tellStep(system: System, before: State, successor: Successor): StoryStep {
  const { step } = successor
  switch (step.does) {
    case 'call': {
      const { stimulus } = system.pool[step.stimulus] as System['pool'][number]
      const { type, ...data } = stimulus.message as { type: string } & PlainObject
      const to = String((stimulus.address as { toJSON(): string }).toJSON())
      const again = step.again ? 'the client repeats the call, without an idempotency key' : undefined
      return finish(system, before, successor, { from: 'client', to, what: type, data, note: again })
    }
    case 'deliver': {
      const lane = system.layout.slots[step.lane] as { readonly from: string; readonly to: number }
      const message = system.turns.messages.value(system.queues.items(before[step.lane] as number)[step.item] as number)
      const { to, type, data } = message
      return finish(system, before, successor, { from: lane.from, to, what: type, data })
    }
    case 'fire': {
      const resident = system.resident(before, step.entity) as Resident
      const what = `timeout "${timerOf(resident)}"`
      return finish(system, before, successor, { from: 'time', to: resident.state.entity, what })
    }
    case 'act': {
      const { state } = system.resident(before, step.entity) as Resident
      const run = state.running[step.effect]
      const changed = before[place.outside] !== successor.state[place.outside]
      const outcome = changed
        ? JSON.stringify(system.outside.looks.value(successor.state[place.outside] as number))
        : 'acts'
      const what = `effect "${run?.src}"`
      return { from: state.entity, to: 'outside', what, data: run?.input as PlainObject, outcome }
    }
    case 'settle': {
      const { slot, effect, end } = system.outside.results.value(step.result)
      const { state } = system.resident(before, slot) as Resident
      const to = state.entity
      const what = `${'error' in end ? 'error' : 'result'} of effect "${state.running[effect]?.src}"`
      return finish(system, before, successor, { from: 'outside', to, what, data: end as PlainObject })
    }
    case 'crash':
      return {
        from: 'host',
        to: 'host',
        what: 'crashes',
        outcome: 'effects whose results were not handled run again, under their old keys',
      }
  }
}

function finish(system: System, before: State, successor: Successor, told: StoryStep): StoryStep {
  const { entity, state, outcome, sent = [] } = successor
  const messages = sent.map((number) => sentence(system.turns.messages.value(number)))
  const became = entity === undefined ? undefined : becomes(system, before, state, entity, outcome)
  const note = [told.note, moment(system, before, successor)].filter((each) => each !== undefined).join(', ')
  return { ...told, note: note === '' ? undefined : note, outcome: became, sent: messages }
}

/** When it came, where that matters. */
function moment(system: System, before: State, { step, entity }: Successor): string | undefined {
  if (!('after' in step) || step.after === 0 || entity === undefined) return undefined
  if (step.does === 'fire') return `${duration(step.after)} late`
  const { state, firstDue } = system.resident(before, entity) as Resident
  if (firstDue !== state.now + step.after) return `${duration(step.after)} later`
  return `right before the timeout "${timerOf(system.resident(before, entity))}"`
}

function becomes(system: System, before: State, after: State, entity: number, outcome: string | undefined): string {
  if (outcome !== 'handled') return words[outcome ?? ''] ?? outcome ?? ''
  const one = system.resident(before, entity)
  const two = system.resident(after, entity) as Resident
  const to = lookOf(two)
  if (one === undefined) return `begins in ${to}`
  return lookOf(one) === to ? `stays in ${to}` : `${lookOf(one)} -> ${to}`
}

const words: Readonly<Record<string, string>> = {
  rejected: 'refused',
  ignored: 'ignored',
  parked: 'not handled; the entity is parked',
  late: 'too late: it is done',
  unmatched: 'dropped: nothing has started it',
  stale: 'stale: nobody waits for it any longer',
  sent: 'a delayed message goes out',
}

function lookOf({ state }: Resident): string {
  const name = stateName(state.snapshot.value)
  return name === '' ? 'its only state' : name
}

function sentence({ type, to }: Envelope): string {
  return `${type} -> ${to}`
}

function timerOf(resident: Resident | undefined): string {
  if (resident === undefined) return ''
  const [id] = firstTimer(resident.state)
  const { raise, send } = resident.state.timers[id] ?? {}
  return timerName(id, send?.type ?? (raise?.type as string | undefined))
}

function changes(system: System, states: readonly State[]): readonly Change[] {
  const [first, previous, last] = [states[0], states.at(-2), states.at(-1)] as [State, State, State]
  const change = (entity: Change['entity'], lookIn: (state: State) => Look | undefined): Change => ({
    entity,
    before: lookIn(first),
    previous: lookIn(previous),
    after: lookIn(last),
  })
  const found = system.layout.slots.flatMap((slot, index) =>
    slot?.is === 'entity' && (first[index] !== last[index] || previous[index] !== last[index])
      ? [change(slot.id, (state) => look(system.resident(state, index)))]
      : [],
  )
  const seen = [first, previous, last].map((state) => state[place.outside])
  if (new Set(seen).size === 1) return found
  const outside = (state: State): Look => ({
    value: undefined,
    context: system.outside.looks.value(state[place.outside] as number),
  })
  return [...found, change('outside', outside)]
}

function look(resident: Resident | undefined): Look | undefined {
  if (resident === undefined) return undefined
  const { value, context } = resident.state.snapshot
  return { value, context }
}
