// history.ts: the log of a running system, in the order in which things happened.
import type { Happened, HistoryEvent } from './event.ts'

/** See the file head. One for all stores, hosts and clients of a system, whatever restarts. */
export class History {
  readonly #events: Happened[] = []
  readonly #clock: { now(): number }

  /** @param clock - The clock that the hosts go by: their `Env`. */
  constructor(clock: { now(): number }) {
    this.#clock = clock
  }

  /** What has happened so far. */
  get events(): readonly Happened[] {
    return this.#events
  }

  record(event: HistoryEvent): void {
    this.#events.push({ ...event, at: this.#clock.now() })
  }
}
