// reduction.ts: of steps that commute, only one order is searched: ample sets (Peled, 1993).
//   R1  All steps of one entity are enough where nobody else can send it anything before it acts.
//   R2  They must be invisible: no property looks at entities of its type.
//   R3  An entity that is done takes every message alike: its deliveries commute with everything.
//   R4  On every cycle some state is searched in full: a reduced state leads to a new one (search.ts).
import type { AddressRef, Definition } from '@interstate/core'
import type { WorldPlan } from '../world/plan.ts'
import { place, type State } from './layout.ts'
import type { Successor } from './successor.ts'
import type { System } from './system.ts'

/** See the file head. */
export class Reduction {
  readonly #system: System
  readonly #receivers: ReadonlyMap<string, ReadonlySet<string>>
  readonly #fromOutside: ReadonlySet<string>

  constructor(plan: WorldPlan, system: System) {
    this.#system = system
    this.#receivers = receiversByType(plan.entities)
    this.#fromOutside = new Set(
      system.pool.flatMap(({ stimulus: { call, address } }) => {
        const { contract } = address as unknown as AddressRef
        return call === 'send' ? [contract.name] : followersOf(plan.entities, contract.name)
      }),
    )
  }

  /** Enough of the successors of a state, or all of them. */
  enough(state: State, successors: readonly Successor[]): readonly Successor[] {
    const late = successors.find((each) => this.#isOver(state, each))
    if (late !== undefined) return [late]
    // Where machines look at the clock, whatever passes time is felt by all.
    if (this.#system.assumptions.time) return successors
    for (const own of byEntity(this.#system, successors)) {
      if (own.length < successors.length && this.#isAmple(state, own)) return own
    }
    return successors
  }

  /** R3 */
  #isOver(state: State, { step, entity, sent = [] }: Successor): boolean {
    if (step.does !== 'deliver' || entity === undefined || sent.length > 0) return false
    const isVisible = this.#system.assumptions.visible === 'all'
    return !isVisible && this.#system.resident(state, entity)?.isDone === true
  }

  #isAmple(state: State, own: readonly Successor[]): boolean {
    const entity = own[0]?.entity
    if (entity === undefined) return false
    const { visible } = this.#system.assumptions
    const { type } = this.#system.layout.at(entity)
    if (visible === 'all' || visible.has(type) || own.some(({ trouble }) => trouble !== undefined)) return false
    // Crashes and the outside are shared by all effects.
    if ((this.#system.resident(state, entity)?.running.length ?? 0) > 0) return false
    return !this.#mayHear(state, entity, type)
  }

  /** R1: whether somebody else, of himself or moved by others, may send to entities of the type. */
  #mayHear(state: State, entity: number, type: string): boolean {
    const active = new Set(this.#outside(state))
    if (active.has(type)) return true
    for (let slot = 0; slot < state.length; slot += 1) {
      const what = this.#system.layout.slots[slot]
      if (state[slot] === 0 || what === undefined) continue
      if (what.is === 'lane' && what.to !== entity) active.add(this.#system.layout.at(what.to).type)
      if (what.is === 'entity' && slot !== entity && this.#acts(state, slot)) active.add(what.type)
    }
    for (const each of active) {
      for (const receiver of this.#receivers.get(each) ?? []) {
        if (receiver === type) return true
        active.add(receiver)
      }
    }
    return false
  }

  #acts(state: State, slot: number): boolean {
    const resident = this.#system.resident(state, slot)
    return resident !== undefined && (resident.firstDue !== undefined || resident.running.length > 0)
  }

  #outside(state: State): Iterable<string> {
    const more = (state[place.stimuli] as number) + (state[place.duplicates] as number)
    return more > 0 ? this.#fromOutside : []
  }
}

/** Steps of the entities that have some. */
function byEntity(system: System, successors: readonly Successor[]): Iterable<readonly Successor[]> {
  const found = new Map<number, Successor[]>()
  for (const each of successors) {
    if (each.entity === undefined || !system.isInner(each)) continue
    found.set(each.entity, [...(found.get(each.entity) ?? []), each])
  }
  return found.values()
}

/** Whom entities of each type may send something. */
function receiversByType(entities: readonly Definition[]): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    entities.map(({ name, sends }) => [
      name,
      new Set([
        name,
        ...sends.map((contract) => contract.name),
        ...followersOf(entities, name),
        // Replies and refusals.
        ...entities
          .filter((other) => other.sends.some((contract) => contract.name === name))
          .map((other) => other.name),
      ]),
    ]),
  )
}

function followersOf(entities: readonly Definition[], publisher: string): readonly string[] {
  return entities
    .filter(({ follows }) => follows.some(({ contract }) => contract.name === publisher))
    .map(({ name }) => name)
}
