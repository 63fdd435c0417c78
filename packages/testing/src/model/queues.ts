// queues.ts: lists of numbers as numbers: lanes in their order, and bags without one.

/** Lists that are never changed in place; 0 is the empty one. */
export class Queues {
  readonly #lists: (readonly number[])[] = [[]]
  readonly #numbers = new Map<string, number>([['', 0]])
  readonly #pushed: Map<number, number>[] = []
  readonly #removed: Map<number, number>[] = []

  items(queue: number): readonly number[] {
    return this.#lists[queue] as readonly number[]
  }

  number(items: readonly number[]): number {
    const text = items.join()
    let found = this.#numbers.get(text)
    if (found === undefined) {
      found = this.#lists.length
      this.#numbers.set(text, found)
      this.#lists.push(items)
    }
    return found
  }

  /** One more at the end. */
  push(queue: number, item: number): number {
    return memo(this.#pushed, queue, item, () => this.number([...this.items(queue), item]))
  }

  /** One more, in the order of the numbers: a bag has no order of its own. */
  add(bag: number, item: number): number {
    return this.number([...this.items(bag), item].sort((one, two) => one - two))
  }

  /** Without the item at a place. */
  remove(queue: number, place: number): number {
    return memo(this.#removed, queue, place, () => this.number(this.items(queue).toSpliced(place, 1)))
  }
}

function memo(table: Map<number, number>[], one: number, two: number, make: () => number): number {
  let row = table[one]
  if (row === undefined) {
    row = new Map()
    table[one] = row
  }
  let found = row.get(two)
  if (found === undefined) {
    found = make()
    row.set(two, found)
  }
  return found
}
