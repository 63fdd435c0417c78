// chance.ts: chance that can be had again: its seed is printed with every failure.

/** Chance that follows from a seed: the mulberry32 generator (Tommy Ettinger, public domain). */
export class Chance {
  readonly seed: number
  #state: number

  constructor(seed: number) {
    this.seed = seed
    this.#state = seed >>> 0
  }

  /** From 0 up to `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end
  }

  shuffled<T>(list: readonly T[]): readonly T[] {
    const left = [...list]
    for (let last = left.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.below(last + 1))
      ;[left[last], left[other]] = [left[other] as T, left[last] as T]
    }
    return left
  }
}
