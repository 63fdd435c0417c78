// clients.ts: clients outside of the system that hand in at a steady rate, whatever happens to it, and write down what they
// are told.
//   C1  A call that ended in an error that may pass, or in silence, is made again with the same key, at another host.
//   C2  What is offered does not wait for what was offered before: a system that stands still falls behind. Only when more
//       than two seconds' work is under way do they wait: a machine that is too slow for the rate is not tested for that.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../crash/chance.ts'
import type { Answer, HostProcess } from './host-process.ts'

/** How clients go about it. */
export interface Manners {
  /** Hands a second. */
  readonly rate: number
  /** How long one answer is waited for. */
  readonly timeoutMs: number
  /** How long a hand is tried. */
  readonly patienceMs: number
}

/** A hand on its way keeps so many others of its desk and counters company. */
const block = 1_000
const tickMs = 20

/** See the file head. */
export class Clients {
  /** The hands that were offered. */
  readonly offered = new Set<number>()
  /** Those that were acknowledged, each with the place that its reply names. */
  readonly acknowledged = new Map<number, number>()
  /** Those that were refused for good, or not acknowledged in time, each with why. */
  readonly refused = new Map<number, string>()
  /** How often each error was met by a call that was made again. */
  readonly retries = new Map<string, number>()
  /** How long it took from the offer to the acknowledgement. */
  readonly latencies: number[] = []
  readonly #hosts: () => readonly HostProcess[]
  readonly #chance: Chance
  readonly #manners: Manners
  readonly #open = new Set<Promise<void>>()
  readonly #hands: Iterator<number>
  #turn = 0
  #isAtWork = false
  #work: Promise<void> = Promise.resolve()

  constructor(hosts: () => readonly HostProcess[], chance: Chance, manners: Manners) {
    this.#hosts = hosts
    this.#chance = chance
    this.#manners = manners
    this.#hands = handsInBlocks(chance)
  }

  start(): void {
    this.#isAtWork = true
    this.#work = this.#offer()
  }

  /** Offers nothing more, and resolves when every call has ended. */
  async stop(): Promise<void> {
    this.#isAtWork = false
    await this.#work
    await Promise.all(this.#open)
  }

  /** Makes one call, as often as it takes. */
  async hand(n: number): Promise<Answer> {
    const deadline = performance.now() + this.#manners.patienceMs
    for (let pause = 20; ; pause = Math.min(pause * 2, 200)) {
      const answer = (await this.#host()?.ask(n, this.#manners.timeoutMs)) ?? { code: 'nobody', retryable: true }
      if ('place' in answer || !answer.retryable || performance.now() > deadline) return answer
      this.retries.set(answer.code, (this.retries.get(answer.code) ?? 0) + 1)
      await sleep(pause * (0.5 + this.#chance.below(1)))
    }
  }

  async #offer(): Promise<void> {
    const { rate } = this.#manners
    let last = performance.now()
    let due = 0
    while (this.#isAtWork) {
      const now = performance.now()
      due = Math.min(due + ((now - last) / 1_000) * rate, 2 * rate - this.#open.size)
      last = now
      for (; due >= 1; due -= 1) this.#offerOne()
      await sleep(tickMs)
    }
  }

  #offerOne(): void {
    const n = this.#hands.next().value as number
    this.offered.add(n)
    const begin = performance.now()
    const call = this.hand(n).then((answer) => {
      this.#open.delete(call)
      if (!('place' in answer)) {
        this.refused.set(n, answer.code)
        return
      }
      this.acknowledged.set(n, answer.place)
      this.latencies.push(performance.now() - begin)
    })
    this.#open.add(call)
  }

  /** In turn, among those that look well. */
  #host(): HostProcess | undefined {
    const hosts = this.#hosts().filter(({ takesCalls }) => takesCalls)
    this.#turn += 1
    return hosts[this.#turn % hosts.length]
  }
}

/** All hands, shuffled within blocks, so that many desks are at work at the same time. */
function* handsInBlocks(chance: Chance): Generator<number, never> {
  for (let first = 0; ; first += block) {
    yield* chance.shuffled(Array.from({ length: block }, (_, index) => first + index))
  }
}
