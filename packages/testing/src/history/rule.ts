// rule.ts: one way of looking at a history: it sees every event in order, beside the books as they were before it.
import type { EntityId, MessageId } from '@interstate/core'
import type { Books } from './books.ts'
import type { Happened } from './event.ts'
import type { Judged, Violation } from './violation.ts'

/** What a violation is about. */
export interface About {
  readonly messages?: readonly MessageId[]
  readonly entities?: readonly EntityId[]
}

/** Notes a violation of the event that is looked at. */
export type Report = (guarantee: Judged, what: string, about?: About) => void

/** See the file head. */
export interface Rule {
  /** @param books - As they were before the event. */
  see?(event: Happened, books: Books, report: Report): void
  /** Looks at the end of a history at which nothing was under way any more. */
  rest?(books: Books, report: Report): void
}

/** Collects what rules report. */
export class Findings {
  readonly violations: Violation[] = []
  #at = 0

  /** The event that reports are about from here on. */
  moveTo(at: number): void {
    this.#at = at
  }

  readonly report: Report = (guarantee, what, { messages = [], entities = [] } = {}) => {
    this.violations.push({ guarantee, what, at: this.#at, messages, entities })
  }
}
