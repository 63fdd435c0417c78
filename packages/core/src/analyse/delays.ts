// delays.ts: timers that can't be set.
import { type Finding, finding } from '../finding.ts'
import { resolve } from '../hostable.ts'
import { labelOf } from './chart.ts'
import type { Member } from './system.ts'

/** Delays that are functions are not looked at. */
export function checkDelays({ name, definition: { machine }, chart }: Member): readonly Finding[] {
  return chart.nodes.flatMap((node) => {
    const actions = [...node.entry, ...node.exit, ...chart.edges(node).flatMap((edge) => edge.actions)]
    return [...actions, ...(node.type === 'compound' ? node.initial.actions : [])].flatMap((action) => {
      const { delay } = (resolve(machine.implementations.actions, action) ?? {}) as { readonly delay?: unknown }
      const value = typeof delay === 'string' ? resolve(machine.implementations.delays, delay) : delay
      if (typeof value !== 'number' || isPossible(value)) return []
      const shown = typeof delay === 'string' ? `${delay} (${value})` : value
      const place = `${name} in ${labelOf(node)}: ${shown}`
      return [finding('delay-impossible', place, 'A delay is a number of milliseconds, 0 or more, and has an end.')]
    })
  })
}

/** Half of what a safe integer holds: the other half is for the time of the day. */
const longestMs = 2 ** 52
const isPossible = (delay: number): boolean => delay >= 0 && delay <= longestMs
