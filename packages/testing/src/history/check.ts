// check.ts: judges a history against the guarantees, with a bookkeeping of its own.
import { Books } from './books.ts'
import type { Happened } from './event.ts'
import { Findings, type Rule } from './rule.ts'
import { Commits } from './rules/commits.ts'
import { Conservation } from './rules/conservation.ts'
import { Lanes } from './rules/lanes.ts'
import { Leases } from './rules/leases.ts'
import { NothingEarly } from './rules/nothing-early.ts'
import { Order } from './rules/order.ts'
import { Reads } from './rules/reads.ts'
import { Recognition } from './rules/recognition.ts'
import { Timers } from './rules/timers.ts'
import { Turns } from './rules/turns.ts'
import type { Violation } from './violation.ts'

/** What {@link checkHistory} takes. */
export interface CheckHistoryOptions {
  /** The history ends at rest: nothing is under way any more, so that what is nowhere is lost (G12). Default `false`. */
  readonly atRest?: boolean
}

/**
 * Judges a history: G1 to G9 and G12, from the log alone. It believes neither the store nor the runtime: it keeps books
 * of its own, from the groups that were written and their results, and holds against them what was read later, what
 * hosts told and what clients heard.
 *
 * It can't know what a machine ought to have done: a message that a machine never sent is missed by nobody here. And it
 * wants answers in the order in which the store did what they say: drivers that overtake themselves are not for it.
 *
 * @param events - From a {@link History} that began with an empty store.
 * @returns What is broken, in the order of the events that show it; empty for a history that breaks nothing.
 */
export function checkHistory(
  events: readonly Happened[],
  { atRest = false }: CheckHistoryOptions = {},
): readonly Violation[] {
  const books = new Books()
  const findings = new Findings()
  const rules: readonly Rule[] = [
    new Leases(),
    new Commits(),
    new Recognition(),
    new Lanes(),
    new Turns(),
    new Order(),
    new NothingEarly(),
    new Timers(),
    new Reads(),
    new Conservation(),
  ]
  for (const [index, event] of events.entries()) {
    findings.moveTo(index)
    for (const rule of rules) rule.see?.(event, books, findings.report)
    books.enter(event)
  }
  if (atRest) for (const rule of rules) rule.rest?.(books, findings.report)
  return findings.violations
}
