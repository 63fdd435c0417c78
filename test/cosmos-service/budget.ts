// budget.ts: how many request units a second there are, and when there are some again
// (learn.microsoft.com/azure/cosmos-db/request-units; 429 in /rest/api/cosmos-db/http-status-codes-for-cosmosdb).
// A request is let in while the second has units left, and may take more than are left: the rest is owed by the next.
// How the service shares a second in detail is not documented; that a container never gets more on average is.

/** One budget, of a container or of a logical partition. */
export class Budget {
  readonly perSecond: number
  #used = 0
  #second = 0

  constructor(perSecond: number) {
    this.perSecond = perSecond
  }

  /** How long to wait, 0 for not at all. */
  waitMs(now: number): number {
    this.#turn(now)
    if (this.#used < this.perSecond) return 0
    const seconds = Math.floor((this.#used - this.perSecond) / this.perSecond) + 1
    return Math.max(1, Math.ceil((this.#second + seconds) * 1_000 - now))
  }

  take(charge: number, now: number): void {
    this.#turn(now)
    this.#used += charge
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1_000)
    if (second <= this.#second) return
    this.#used = Math.max(0, this.#used - this.perSecond * (second - this.#second))
    this.#second = second
  }
}
