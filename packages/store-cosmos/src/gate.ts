// gate.ts: lets calls through to the service: so many at once, and none while it wants to be left alone.
// Owns: the order of those who wait, how many are under way, and until when nobody is let through. One for a whole driver.
// Not here: what a call does, and whether it is sent again (documents.ts).
//   K1  After a 429 nobody is let through before the time that it named is over.
//   K2  Many at once are halved by a 429, once for all that were under way together, and become more again one by one: what
//       is refused when the budget of a second ends is then a few, however many wait.
//   K3  Who was turned away goes before those who have not been through yet. These take turns by logical partition: a
//       thousand calls for one entity hold up the call for another by one place.
import type { Clock } from './clock.ts'

/** How many calls at once. */
export interface GateOptions {
  readonly mostAtOnce: number
}

/** Leave to make one call; it must be given back. */
export interface Pass {
  /** The call has its answer, or never will. `crowded`: the client itself has sat out a 429 before it. */
  done(end: 'served' | 'crowded' | 'other'): void
  /** The service wants to be left alone. */
  turnedAway(retryAfterMs: number): void
}

/** Someone who wants to make calls. */
export interface Caller {
  /** Those of one line wait behind each other. */
  readonly line: string
  /** When waiting is of no use any more. */
  readonly deadline: number
  /** Whether this call was turned away before. */
  readonly isBack: boolean
}

interface Waiting {
  readonly resolve: (pass: Pass | undefined) => void
  readonly stop: () => void
}

const atFirst = 32
/** So that one refusal more or less among few does not stop all. */
const fewest = 8

/** See the file head. */
export class Gate {
  readonly #clock: Clock
  readonly #most: number
  #atOnce: number
  /** As long as nothing was refused, each answer makes room for one more, which doubles them. */
  #isUntried = true
  #underWay = 0
  #closedUntil = Number.NEGATIVE_INFINITY
  #isTimed = false
  /** Which calls were let through before the last halving. */
  #round = 0
  readonly #back: Waiting[] = []
  readonly #lines = new Map<string, Waiting[]>()

  constructor(clock: Clock, { mostAtOnce }: GateOptions) {
    this.#clock = clock
    this.#most = mostAtOnce
    this.#atOnce = Math.min(atFirst, mostAtOnce)
  }

  /** Waits for a pass; `undefined` when the deadline comes first. */
  enter(caller: Caller): Promise<Pass | undefined> {
    return new Promise((resolve) => {
      if (this.#isFree() && this.#back.length === 0 && this.#lines.size === 0) resolve(this.#pass())
      else this.#wait(caller, resolve)
    })
  }

  #wait({ line, deadline, isBack }: Caller, resolve: Waiting['resolve']): void {
    const queue = isBack ? this.#back : (this.#lines.get(line) ?? [])
    if (!isBack) this.#lines.set(line, queue)
    const late = (): void => {
      queue.splice(queue.indexOf(waiting), 1)
      if (!isBack && queue.length === 0) this.#lines.delete(line)
      resolve(undefined)
    }
    const stop = this.#clock.after(Math.max(0, deadline - this.#clock.now()), late)
    const waiting: Waiting = { resolve, stop }
    queue.push(waiting)
    this.#admit()
  }

  #isFree(): boolean {
    return this.#underWay < Math.floor(this.#atOnce) && this.#clock.now() >= this.#closedUntil
  }

  #admit(): void {
    while (this.#isFree()) {
      const next = this.#next()
      if (next === undefined) return
      next.stop()
      next.resolve(this.#pass())
    }
    this.#openInTime()
  }

  #next(): Waiting | undefined {
    const back = this.#back.shift()
    if (back !== undefined) return back
    for (const [line, queue] of this.#lines) {
      const first = queue.shift()
      this.#lines.delete(line)
      if (queue.length > 0) this.#lines.set(line, queue)
      return first
    }
    return undefined
  }

  #openInTime(): void {
    const ms = this.#closedUntil - this.#clock.now()
    if (ms <= 0 || this.#isTimed || (this.#back.length === 0 && this.#lines.size === 0)) return
    this.#isTimed = true
    this.#clock.after(ms, () => {
      this.#isTimed = false
      this.#admit()
    })
  }

  #pass(): Pass {
    this.#underWay += 1
    const round = this.#round
    let isOpen = true
    const close = (): void => {
      if (!isOpen) return
      isOpen = false
      this.#underWay -= 1
      this.#admit()
    }
    return {
      done: (end) => {
        if (end === 'served') this.#grow()
        if (end === 'crowded' && round === this.#round) this.#halve()
        close()
      },
      turnedAway: (retryAfterMs) => {
        this.#closedUntil = Math.max(this.#closedUntil, this.#clock.now() + retryAfterMs)
        if (round === this.#round) this.#halve()
        close()
      },
    }
  }

  #grow(): void {
    const more = this.#isUntried ? 1 : 1 / this.#atOnce
    this.#atOnce = Math.min(this.#most, this.#atOnce + more)
  }

  #halve(): void {
    this.#isUntried = false
    this.#round += 1
    this.#atOnce = Math.max(Math.min(fewest, this.#most), this.#atOnce / 2)
  }
}
