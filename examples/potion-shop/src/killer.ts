// killer.ts: kills hosts while they work, spread over the day, the last one in the evening.
import { setTimeout } from 'node:timers/promises'
import type { Staff } from './staff.ts'

// Measured: an order takes about so many messages. Kills are spread over the first part of the work, so that each finds some.
const messagesPerOrder = 10
const workUnderKills = 0.7
/** A kill comes up to so much later than planned: in the midst of a write, of an effect, of an answer. */
const jitterMs = 15
/** The last one dies so soon after the clock was put forward: timers fire, payments are called off, bottles go back. */
const eveningMessages = 100

/** See the file head. */
export class Killer {
  readonly toll = { kills: 0, killsAtWork: 0 }
  readonly #staff: Staff
  readonly #kills: number
  readonly #share: number
  /** The next one dies when so many messages were handled. */
  #next: number
  #isEvening = false
  #isAtIt = false

  constructor(staff: Staff, { kills, orders }: { readonly kills: number; readonly orders: number }) {
    this.#staff = staff
    this.#kills = kills
    this.#share = (orders * messagesPerOrder * workUnderKills) / Math.max(1, kills)
    this.#next = this.#after(0)
  }

  /** So many messages were handled, by all hosts together. */
  watch(messages: number): void {
    if (messages < this.#next || this.#left === 0 || this.#isAtIt || this.#staff.open === 0) return
    this.#next = this.#after(messages)
    this.toll.killsAtWork += 1
    void this.#kill()
  }

  /** The day's work is done: who is not killed by now dies idle; the last one waits for the evening. */
  async endDay(messages: number): Promise<void> {
    while (this.#left > 0) await this.#killIdle()
    this.#isEvening = true
    this.#next = messages + 1 + Math.random() * eveningMessages
  }

  /** There was not enough work in the evening. */
  async endEvening(): Promise<void> {
    while (this.#left > 0) await this.#killIdle()
  }

  /** Kills that may happen now. */
  get #left(): number {
    const reserved = this.#isEvening ? 0 : Math.min(1, this.#kills)
    return this.#kills - reserved - this.toll.kills
  }

  #after(messages: number): number {
    return messages + 1 + Math.random() * 2 * this.#share
  }

  async #killIdle(): Promise<void> {
    if (this.#staff.open > 0 && !this.#isAtIt) await this.#kill()
    else await setTimeout(jitterMs)
  }

  async #kill(): Promise<void> {
    this.#isAtIt = true
    this.toll.kills += 1
    await setTimeout(Math.random() * jitterMs)
    this.#staff.kill()
    this.#isAtIt = false
  }
}
