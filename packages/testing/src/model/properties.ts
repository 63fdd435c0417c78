// properties.ts: what must hold of a world, looked at moment by moment. A property that throws is a failure of its own.
import type { EntityId } from '@interstate/core'
import { parseEntityId } from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import type { Property, WorldPlan } from '../world/plan.ts'
import { type EntityView, type Moment, type WorldView, worldView } from '../world/view.ts'
import { Disproved } from './assumptions.ts'

/** A view of a system that changes under it: made once, looked at in each state. */
export class Watch {
  readonly #w: WorldView
  readonly #looked: (type: string) => void
  #moment: Moment | undefined

  /** @param looked - Told of each entity type that a property looks at; `all` for messages under way. */
  constructor(plan: Pick<WorldPlan, 'entities'>, looked: (type: string) => void) {
    this.#looked = looked
    this.#w = worldView(this.#noting(), new Set(plan.entities.map(({ name }) => name)))
  }

  /**
   * Whether a property holds.
   * @throws WorldError `PROPERTY_THREW`.
   */
  holds({ name, holds }: Property, moment: Moment): boolean {
    this.#moment = moment
    try {
      return Boolean(holds(this.#w))
    } catch (cause) {
      if (cause instanceof Disproved) throw cause
      const what = cause instanceof Error ? cause.message : String(cause)
      throw new WorldError('PROPERTY_THREW', `"${name}" threw: ${what}.`, { name, cause })
    }
  }

  #noting(): Moment {
    const moment = (): Moment => this.#moment as Moment
    const looked = this.#looked
    return {
      entitiesOf: (type): readonly EntityView[] => {
        looked(type)
        return moment().entitiesOf(type)
      },
      entity: (id: EntityId) => {
        looked(parseEntityId(id).type)
        return moment().entity(id)
      },
      get underWay() {
        looked('all')
        return moment().underWay
      },
      get outside() {
        return moment().outside
      },
    }
  }
}
