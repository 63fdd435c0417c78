// keys.ts: what clients' idempotency keys stand for, in the document of the entity that they were sent to (G10).
import { type IdempotencyKey, timeOfKey } from '../idempotency.ts'
import type { KeyState, Registration } from '../ports/store.ts'
import { type EntityDocument, type KnownKey, written } from './document.ts'

/** A key that enters with its message. */
export type KeyEntry = Pick<Registration, 'key' | 'message' | 'fingerprint'>

/** What is known of a key. */
export function keyState(document: Pick<EntityDocument, 'keys' | 'purged'> | undefined, key: IdempotencyKey): KeyState {
  if (document !== undefined && timeOfKey(key) < document.purged) return { state: 'purged' }
  const known = document?.keys[key]
  if (known === undefined) return { state: 'new' }
  return { state: 'known', message: known.message, fingerprint: known.fingerprint, reply: known.reply }
}

/** Those of these keys that are not free. One that comes twice is taken the second time. */
export function takenKeys(
  document: Pick<EntityDocument, 'keys' | 'purged'> | undefined,
  entries: readonly KeyEntry[],
): readonly IdempotencyKey[] {
  return entries
    .filter(({ key }, index) => {
      return keyState(document, key).state !== 'new' || entries.findIndex((each) => each.key === key) < index
    })
    .map(({ key }) => key)
}

/** The keys after new ones were registered. */
export function registered(keys: EntityDocument['keys'], entries: readonly KeyEntry[]): EntityDocument['keys'] {
  if (entries.length === 0) return keys
  return {
    ...keys,
    ...Object.fromEntries(entries.map(({ key, message, fingerprint }) => [key, { message, fingerprint }])),
  }
}

/** The keys after replies. The first reply to a key stands; one to a key that is gone goes nowhere. */
export function replied(
  keys: EntityDocument['keys'],
  replies: readonly { readonly key: IdempotencyKey; readonly reply: string }[],
): EntityDocument['keys'] {
  const after: Record<IdempotencyKey, KnownKey> = { ...keys }
  for (const { key, reply } of replies) {
    const known = after[key]
    if (known !== undefined && known.reply === undefined) after[key] = { ...known, reply }
  }
  return after
}

/** Moves the purge mark of one document, never back. `undefined` when that changes nothing. */
export function purge(document: EntityDocument, before: number): EntityDocument | undefined {
  if (before <= document.purged) return undefined
  const kept = Object.entries(document.keys).filter(([key]) => timeOfKey(key as IdempotencyKey) >= before)
  return written(document, { purged: before, keys: Object.fromEntries(kept) })
}
