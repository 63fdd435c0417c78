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

  /** States that were not reached: `payment.refunding`. */
  missing(): readonly string[] {
    return this.#plan.entities
      .flatMap((definition) => placesOf(definition).states)
      .filter(({ name, node }) => node.type !== 'history' && !this.#reached.has(name))
      .map(({ name }) => name)
  }
}
