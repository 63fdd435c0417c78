// reached.ts: which states of its machines a search has entered.
import { statesOf } from '@interstate/core'
import type { WorldPlan } from '../world/plan.ts'
import type { TurnListener } from './turns.ts'

/** See the file head. */
export class Reached {
  readonly #plan: WorldPlan
  readonly #reached = new Set<string>()

  constructor(plan: WorldPlan) {
    this.#plan = plan
  }

  /** Takes note of the states in which a turn left an entity. */
  readonly listener: TurnListener = ({ name }, _before, _message, { state }) => {
    for (const { path } of state?.snapshot._nodes ?? []) this.#reached.add(nameOf(name, path))
  }

  /** States that were not reached: `payment.refunding`. */
  missing(): readonly string[] {
    return this.#plan.entities.flatMap(({ name, machine }) =>
      statesOf(machine.root)
        .filter(({ type, always }) => type !== 'history' && always === undefined)
        .map(({ path }) => nameOf(name, path))
        .filter((state) => !this.#reached.has(state)),
    )
  }
}

function nameOf(definition: string, path: readonly string[]): string {
  return [definition, ...path].join('.')
}
