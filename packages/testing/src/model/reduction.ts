// reduction.ts: of steps that commute, only one order is searched: ample sets (Peled, 1993).
//   R1  All steps of one entity are enough where none of another can enable one more of them: nobody who may act, or be
//       moved to act, ever sends to it on a lane that is empty now.
//   R2  They must be invisible: no property looks at entities of its type.
//   R3  An entity that is done takes every message alike: its deliveries commute with everything.
//   R4  On every cycle some state is searched in full: a reduced state leads to a new one (search.ts).
// Who ever sends to whom is assumed, and the search starts anew where it meets somebody else (assumptions.ts). Until then
// what was left out and what was taken commute, so that whoever sends first in what was left out is met all the same.
import type { EntityId } from '@interstate/core'
import { type Layout, place, type State } from './layout.ts'
import type { Successor } from './successor.ts'
import type { System } from './system.ts'

/** See the file head. */
export class Reduction {
  readonly #system: System
  readonly #receivers: ReadonlyMap<number, readonly Edge[]>
  readonly #fromOutside: readonly number[]

  constructor(system: System) {
    this.#system = system
    this.#receivers = edges(system.layout, system.assumptions.lanes)
    this.#fromOutside = system.receivers()
  }

  /** Enough of the successors of a state, or all of them. */
  enough(state: State, successors: readonly Successor[]): readonly Successor[] {
    const late = successors.find((each) => this.#isOver(state, each))
    if (late !== undefined) return [late]
    const { time, visible } = this.#system.assumptions
    // Where machines look at the clock, whatever passes time is felt by all.
    if (time || visible === 'all') return successors
    for (const own of byEntity(this.#system, successors)) {
      if (own.length < successors.length && this.#isAmple(state, own, visible)) return own
    }
    return successors
  }

  /** R3 */
  #isOver(state: State, { step, entity, sent = [], trouble }: Successor): boolean {
    if (step.does !== 'deliver' || entity === undefined || sent.length > 0 || trouble !== undefined) return false
    return this.#system.assumptions.visible !== 'all' && this.#system.resident(state, entity)?.isDone === true
  }

  #isAmple(state: State, own: readonly Successor[], visible: ReadonlySet<string>): boolean {
    const entity = own[0]?.entity as number
    if (visible.has(this.#system.layout.at(entity).type)) return false
    // With timers between them, messages that go round would no longer be seen to: the cycle has other steps in it.
    if (own.some(({ step }) => step.does === 'fire')) return false
    // Crashes and the outside are shared by all effects.
    if (own.some((each) => this.#touchesEffects(state, each))) return false
    return !this.#mayHear(state, entity)
  }

  #touchesEffects(before: State, { entity, state }: Successor): boolean {
    const runs = (each: State): boolean => (this.#system.resident(each, entity as number)?.running.length ?? 0) > 0
    return runs(before) || runs(state)
  }

  /** R1 */
  #mayHear(state: State, entity: number): boolean {
    const active = new Set<number>(this.#mayBeCalled(state))
    if (active.has(entity)) return true
    for (let slot = 0; slot < state.length; slot += 1) {
      const what = this.#system.layout.slots[slot]
      if (state[slot] === 0 || what === undefined) continue
      if (what.is === 'lane' && what.to !== entity) active.add(what.to)
      if (what.is === 'entity' && slot !== entity && this.#acts(state, slot)) active.add(slot)
    }
    for (const each of active) {
      for (const { to, lane } of this.#receivers.get(each) ?? []) {
        if (to !== entity) active.add(to)
        else if ((state[lane] ?? 0) === 0) return true
      }
    }
    return false
  }

  #acts(state: State, slot: number): boolean {
    const resident = this.#system.resident(state, slot)
    return resident !== undefined && (resident.firstDue !== undefined || resident.running.length > 0)
  }

  #mayBeCalled(state: State): readonly number[] {
    const more = (state[place.stimuli] as number) + (state[place.duplicates] as number)
    return more > 0 ? this.#fromOutside : []
  }
}

interface Edge {
  readonly to: number
  readonly lane: number
}

/** Steps of the entities that have some. */
function byEntity(system: System, successors: readonly Successor[]): Iterable<readonly Successor[]> {
  const found = new Map<number, Successor[]>()
  for (const each of successors) {
    if (each.entity === undefined || !system.isInner(each)) continue
    const own = found.get(each.entity)
    if (own === undefined) found.set(each.entity, [each])
    else own.push(each)
  }
  return found.values()
}

/** Whom each entity sends to. */
function edges(layout: Layout, lanes: ReadonlySet<string>): ReadonlyMap<number, readonly Edge[]> {
  const found = new Map<number, Edge[]>()
  for (const name of lanes) {
    const [from, to] = name.split(' ') as [EntityId | 'client', EntityId]
    // Calls of clients count as long as some may come.
    if (from === 'client') continue
    const sender = layout.entity(from)
    const own = found.get(sender) ?? []
    own.push({ to: layout.entity(to), lane: layout.lane(from, to) })
    found.set(sender, own)
  }
  return found
}
