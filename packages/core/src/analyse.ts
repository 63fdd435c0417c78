// analyse.ts: looks for defects of a system of machines without running it.
import { checkCycles } from './analyse/cycles.ts'
import { checkDelays } from './analyse/delays.ts'
import { checkFollowed, checkKeys, checkOutputs, checkPublished } from './analyse/messages.ts'
import { checkOutbox } from './analyse/outbox.ts'
import { checkStates } from './analyse/states.ts'
import { System } from './analyse/system.ts'
import { checkUnanswered } from './analyse/unanswered.ts'
import { checkWiring } from './check-wiring.ts'
import type { Definition } from './entity.ts'
import { type Finding, finding } from './finding.ts'
import type { StoreLimits } from './ports/store.ts'

/** What {@link analyse} takes. */
export interface AnalyseOptions {
  /** What the store can hold; without it the size of a step is not looked at. */
  readonly limits?: Pick<StoreLimits, 'maxOutbox'>
  /** Names of warnings that are known and meant, as {@link Finding.name} gives them. An error can't be accepted. */
  readonly accept?: readonly string[]
}

/**
 * Looks for defects of a system of machines without running it: what keeps a host from starting as errors, and as
 * warnings what it would only show on the day it happens. Guards are taken for passable. A function that makes a
 * message or an address is tried with a stand-in for context and event; where it looks closer, and inside
 * `enqueueActions`, nothing is known and nothing is found.
 *
 * @returns Each defect once, errors first. An accepted name that stands for none is a finding too.
 *
 * @example
 * ```ts
 * expect(analyse([order, payment, fulfilment])).toEqual([])
 * ```
 */
export function analyse(
  definitions: readonly Definition[],
  { limits, accept = [] }: AnalyseOptions = {},
): readonly Finding[] {
  const system = new System(definitions)
  const found = [
    ...checkWiring(definitions),
    ...system.members.flatMap((member) => [
      ...checkOutputs(member, system),
      ...checkPublished(member, system),
      ...checkFollowed(member),
      ...checkKeys(member, system),
      ...checkStates(member),
      ...checkDelays(member),
      ...checkUnanswered(member, system),
      ...(limits === undefined ? [] : checkOutbox(member, system, limits)),
    ]),
    ...checkCycles(system),
  ]
  const findings = [...new Map(found.toReversed().map((each) => [each.name, each])).values()].toReversed()
  return [
    ...findings.filter(({ name, severity }) => severity === 'error' || !accept.includes(name)),
    ...outlived(accept, findings),
  ]
}

/** What was accepted must still be there: the next defect of that name would go unseen. */
function outlived(accept: readonly string[], findings: readonly Finding[]): readonly Finding[] {
  const names = new Set(findings.map(({ name }) => name))
  return [...new Set(accept)]
    .filter((name) => !names.has(name))
    .map((name) => finding('acceptance-outlived', name, 'Nothing has this name any more: take it out of `accept`.'))
}
