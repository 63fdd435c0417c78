// graph.ts: the states that a search has met, how it came to each, and the steps between them.
import type { State } from './layout.ts'

/** What kind of step an edge is. */
export const edge = { outer: 0, inner: 1, delivery: 2 } as const
export type Edge = (typeof edge)[keyof typeof edge]

/** See the file head. States have numbers, in the order in which they were met. */
export class Graph {
  readonly states: State[] = []
  readonly #numbers = new Map<string, number>()
  readonly #parents: number[] = []
  /** Which of its parent's successors a state is. */
  readonly #ordinals: number[] = []
  readonly #depths: number[] = []
  /** Edges of the states in their order: where each one's begin. */
  readonly #begins: number[] = []
  readonly #targets: number[] = []
  readonly #kinds: Edge[] = []

  get size(): number {
    return this.states.length
  }

  get edges(): number {
    return this.#targets.length
  }

  /** How many steps a state is from the beginning. */
  depth(state: number): number {
    return this.#depths[state] as number
  }

  /** The number of a state, and whether it is new. */
  meet(
    key: string,
    state: State,
    parent: number,
    ordinal: number,
  ): { readonly number: number; readonly isNew: boolean } {
    const known = this.#numbers.get(key)
    if (known !== undefined) return { number: known, isNew: false }
    const number = this.states.push(state) - 1
    this.#numbers.set(key, number)
    this.#parents.push(parent)
    this.#ordinals.push(ordinal)
    this.#depths.push(parent < 0 ? 0 : this.depth(parent) + 1)
    return { number, isNew: true }
  }

  /** From here on edges are those of this state. States are expanded in their order. */
  begin(): void {
    this.#begins.push(this.#targets.length)
  }

  link(target: number, kind: Edge): void {
    this.#targets.push(target)
    this.#kinds.push(kind)
  }

  /** The steps that lead to a state, as ordinals. */
  path(state: number): readonly number[] {
    const ordinals: number[] = []
    for (let each = state; this.#parents[each] !== -1; each = this.#parents[each] as number) {
      ordinals.push(this.#ordinals[each] as number)
    }
    return ordinals.reverse()
  }

  /** Where the steps of at least a kind lead from a state. */
  targets(state: number, least: Edge): readonly number[] {
    const end = this.#begins[state + 1] ?? this.#targets.length
    const found: number[] = []
    for (let at = this.#begins[state] as number; at < end; at += 1) {
      if ((this.#kinds[at] as Edge) >= least) found.push(this.#targets[at] as number)
    }
    return found
  }
}
