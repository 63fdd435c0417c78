// reached.ts: which states of its machines a search has entered.
import type { Watch } from '../observe/observe.ts'
import { placesOf } from '../observe/places.ts'
import type { WorldPlan } from '../world/plan.ts'

/** See the file head. */
export class Reached {
  readonly #plan: WorldPlan
  readonly #reached = new Set<string>()

  constructor(plan: WorldPlan) {
    this.#plan = plan
  }

  /** Takes note of the states that machines enter, if only for a moment. */
  readonly watch: Watch = {
    entered: (_, state) => void this.#reached.add(state),
  }

  /**
   * States that were not reached, though their parents were: `payment.refunding`; then machines that never began. What is
   * inside them goes without saying.
   */
  missing(): readonly string[] {
    const missing = this.#plan.entities
      .flatMap((definition) => placesOf(definition).states)
      .filter(({ name, node }) => node.type !== 'history' && !this.#reached.has(name))
      .map(({ name }) => name)
    const outermost = missing.filter((name) => !missing.includes(name.slice(0, name.lastIndexOf('.'))))
    const isInside = (name: string): boolean => name.includes('.')
    return [...outermost.filter(isInside), ...outermost.filter((name) => !isInside(name))]
  }
}
