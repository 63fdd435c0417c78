// delays.ts: how long the timers of machines run, as far as it stands in their text. Right about then things go wrong.
import type { Definition } from '@interstate/core'
import type { Chance } from './chance.ts'

/** Delays of timers and of delayed messages, in milliseconds, in the order of the machines. */
export function delaysOf(definitions: readonly Definition[]): readonly number[] {
  const delays = new Set<unknown>()
  for (const { machine } of definitions) {
    collect(machine.root.config as Delaying, delays)
    for (const delay of Object.values(machine.implementations.delays)) delays.add(delay)
    for (const action of Object.values(machine.implementations.actions)) delays.add(delayOf(action))
  }
  return [...delays].filter((delay) => typeof delay === 'number' && Number.isFinite(delay) && delay > 0) as number[]
}

/** About as long as one of them: right before it, right after it, and a good while after. */
export function around(delays: readonly number[], chance: Chance): number {
  return Math.max(0, chance.pick(delays) + chance.pick([-50, -5, -1, 0, 1, 5, 50, 500, 5_000]))
}

interface Delaying {
  readonly after?: object
  readonly entry?: unknown
  readonly exit?: unknown
  readonly on?: object
  readonly states?: Readonly<Record<string, Delaying>>
}

function collect(config: Delaying, found: Set<unknown>): void {
  for (const delay of Object.keys(config.after ?? {})) found.add(Number(delay))
  const transitions = Object.values(config.on ?? {}).flat() as readonly unknown[]
  const actions = transitions.flatMap((each) => (isWithActions(each) ? each.actions : []))
  for (const action of [config.entry, config.exit, ...actions].flat()) found.add(delayOf(action))
  for (const each of Object.values(config.states ?? {})) collect(each, found)
}

function isWithActions(transition: unknown): transition is { readonly actions: unknown } {
  return typeof transition === 'object' && transition !== null && 'actions' in transition
}

/** Actions that XState makes, such as `sendTo`, carry what they were made of. */
function delayOf(action: unknown): unknown {
  return typeof action === 'function' && 'delay' in action ? action.delay : undefined
}
