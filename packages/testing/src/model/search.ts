// search.ts: looks at every state of a world that can be reached, breadth first, so that what it finds has a shortest story.

import type { FindingCode } from '../failure/catalogue.ts'
import { WorldError } from '../failure/error.ts'
import type { Property, WorldPlan } from '../world/plan.ts'
import type { EntityView, Moment } from '../world/view.ts'
import { Disproved } from './assumptions.ts'
import { closed, components } from './components.ts'
import { type Edge, edge, Graph } from './graph.ts'
import type { State } from './layout.ts'
import { Watch } from './properties.ts'
import type { Reduction } from './reduction.ts'
import { type StuckSaga, stuckSaga } from './rest.ts'
import type { Successor } from './successor.ts'
import type { Symmetry } from './symmetry.ts'
import type { System } from './system.ts'
import type { Turns } from './turns.ts'

/** Something found, and how to get there: ordinals among all successors of each state. */
export interface Found {
  readonly code: FindingCode
  readonly name: string
  readonly what: string
  readonly path: readonly number[]
  readonly cause?: unknown
}

/** Where a search ended. */
export interface Searched {
  readonly graph: Graph
  readonly found: Found | undefined
  /** States that were met and not looked at any further, because a bound stopped the search. */
  readonly frontier: number
  /** Names of the `sometimes` that held somewhere. */
  readonly seen: ReadonlySet<string>
  /** States in which only some of the steps were needed. */
  readonly reduced: number
}

/** How far a search goes. */
export interface Bounds {
  readonly maxStates: number
  readonly onProgress: (progress: { readonly states: number; readonly frontier: number }) => void
}

/** Work between two looks at the event loop, in states. */
const stride = 1_024

/** See the file head. */
export class Search {
  readonly #plan: WorldPlan
  readonly #system: System
  readonly #symmetry: Symmetry
  readonly #reduction: Reduction
  readonly #bounds: Bounds
  readonly #graph = new Graph()
  readonly #watch: Watch
  readonly #seen = new Set<string>()
  /** Of each `eventually`, in which states it holds. */
  readonly #holds: boolean[][]
  #reduced = 0
  #found: Found | undefined

  constructor(plan: WorldPlan, system: System, symmetry: Symmetry, reduction: Reduction, bounds: Bounds) {
    this.#plan = plan
    this.#system = system
    this.#symmetry = symmetry
    this.#reduction = reduction
    this.#bounds = bounds
    this.#holds = plan.eventually.map(() => [])
    this.#watch = new Watch(plan, (type) => this.#looked(type))
  }

  /** @throws Disproved */
  async run(initial: State): Promise<Searched> {
    this.#meet(initial, -1, 0)
    let next = 0
    for (; next < this.#graph.size && this.#found === undefined; next += 1) {
      if (this.#graph.size > this.#bounds.maxStates) break
      if (next % stride === stride - 1) await this.#breathe(next)
      this.#guard(next, () => this.#expand(next))
    }
    const frontier = this.#found === undefined ? this.#graph.size - next : 0
    if (this.#found === undefined && frontier === 0) {
      this.#checkLanes()
      this.#found = this.#loop() ?? this.#never() ?? this.#stuckBesideOthers()
    }
    // Under an abstraction that hides what matters, what was found may never happen.
    this.#found = this.#hidden() ?? this.#found
    return { graph: this.#graph, found: this.#found, frontier, seen: this.#seen, reduced: this.#reduced }
  }

  /** What a property or a model throws is found where it was thrown, with its story. */
  #guard(number: number, look: () => void): void {
    try {
      look()
    } catch (error) {
      if (!(error instanceof WorldError) || error.story !== undefined) throw error
      const { code, what, finding, cause } = error
      const name = finding.slice(code.length + 1)
      this.#found = { code, name, what, cause: cause ?? error, path: this.#graph.path(number) }
    }
  }

  async #breathe(next: number): Promise<void> {
    this.#bounds.onProgress({ states: this.#graph.size, frontier: this.#graph.size - next })
    await new Promise((resolve) => setImmediate(resolve))
  }

  #expand(number: number): void {
    const state = this.#graph.states[number] as State
    this.#graph.begin()
    const all = this.#system.successors(state)
    const trouble = all.findIndex((each) => each.trouble !== undefined)
    if (trouble >= 0) {
      const { code, name, what, cause } = (all[trouble] as Successor).trouble as NonNullable<Successor['trouble']>
      this.#found = { code, name, what, cause, path: [...this.#graph.path(number), trouble] }
      return
    }
    const enough = this.#reduction.enough(state, all)
    const leadsOn = this.#follow(number, all, enough)
    if (enough.length < all.length) {
      // R4: otherwise what was left out might be left out forever.
      if (leadsOn) this.#reduced += 1
      else
        this.#follow(
          number,
          all,
          all.filter((each) => !enough.includes(each)),
        )
    }
    if (!all.some((each) => this.#system.isInner(each))) this.#checkRest(number, state)
  }

  /** @returns Whether a new state was met. */
  #follow(number: number, all: readonly Successor[], some: readonly Successor[]): boolean {
    let leadsOn = false
    for (const successor of some) {
      const met = this.#meet(successor.state, number, all.indexOf(successor))
      this.#graph.link(met.number, kindOf(this.#system, successor))
      leadsOn ||= met.isNew
      if (this.#found !== undefined) return true
    }
    return leadsOn
  }

  #meet(state: State, parent: number, ordinal: number): { readonly number: number; readonly isNew: boolean } {
    const met = this.#graph.meet(this.#symmetry.key(state), state, parent, ordinal)
    if (met.isNew) this.#guard(met.number, () => this.#look(met.number, state))
    return met
  }

  #look(number: number, state: State): void {
    const moment = this.#system.moment(state)
    for (const property of this.#plan.always) {
      if (this.#watch.holds(property, moment)) continue
      this.#found ??= { ...invariantBroken(property), path: this.#graph.path(number) }
    }
    for (const property of this.#plan.sometimes) {
      if (!this.#seen.has(property.name) && this.#watch.holds(property, moment)) this.#seen.add(property.name)
    }
    this.#plan.eventually.forEach((property, index) => {
      this.#holds[index]?.push(this.#watch.holds(property, moment))
    })
  }

  #checkRest(number: number, state: State): void {
    const saga = stuckSaga(this.#plan, this.#system, state, () => true)
    if (saga !== undefined) this.#found ??= { ...sagaStuck(saga), path: this.#graph.path(number) }
  }

  /** A property that tells two entities apart which an abstraction takes for one. */
  #hidden(): Found | undefined {
    const variants = this.#system.turns.variants()
    if (variants.size === 0) return undefined
    const properties = [...this.#plan.always, ...this.#plan.eventually, ...this.#plan.sometimes]
    for (const [number, state] of this.#graph.states.entries()) {
      const moment = this.#system.moment(state)
      for (const view of state.flatMap((each, slot) => this.#variantsAt(variants, each, slot))) {
        const other = withView(moment, view)
        const split = properties.find((each) => this.#watch.holds(each, moment) !== this.#watch.holds(each, other))
        if (split === undefined) continue
        const what = `"${split.name}" looks at what the abstraction leaves out of ${view.entity}.`
        return { code: 'ABSTRACTION_HIDES', name: split.name, what, path: this.#graph.path(number) }
      }
    }
    return undefined
  }

  #variantsAt(variants: ReturnType<Turns['variants']>, number: number, slot: number): readonly EntityView[] {
    if (number === 0 || this.#system.layout.slots[slot]?.is !== 'entity') return []
    return (variants.get(number) ?? []).map(({ view }) => view)
  }

  /** A cycle of deliveries alone. */
  #loop(): Found | undefined {
    const targets = (node: number): readonly number[] => this.#graph.targets(node, edge.delivery)
    const { of } = components(this.#graph.size, targets)
    for (let node = 0; node < this.#graph.size; node += 1) {
      if (!targets(node).some((target) => of[target] === of[node])) continue
      const found = loopFrom(this.#graph.path(node))
      if (!this.#plan.accepted.has('MESSAGES_LOOP')) return found
    }
    return undefined
  }

  /** A closed component in which an `eventually` never holds. */
  #never(): Found | undefined {
    if (this.#plan.eventually.length === 0) return undefined
    const targets = (node: number): readonly number[] => this.#graph.targets(node, edge.inner)
    const all = components(this.#graph.size, targets)
    const ends = closed(all, targets)
    for (const [index, { name }] of this.#plan.eventually.entries()) {
      const held = new Set(all.of.filter((_, node) => this.#holds[index]?.[node]))
      const node = all.of.findIndex((component) => ends.has(component) && !held.has(component))
      if (node < 0) continue
      const what = `"${name}" does not hold, and never will.`
      return { code: 'EVENTUALLY_NEVER', name, what, path: this.#graph.path(node) }
    }
    return undefined
  }

  /** A saga that never changes any more in a closed component, though others go on. */
  #stuckBesideOthers(): Found | undefined {
    const targets = (node: number): readonly number[] => this.#graph.targets(node, edge.inner)
    const all = components(this.#graph.size, targets)
    const members = Map.groupBy(all.of.keys(), (node) => all.of[node] as number)
    for (const component of closed(all, targets)) {
      const nodes = members.get(component) ?? []
      const [node = 0] = nodes
      const state = this.#graph.states[node] as State
      const isStill = (slot: number): boolean =>
        nodes.every((each) => (this.#graph.states[each] as State)[slot] === state[slot])
      const saga = stuckSaga(this.#plan, this.#system, state, isStill)
      if (saga !== undefined) return { ...sagaStuck(saga), path: this.#graph.path(node) }
    }
    return undefined
  }

  /** Where states were reduced, all who send to somebody must have been known. */
  #checkLanes(): void {
    const { assumptions, layout } = this.#system
    const lanes = new Set(layout.lanes)
    if (this.#reduced === 0 || lanes.isSubsetOf(assumptions.lanes)) return
    throw new Disproved({ ...assumptions, lanes })
  }

  /** What properties look at must not be reduced away. */
  #looked(type: string): void {
    const { visible } = this.#system.assumptions
    if (visible === 'all' || visible.has(type)) return
    throw new Disproved({
      ...this.#system.assumptions,
      visible: type === 'all' ? 'all' : new Set([...visible, type]),
    })
  }
}

/** A moment in which one entity looks otherwise. */
function withView(moment: Moment, view: EntityView): Moment {
  const replaced = (each: EntityView): EntityView => (each.entity === view.entity ? view : each)
  return {
    entitiesOf: (type) => moment.entitiesOf(type).map(replaced),
    entity: (id) => (id === view.entity ? view : moment.entity(id)),
    underWay: moment.underWay,
    outside: moment.outside,
  }
}

function sagaStuck({ id, type, where }: StuckSaga): Omit<Found, 'path'> {
  const what = `${id} stays in "${where}": nothing for it is under way, and none of the stimuli moves it on.`
  return { code: 'SAGA_STUCK', name: type, what }
}

/** The finding that an `always` does not hold. */
export function invariantBroken({ name }: Property): Omit<Found, 'path'> {
  return { code: 'INVARIANT_BROKEN', name, what: `"${name}" does not hold.` }
}

/** The finding that messages go round. */
export function loopFrom(path: readonly number[]): Found {
  const what = 'From the end of this story messages go round for ever.'
  return { code: 'MESSAGES_LOOP', name: '', what, path }
}

function kindOf(system: System, successor: Successor): Edge {
  if (successor.step.does === 'deliver') return edge.delivery
  return system.isInner(successor) ? edge.inner : edge.outer
}
