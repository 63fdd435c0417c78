// story.ts: how a system came to where it is, step by step, as data. Told in words and drawn by its neighbours.
import type { EntityId, PlainObject } from '@interstate/core'

/** One thing that happened. */
export interface StoryStep {
  /** `client`, `time`, `outside`, `store`, `host`, or an entity. */
  readonly from: string
  /** Whom it happened to: an entity, `outside` or `host`. */
  readonly to: string
  /** What: the message's type, or a phrase: `timeout "after 30 min"`, `effect "book"`, `crashes`. */
  readonly what: string
  readonly data?: PlainObject | undefined
  /** What else is worth saying: `redelivered after the host crashed`. */
  readonly note?: string | undefined
  /** What the receiver made of it: `open -> charged`, `refused`, `ignored`, `late`. */
  readonly outcome?: string | undefined
  /** What it sent in answer: `payment.Charged -> fulfilment/1`. */
  readonly sent?: readonly string[] | undefined
}

/** What an entity looks like: its state value and context. The outside has no state. */
export interface Look {
  readonly value: unknown
  readonly context: unknown
}

/** An entity that the story changed, or the outside. */
export interface Change {
  readonly entity: EntityId | 'outside'
  /** Before the story. */
  readonly before: Look | undefined
  /** Before its last step; left out where that is not known. */
  readonly previous?: Look | undefined
  readonly after: Look | undefined
}

/** See the file head. */
export interface Story {
  readonly steps: readonly StoryStep[]
  readonly changes: readonly Change[]
}
