// way.ts: one direction of a connection: things happen on it in order, late or not for now.

/** What a network does to one direction, now. */
export interface Weather {
  readonly delayMs: number
  readonly isHeld: boolean
}

/** See the file head. */
export class Way {
  readonly #weather: () => Weather
  #waiting: { readonly due: number; readonly deed: () => void }[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(weather: () => Weather) {
    this.#weather = weather
  }

  /** Does something when everything before it is done and the weather allows. */
  add(deed: () => void): void {
    this.#waiting.push({ due: performance.now() + this.#weather().delayMs, deed })
    this.flow()
  }

  /** Goes on as far as the weather allows. Call it when the weather has changed. */
  flow(): void {
    clearTimeout(this.#timer)
    const { isHeld } = this.#weather()
    let done = 0
    const now = performance.now()
    while (!isHeld && (this.#waiting[done]?.due ?? Number.POSITIVE_INFINITY) <= now) {
      this.#waiting[done]?.deed()
      done += 1
    }
    this.#waiting = this.#waiting.slice(done)
    const [next] = this.#waiting
    if (next !== undefined && !isHeld) this.#timer = setTimeout(() => this.flow(), Math.ceil(next.due - now))
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#waiting = []
  }
}
