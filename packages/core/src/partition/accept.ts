// accept.ts: lets clients' messages in, each with its idempotency key in the same write.
import type { IdempotencyKey } from '../idempotency.ts'
import type { StoredMessage } from '../ports/store.ts'
import { type Attempt, type AttemptRefusal, refusalOf } from './attempt.ts'
import { type Birthplace, type EntityDocument, unwritten, type Waiting, written } from './document.ts'
import { enqueued } from './inbox.ts'
import { type KeyEntry, registered, takenKeys } from './keys.ts'

/** Messages from outside that wait to be handled. */
export interface Acceptance extends Attempt {
  readonly at: Birthplace
  readonly messages: readonly StoredMessage[]
  readonly registrations: readonly KeyEntry[]
}

/** How it ended. Only `accepted` is to be written, on the version that was expected. */
export type AcceptOutcome =
  | {
      readonly outcome: 'accepted'
      readonly document: EntityDocument
      /** As they wait now, in the order given. */
      readonly accepted: readonly Waiting[]
    }
  /** These keys are known, or older than the purge mark (G10). Nothing was accepted. */
  | { readonly outcome: 'taken'; readonly keys: readonly IdempotencyKey[] }
  | AttemptRefusal

/** See the file head. It is fenced as a commit is (G5), and recognised by its tag when it is repeated. */
export function accept(document: EntityDocument | undefined, acceptance: Acceptance): AcceptOutcome {
  const refusal = refusalOf(document, acceptance)
  if (refusal !== undefined) return refusal
  const { at, epoch, tag, messages, registrations } = acceptance
  const taken = takenKeys(document, registrations)
  if (taken.length > 0) return { outcome: 'taken', keys: taken }
  const before = document ?? unwritten(at)
  const { placed, ...line } = enqueued(before, messages)
  const keys = registered(before.keys, registrations)
  return { outcome: 'accepted', document: written(before, { ...line, keys, epoch, tag }), accepted: placed }
}
