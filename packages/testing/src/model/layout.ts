// layout.ts: where in a state's list of numbers what stands. Entities and lanes get their places as the search meets them.
import type { EntityId } from '@interstate/core'
import { parseEntityId } from '@interstate/core'

/** One state of a world: numbers at places. Never changed in place. */
export type State = readonly number[]

/** Places that every state has. */
export const place = {
  /** Stimuli that may still come. */
  stimuli: 0,
  /** Repeated calls that may still come. */
  duplicates: 1,
  /** Crashes that may still come. */
  crashes: 2,
  /** The outside, as a number. */
  outside: 3,
  /** Results of effects that have acted and are not handled, as a bag. */
  results: 4,
  /** Stimuli that have come and may be repeated, as a bag. */
  sent: 5,
  /** The time, where machines look at it: milliseconds since the beginning. */
  time: 6,
} as const
const firstFree = 7

/** What stands at a place that was given out. */
export type Slot =
  | { readonly is: 'entity'; readonly id: EntityId; readonly type: string; readonly key: string }
  | { readonly is: 'lane'; readonly from: string; readonly to: number }

/** See the file head. */
export class Layout {
  readonly slots: (Slot | undefined)[] = Array.from({ length: firstFree }, () => undefined)
  readonly #entities = new Map<EntityId, number>()
  readonly #lanes = new Map<string, number>()
  readonly #byType = new Map<string, number[]>()

  /** Where an entity stands. */
  entity(id: EntityId): number {
    const known = this.#entities.get(id)
    if (known !== undefined) return known
    const { type, key } = parseEntityId(id)
    const slot = this.slots.push({ is: 'entity', id, type, key }) - 1
    this.#entities.set(id, slot)
    const ofType = [...(this.#byType.get(type) ?? []), slot]
    this.#byType.set(
      type,
      ofType.sort((one, two) => compare(this.keyAt(one), this.keyAt(two))),
    )
    return slot
  }

  /** Where the messages of a sender to a receiver stand. */
  lane(from: string, to: EntityId): number {
    const name = `${from} ${to}`
    const known = this.#lanes.get(name)
    if (known !== undefined) return known
    const receiver = this.entity(to)
    const slot = this.slots.push({ is: 'lane', from, to: receiver }) - 1
    this.#lanes.set(name, slot)
    return slot
  }

  /** The names of all lanes that were met: `account/A transfer/1`. */
  get lanes(): Iterable<string> {
    return this.#lanes.keys()
  }

  /** Places of all entities of a type, by key. */
  ofType(type: string): readonly number[] {
    return this.#byType.get(type) ?? []
  }

  /** The entity at a place. */
  at(slot: number): Extract<Slot, { is: 'entity' }> {
    return this.slots[slot] as Extract<Slot, { is: 'entity' }>
  }

  keyAt(slot: number): string {
    return this.at(slot).key
  }
}

/** A state with some numbers changed, by place. Trailing zeros are left out: equal states are equal lists. */
export function changed(state: State, ...changes: readonly (readonly [slot: number, value: number])[]): State {
  const next = state.slice()
  for (const [slot, value] of changes) {
    while (next.length < slot) next.push(0)
    next[slot] = value
  }
  while (next.length > firstFree && next.at(-1) === 0) next.pop()
  return next
}

const compare = (one: string, two: string): number => (one < two ? -1 : one > two ? 1 : 0)
