// idempotency.ts: keys by which a client's repeated message is recognised. A key carries its time, so that purging old
// ones needs to remember one mark only (G10).
import { InterstateError } from './errors.ts'

declare const brand: unique symbol
/** A client's name for one message: `<milliseconds>~<name>`. Made by {@link idempotencyKey}. */
export type IdempotencyKey = string & { readonly [brand]: 'IdempotencyKey' }

/**
 * Makes an idempotency key.
 *
 * @param name - Names the message among all that the client sends: an order number, a request id. 1 to 256 characters.
 * @param options - `at`: when the client made the message, in milliseconds or as a Date. It must be the same on every
 * repeat, so take it from the message and not from the clock. Keys older than the purge mark are refused.
 * @throws InterstateError `IDEMPOTENCY_KEY_INVALID`.
 *
 * @example
 * ```ts
 * idempotencyKey('order-17', { at: new Date('2026-01-31T12:00:00Z') })
 * ```
 */
export function idempotencyKey(name: string, options: { readonly at: number | Date }): IdempotencyKey {
  const at = Number(options.at)
  const key = `${at}~${name}` as IdempotencyKey
  timeOfKey(key)
  return key
}

/** When the client made the message, in milliseconds since 1970. */
export function timeOfKey(key: IdempotencyKey): number {
  // Half a surrogate pair has no UTF-8 of its own: two such keys would be one in a store.
  const match = typeof key === 'string' && key.isWellFormed() ? /^(\d{1,15})~.{1,256}$/su.exec(key) : null
  if (match === null) throw new InterstateError('IDEMPOTENCY_KEY_INVALID', `${JSON.stringify(key)} is no key.`, { key })
  return Number(match[1])
}
