// successor.ts: what may happen next in a state of a world, and what comes of it, as data.
import type { FindingCode } from '../failure/catalogue.ts'
import type { State } from './layout.ts'

/** One thing that may happen next. `after`: milliseconds later than it might; most often none. */
export type Step =
  /** A client makes a call; `again`: it repeats one, because the answer was lost. */
  | { readonly does: 'call'; readonly stimulus: number; readonly again: boolean; readonly after: number }
  /** An entity handles a message of a lane. */
  | { readonly does: 'deliver'; readonly lane: number; readonly item: number; readonly after: number }
  /** An entity's first timer fires. */
  | { readonly does: 'fire'; readonly entity: number; readonly after: number }
  /** An effect acts on the outside, in one of the ways that it may go. */
  | { readonly does: 'act'; readonly entity: number; readonly effect: string; readonly way: number }
  /** An entity handles the result of an effect. */
  | { readonly does: 'settle'; readonly result: number; readonly after: number }
  /** The host crashes: results that nobody has handled are lost, and their effects run again. */
  | { readonly does: 'crash' }

/** Something that a step brings to light by itself, without any property. */
export interface Trouble {
  readonly code: FindingCode
  /** `payment Charge`: by which it is accepted. */
  readonly name: string
  readonly what: string
  readonly cause?: unknown
}

/** A step and what comes of it. */
export interface Successor {
  readonly step: Step
  /** Place of the entity whose turn it is. */
  readonly entity: number | undefined
  readonly state: State
  /** What its turn came to: `handled`, `rejected`, `late`, … */
  readonly outcome?: string | undefined
  /** Messages that it sent: numbers of messages. */
  readonly sent?: readonly number[] | undefined
  readonly trouble?: Trouble | undefined
}
