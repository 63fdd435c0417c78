// admission.ts: lets calls from outside in: a known idempotency key is answered, and nothing runs twice (G10).
import { type IdempotencyKey, InterstateError, type KeyPlace, type KeyState, type StoreDriver } from '@interstate/core'
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

  constructor(store: StoreDriver, arrivals: Arrivals, waiters: Waiters, tell: SignalListener) {
    this.#store = store
    this.#arrivals = arrivals
    this.#waiters = waiters
    this.#tell = tell
  }

  /** Lets waiting calls into a wave. */
  async admit(wave: Wave): Promise<void> {
    const arrivals = this.#arrivals.take(page)
    if (arrivals.length === 0) return
    let states: ReadonlyMap<IdempotencyKey, KeyState>
    try {
      states = await this.#look(arrivals)
    } catch (error) {
      this.#arrivals.putBack(arrivals)
      throw error
    }
    for (const arrival of arrivals) {
      const key = arrival.registration?.key
      if (key === undefined) wave.admit(arrival)
      else this.#admitKeyed(wave, arrival, key, states.get(key) as KeyState)
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
  }
}
