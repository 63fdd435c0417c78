// judge.ts: holds the properties of a world against every moment of a run.
import type { FindingCode } from '../failure/catalogue.ts'
import type { Property, WorldPlan } from '../world/plan.ts'
import { type Moment, type WorldView, worldView } from '../world/view.ts'
import type { Found } from './verdict.ts'

/** See the file head. */
export class Judge {
  readonly #plan: WorldPlan
  readonly #view: WorldView
  readonly #seen: Set<string>

  /** @param seen - Names of `sometimes` that have held: of all runs. */
  constructor(plan: WorldPlan, moment: Moment, seen: Set<string>) {
    this.#plan = plan
    this.#view = worldView(moment)
    this.#seen = seen
  }

  /** What is wrong with this moment. */
  look(): Found | undefined {
    for (const property of this.#plan.always) {
      const found = this.#hold(property, 'INVARIANT_BROKEN', 'does not hold')
      if (found !== undefined) return found
    }
    for (const property of this.#plan.sometimes) {
      if (this.#seen.has(property.name)) continue
      const found = this.#hold(property, undefined, '')
      if (found !== undefined) return found
    }
    return undefined
  }

  /** What is wrong with the end of a run, when everything has come to rest. */
  atRest(): Found | undefined {
    for (const property of this.#plan.eventually) {
      const found = this.#hold(property, 'EVENTUALLY_NEVER', 'has not come to hold, and nothing is under way any more')
      if (found !== undefined) return found
    }
    return undefined
  }

  #hold({ name, holds }: Property, code: FindingCode | undefined, how: string): Found | undefined {
    try {
      const isSo = holds(this.#view)
      if (isSo) this.#seen.add(name)
      return isSo || code === undefined ? undefined : { code, name, what: `"${name}" ${how}.` }
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause)
      return { code: 'PROPERTY_THREW', name, what: `"${name}" threw: ${text}.`, cause }
    }
  }
}
