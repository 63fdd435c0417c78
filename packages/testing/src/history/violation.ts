// violation.ts: a guarantee that a history shows broken, with the place.
import type { EntityId, MessageId } from '@interstate/core'

/** Guarantees that a history alone can show broken. */
export type Judged = 'G1' | 'G2' | 'G3' | 'G4' | 'G5' | 'G6' | 'G7' | 'G8' | 'G9' | 'G10' | 'G12'

/** See the file head. */
export interface Violation {
  readonly guarantee: Judged
  /** What was seen, and what should have been. */
  readonly what: string
  /** The event that shows it: its index in the history. */
  readonly at: number
  readonly messages: readonly MessageId[]
  readonly entities: readonly EntityId[]
}
