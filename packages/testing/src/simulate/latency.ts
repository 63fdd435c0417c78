// latency.ts: how long a call takes one way: drawn, or always the same; for a while it may be longer.
import type { Chance } from './chance.ts'
import type { RunPlan } from './run-plan.ts'
import type { Timeline } from './timeline.ts'

/** See the file head. */
export class Latency {
  readonly #kind: RunPlan['latency']
  readonly #chance: Chance
  readonly #timeline: Timeline
  #slow: readonly { readonly until: number; readonly ms: number }[] = []
  #isDrawn = false

  constructor(kind: RunPlan['latency'], chance: Chance, timeline: Timeline) {
    this.#kind = kind
    this.#chance = chance
    this.#timeline = timeline
  }

  /** From here on it is drawn, if it is to be at all: the set-up is over. */
  begin(): void {
    this.#isDrawn = this.#kind === 'drawn'
  }

  /** For a while calls take longer. */
  slowDown({ ms, forMs }: { readonly ms: number; readonly forMs: number }): void {
    this.#slow = [...this.#slow, { until: this.#timeline.now + forMs, ms }]
  }

  /** Nothing is slow any more. */
  calm(): void {
    this.#slow = []
  }

  /** Of the next call, in milliseconds. */
  next(): number {
    if (!this.#isDrawn) return 1
    this.#slow = this.#slow.filter(({ until }) => until > this.#timeline.now)
    return this.#chance.ms(1, 30) + this.#slow.reduce((sum, { ms }) => sum + ms, 0)
  }
}
