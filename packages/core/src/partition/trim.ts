// trim.ts: takes out of a sender what its receivers durably have, in a write of its own.
import type { Receipt } from './arrival.ts'
import { type EntityDocument, written } from './document.ts'
import { trimmedBy } from './outbox.ts'

/** How it ended. Only `trimmed` is to be written, on the version that it was made from. */
export type TrimOutcome =
  | { readonly outcome: 'trimmed'; readonly document: EntityDocument }
  /** It was trimmed before, or the lane is gone. */
  | { readonly outcome: 'nothing to trim' }
  /** A receiver has what was never sent: the sender lost history (G15). */
  | { readonly outcome: 'broken'; readonly finding: string }

/** See the file head. Anybody may trim, late and often: receipts only say what is so for good. */
export function trim(document: EntityDocument | undefined, receipts: readonly Receipt[]): TrimOutcome {
  if (document === undefined) return { outcome: 'nothing to trim' }
  const trimmed = trimmedBy(
    document.outbox,
    receipts.filter(({ from }) => from === document.entity),
  )
  if (trimmed.outcome === 'broken') return trimmed
  if (trimmed.outbox === document.outbox) return { outcome: 'nothing to trim' }
  return { outcome: 'trimmed', document: written(document, { outbox: trimmed.outbox }) }
}
