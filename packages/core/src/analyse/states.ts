// states.ts: states that no way leads to.
import { type Finding, finding } from '../finding.ts'
import { labelOf } from './chart.ts'
import type { Member } from './system.ts'

/** Of an unreachable state with states inside it, the outermost is named. */
export function checkStates({ name, chart }: Member): readonly Finding[] {
  const isLost = (node: (typeof chart.nodes)[number] | undefined): boolean =>
    node !== undefined && !chart.reached.has(node)
  return chart.nodes
    .filter((node) => isLost(node) && !isLost(node.parent))
    .map((node) =>
      finding(
        'state-unreachable',
        `${name} in ${labelOf(node)}`,
        'Add the transition that leads there, or delete the state. If only stored entities are in it, accept it.',
      ),
    )
}
