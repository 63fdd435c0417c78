// arrival.ts: a call from outside, from the moment that it is made until its messages are durable.
import type { Envelope, IdempotencyKey, InterstateError, MessageId, Registration, ShardId } from '@interstate/core'
import type { Item } from './resident.ts'

/** What `send` and `publish` resolve to. */
export interface Receipt {
  /** The id of the message; of the first one for an event with several followers. */
  readonly message: MessageId
  /** The idempotency key was known: nothing ran because of this call. */
  readonly duplicate: boolean
}

/** See the file head. */
export interface Arrival {
  readonly message: MessageId
  /** One command, an event for each follower, or the result of an effect. */
  readonly envelopes: readonly Envelope[]
  readonly registration: Registration | undefined
  /** The shard by which it enters, where that is not for each message its own: an event goes to all followers or none. */
  readonly entry: ShardId | undefined
  /** Its messages on their way, as soon as they are let in. */
  items: readonly Item[]
  /** Messages that are not durable yet. */
  pending: number
  /** The registration is written, or was known. */
  registered: boolean
  /** The host itself brought it, and must not lose it when the store fails for a while. */
  readonly internal: boolean
  /** The caller waits for the outcome, not only for the receipt. */
  readonly asks: boolean
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: InterstateError) => void
}

/** An arrival that nobody waits for. */
export function unawaited(envelope: Envelope): Arrival {
  return {
    message: envelope.id,
    envelopes: [envelope],
    items: [],
    registration: undefined,
    entry: undefined,
    pending: 1,
    registered: true,
    internal: true,
    asks: false,
    resolve: ignore,
    reject: ignore,
  }
}

const ignore = (): void => {}

/** Arrivals in the order in which they came. */
export class Arrivals {
  #waiting: Arrival[] = []
  readonly #keys = new Map<IdempotencyKey, Arrival>()

  get length(): number {
    return this.#waiting.length
  }

  push(arrival: Arrival): void {
    this.#waiting.push(arrival)
  }

  /** Takes up to `limit` of them. */
  take(limit: number): readonly Arrival[] {
    if (this.#waiting.length <= limit) {
      const all = this.#waiting
      this.#waiting = []
      return all
    }
    return this.#waiting.splice(0, limit)
  }

  /** Puts arrivals that were taken before all others. */
  putBack(arrivals: readonly Arrival[]): void {
    this.#waiting = [...arrivals, ...this.#waiting]
  }

  /** Remembers a key until its arrival is durable, so that a repeat in the meantime joins it. */
  hold(key: IdempotencyKey, arrival: Arrival): void {
    this.#keys.set(key, arrival)
  }

  holder(key: IdempotencyKey): Arrival | undefined {
    return this.#keys.get(key)
  }

  letGo(key: IdempotencyKey): void {
    this.#keys.delete(key)
  }
}
