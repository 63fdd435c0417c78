// chance.ts: chance that follows from a seed, the same on every machine.

/** The mulberry32 generator (Tommy Ettinger, public domain): small, fast, good enough for jitter and choices. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A seed of its own for each purpose, so that drawing more of one thing changes nothing of another (FNV-1a). */
export function seedFor(seed: number, purpose: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let index = 0; index < purpose.length; index += 1) {
    hash = Math.imul(hash ^ purpose.charCodeAt(index), 0x01000193) >>> 0
  }
  return hash
}

/** See the file head. */
export class Chance {
  readonly #next: () => number

  constructor(seed: number, purpose: string) {
    this.#next = seeded(seedFor(seed, purpose))
  }

  /** From 0 up to 1. */
  next(): number {
    return this.#next()
  }

  /** A whole number from 0, below `bound`. */
  below(bound: number): number {
    return Math.floor(this.#next() * bound)
  }

  /** Happens so often, from 0 for never to 1 for always. */
  hits(rate: number): boolean {
    return this.#next() < rate
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** A whole number of milliseconds of any size: as likely between 1 and 10 as between 10 and 100. */
  ms(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.#next())
  }
}
