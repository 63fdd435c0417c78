// symmetry.ts: states that differ only in which of several interchangeable entities is which are one (Ip and Dill, 1996).
import type { EntityId } from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import type { WorldPlan } from '../world/plan.ts'
import { exchange, renamed } from './canonical.ts'
import { changed, place, type State } from './layout.ts'
import type { System } from './system.ts'

/** More orders than this cost more than they save. */
const mostOrders = 5_040

/** See the file head. */
export class Symmetry {
  readonly #system: System
  readonly #orders: readonly Order[]

  /** @throws WorldError `WORLD_INVALID` for too many keys. */
  constructor(plan: WorldPlan, system: System) {
    this.#system = system
    const keys = plan.interchangeable.flatMap((each) => each.keys)
    if (new Set(keys).size < keys.length) {
      throw new WorldError(
        'WORLD_INVALID',
        'An interchangeable key is named twice: exchanged, it would be another one.',
      )
    }
    let orders: ReadonlyMap<string, string>[] = [new Map()]
    for (const { type, keys } of plan.interchangeable) {
      const own = permutations(keys).map((order) => exchange(type, keys, order))
      orders = orders.flatMap((names) => own.map((more) => new Map([...names, ...more])))
      if (orders.length > mostOrders) {
        const what = `The interchangeable keys have more than ${mostOrders} orders.`
        throw new WorldError('WORLD_INVALID', what)
      }
    }
    // The first order is the one in which nothing is exchanged.
    this.#orders = orders.slice(1).map((names) => new Order(system, names))
  }

  /** The text of a state that all states have that differ in the order of keys only. */
  key(state: State): string {
    let least = state.join()
    for (const order of this.#orders) {
      const other = order.apply(state).join()
      if (other < least) least = other
    }
    return least
  }

  /** @throws WorldError `SYMMETRY_BROKEN` where set-up or stimuli treat the keys differently. */
  check(initial: State): void {
    const stimuli = this.#system.pool.map(({ stimulus }) => callText(stimulus))
    for (const order of this.#orders) {
      const before = initial.join()
      if (order.apply(initial).join() !== before) {
        throw new WorldError('SYMMETRY_BROKEN', 'The set-up treats interchangeable keys differently.')
      }
      for (const text of stimuli) {
        if (stimuli.includes(order.rename(text))) continue
        const what = `A stimulus has no counterpart with the keys exchanged: ${text}.`
        throw new WorldError('SYMMETRY_BROKEN', what)
      }
    }
  }
}

/** One way to exchange keys. */
class Order {
  readonly #system: System
  readonly #names: ReadonlyMap<string, string>
  readonly #slots: number[] = []
  readonly #entities = new Map<number, number>()
  readonly #queues = new Map<string, number>()

  constructor(system: System, names: ReadonlyMap<string, string>) {
    this.#system = system
    this.#names = names
  }

  rename(text: string): string {
    return renamed(text, this.#names)
  }

  apply(state: State): State {
    const changes: [number, number][] = []
    for (let slot = place.outside; slot < state.length; slot += 1) {
      const value = state[slot] as number
      if (value !== 0) changes.push([this.#slot(slot), this.#value(slot, value)])
    }
    const head = state.slice(0, place.outside)
    return changed([...head, 0, 0, 0, 0], ...changes)
  }

  #slot(slot: number): number {
    const known = this.#slots[slot]
    if (known !== undefined) return known
    const { layout } = this.#system
    const what = layout.slots[slot]
    let found = slot
    if (what?.is === 'entity') found = layout.entity(this.#entity(what.id))
    if (what?.is === 'lane')
      found = layout.lane(this.#names.get(what.from) ?? what.from, this.#entity(layout.at(what.to).id))
    this.#slots[slot] = found
    return found
  }

  #entity(id: EntityId): EntityId {
    return (this.#names.get(id) as EntityId | undefined) ?? id
  }

  #value(slot: number, value: number): number {
    const { layout, turns, outside } = this.#system
    switch (slot) {
      case place.outside:
        return outside.looks.number(
          this.rename(outside.looks.text(value)),
          JSON.parse(this.rename(outside.looks.text(value))),
        )
      case place.results:
        return this.#queue(value, 'bag', (item) => this.#result(item))
      case place.sent:
        return this.#queue(value, 'bag', (item) => this.#stimulus(item))
      case place.time:
        return value
    }
    const what = layout.slots[slot]
    if (what?.is === 'lane') {
      const kind = what.from === 'client' ? 'bag' : 'lane'
      return this.#queue(value, kind, (item) => turns.messages.number(this.rename(turns.messages.text(item))))
    }
    let found = this.#entities.get(value)
    if (found === undefined) {
      found = turns.entities.number(this.rename(turns.entities.text(value)))
      this.#entities.set(value, found)
    }
    return found
  }

  #queue(queue: number, kind: 'bag' | 'lane', rename: (item: number) => number): number {
    const key = `${kind} ${queue}`
    let found = this.#queues.get(key)
    if (found === undefined) {
      const items = this.#system.queues.items(queue).map(rename)
      found = this.#system.queues.number(kind === 'bag' ? items.sort((one, two) => one - two) : items)
      this.#queues.set(key, found)
    }
    return found
  }

  #result(number: number): number {
    const { results } = this.#system.outside
    const result = results.value(number)
    const other = { ...result, slot: this.#slot(result.slot), end: JSON.parse(this.rename(JSON.stringify(result.end))) }
    return results.number(JSON.stringify([other.slot, other.effect, other.end]), other)
  }

  #stimulus(index: number): number {
    const { pool } = this.#system
    const text = this.rename(callText((pool[index] as (typeof pool)[number]).stimulus))
    return pool.findIndex(({ stimulus }) => callText(stimulus) === text)
  }
}

function callText(stimulus: { readonly call: string; readonly address: unknown; readonly message: unknown }): string {
  const { call, address, message } = stimulus
  return renamed(JSON.stringify([call, address, message]), new Map())
}

function permutations(keys: readonly string[]): readonly (readonly string[])[] {
  if (keys.length < 2) return [keys]
  return keys.flatMap((key, index) => permutations(keys.toSpliced(index, 1)).map((rest) => [key, ...rest]))
}
