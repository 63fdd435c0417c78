// admission.ts: lets calls from outside in: a known idempotency key is answered, and nothing runs twice (G10).
import {
  type IdempotencyKey,
  InterstateError,
  type KeyPlace,
  type KeyState,
  type MessageId,
  type StoreDriver,
} from '@interstate/core'
import type { Answer } from './answer.ts'
import type { Arrival, Arrivals } from './arrival.ts'
import type { SignalListener } from './signals.ts'
import type { Waiters } from './waiters.ts'
import type { Wave } from './wave.ts'

/** Calls that are let in at once. */
const page = 16_384

/** See the file head. */
export class Admission {
  readonly #store: StoreDriver
  readonly #arrivals: Arrivals
  readonly #waiters: Waiters
  readonly #tell: SignalListener
  /** Keys of calls that were made before, elsewhere perhaps, and have no answer yet; by message. */
  readonly #unanswered = new Map<MessageId, KeyPlace>()
  readonly #know: (arrivals: readonly Arrival[]) => Promise<readonly Arrival[]>

  /** @param know - Learns what must be known of calls before they are let in, and gives those that may be. */
  constructor(
    store: StoreDriver,
    arrivals: Arrivals,
    waiters: Waiters,
    tell: SignalListener,
    know: (arrivals: readonly Arrival[]) => Promise<readonly Arrival[]>,
  ) {
    this.#store = store
    this.#arrivals = arrivals
    this.#waiters = waiters
    this.#tell = tell
    this.#know = know
  }

  /** Lets waiting calls into a wave. */
  async admit(wave: Wave): Promise<void> {
    const taken = this.#arrivals.take(page)
    if (taken.length === 0) return
    let arrivals: readonly Arrival[]
    let states: ReadonlyMap<IdempotencyKey, KeyState>
    try {
      arrivals = await this.#know(taken)
      states = await this.#look(arrivals)
    } catch (error) {
      this.#arrivals.putBack(taken)
      throw error
    }
    for (const arrival of arrivals) {
      const key = arrival.registration?.key
      if (key === undefined) wave.admit(arrival)
      else this.#admitKeyed(wave, arrival, key, states.get(key) as KeyState)
    }
  }

  /** Looks for answers that stand at their keys by now: where they were given nobody knew that they are waited for here. */
  async lookForAnswers(): Promise<void> {
    for (const message of this.#unanswered.keys()) {
      if (!this.#waiters.has(message)) this.#unanswered.delete(message)
    }
    if (this.#unanswered.size === 0) return
    const asked = [...this.#unanswered]
    const states = await this.#store.keys(asked.map(([, place]) => place))
    for (const [index, [message]] of asked.entries()) {
      const known = states[index]
      if (known?.state !== 'known' || known.reply === undefined) continue
      this.#unanswered.delete(message)
      this.#waiters.answer(message, JSON.parse(known.reply) as Answer)
    }
  }

  async #look(arrivals: readonly Arrival[]): Promise<ReadonlyMap<IdempotencyKey, KeyState>> {
    const places = new Map<IdempotencyKey, KeyPlace>()
    for (const { registration } of arrivals) if (registration !== undefined) places.set(registration.key, registration)
    if (places.size === 0) return new Map()
    const list = [...places.values()]
    const states = await this.#store.keys(list)
    return new Map(list.map(({ key }, index) => [key, states[index] as KeyState]))
  }

  #admitKeyed(wave: Wave, arrival: Arrival, key: IdempotencyKey, known: KeyState): void {
    switch (known.state) {
      case 'purged':
        arrival.reject(new InterstateError('IDEMPOTENCY_KEY_EXPIRED', `"${key}" is before the purge mark.`, { key }))
        return
      case 'known':
        this.#repeat(arrival, key, known)
        return
      case 'new': {
        // The same call may be on its way already; what becomes of it is known after the next group.
        if (this.#arrivals.holder(key) !== undefined) {
          this.#arrivals.push(arrival)
          return
        }
        this.#arrivals.hold(key, arrival)
        wave.admit(arrival)
      }
    }
  }

  #repeat(arrival: Arrival, key: IdempotencyKey, known: Extract<KeyState, { state: 'known' }>): void {
    if (known.fingerprint !== arrival.registration?.fingerprint) {
      arrival.reject(new InterstateError('IDEMPOTENCY_KEY_REUSED', `"${key}" stands for another message.`, { key }))
      return
    }
    this.#tell({ signal: 'duplicate', key, message: known.message })
    this.#waiters.move(arrival.message, known.message)
    arrival.resolve({ message: known.message, duplicate: true })
    if (known.reply !== undefined) this.#waiters.answer(known.message, JSON.parse(known.reply) as Answer)
    else if (arrival.asks) this.#unanswered.set(known.message, arrival.registration)
  }
}
