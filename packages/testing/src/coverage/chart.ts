// chart.ts: what there is to cover in one definition: its states, transitions, guards, timers, and messages by states.
import { type Definition, machineVersion, type PlainObject } from '@interstate/core'
import type { AnyStateNode } from 'xstate'
import { placesOf, type StatePlace, type TransitionPlace } from '../observe/places.ts'

/** A message that an entity may get. */
export interface MessageRow {
  /** As the machine sees it: `Charge`, `payment.Charged`. */
  readonly type: string
  readonly kind: 'command' | 'event' | 'reply' | 'other'
}

/** See the file head. */
export interface Chart {
  readonly definition: Definition
  /** Tells machines apart: counts of one mean nothing for another. */
  readonly fingerprint: string
  readonly states: readonly StatePlace[]
  readonly transitions: readonly TransitionPlace[]
  /** Names of the transitions that have a guard. */
  readonly guarded: readonly string[]
  /** Names of its timers: `payment.open after 30 min`, `delayed Remind`. */
  readonly timers: readonly string[]
  /** Of these, the ones that nothing but their firing ends: they can't be cancelled. */
  readonly endless: ReadonlySet<string>
  readonly messages: readonly MessageRow[]
  /** States in which a message can meet an entity: those without states inside; `(new)` where an event may do that. */
  readonly columns: readonly string[]
  /** By the type of the message that it brings. */
  timerOf(type: string): string
  /** Names of all states in which an entity is. @param value - XState's state value. */
  statesIn(value: unknown): readonly string[]
  /** Of these, the ones without states inside. */
  leavesIn(value: unknown): readonly string[]
}

/** Before the first message. */
export const unborn = '(new)'

/** What there is to cover in a definition. */
export function chartOf(definition: Definition): Chart {
  const { states: all, transitions } = placesOf(definition)
  // A history state is never one that an entity is in.
  const states = all.filter(({ node }) => node.type !== 'history')
  const timers = timersOf(transitions, states)
  const configurations = new Map<string, Configuration>()
  const configuration = (value: unknown): Configuration => {
    const key = typeof value === 'string' ? value : JSON.stringify(value)
    const known = configurations.get(key) ?? configurationOf(states, value)
    configurations.set(key, known)
    return known
  }
  const leaves = states.filter(({ node }) => isLeaf(node) && !isPassing(node)).map(({ name }) => name)
  return {
    definition,
    fingerprint: `${machineVersion(definition.machine)} ${definition.structure}`,
    states,
    transitions,
    guarded: transitions.filter(({ transition }) => transition.guard !== undefined).map(({ name }) => name),
    timers: [...new Set(timers.values())],
    endless: new Set(transitions.filter((each) => isOnlyExit(each, transitions)).map(timerName)),
    messages: messagesOf(definition, transitions),
    columns: definition.follows.length > 0 ? [unborn, ...leaves] : leaves,
    timerOf: (type) => timers.get(type) ?? `delayed ${type}`,
    statesIn: (value) => configuration(value).states,
    leavesIn: (value) => configuration(value).leaves,
  }
}

interface Configuration {
  readonly states: readonly string[]
  readonly leaves: readonly string[]
}

function configurationOf(states: readonly StatePlace[], value: unknown): Configuration {
  const paths = new Set(['', ...pathsIn(value, [])])
  const inside = states.filter(({ node }) => paths.has(node.path.join('\n')))
  return {
    states: inside.map(({ name }) => name),
    leaves: inside.filter(({ node }) => isLeaf(node)).map(({ name }) => name),
  }
}

function pathsIn(value: unknown, above: readonly string[]): string[] {
  if (typeof value === 'string') return [[...above, value].join('\n')]
  return Object.entries(value as PlainObject).flatMap(([key, inner]) => {
    const path = [...above, key]
    return [path.join('\n'), ...pathsIn(inner, path)]
  })
}

/** Whether an eventless transition always leads out of it: no message ever meets an entity there. */
function isPassing({ always }: AnyStateNode): boolean {
  return (always ?? []).some(({ guard, target }) => guard === undefined && target !== undefined)
}

const isLeaf = ({ type }: AnyStateNode): boolean => type === 'atomic' || type === 'final'

function messagesOf(definition: Definition, transitions: readonly TransitionPlace[]): MessageRow[] {
  const { contract, follows, sends } = definition
  const descriptors = new Set(transitions.map(({ descriptor }) => descriptor))
  const rows: MessageRow[] = [
    ...Object.keys(contract.commands).map((type) => ({ type, kind: 'command' as const })),
    ...follows.map(({ contract: { name }, event }) => ({ type: `${name}.${event}`, kind: 'event' as const })),
    ...sends.flatMap(({ name, replies }) => [
      ...Object.keys(replies).map((type) => ({ type: `${name}.${type}`, kind: 'reply' as const })),
      // Every contract may refuse a command; a machine that never looks at that has no row for it.
      ...(descriptors.has(`${name}.rejected`) ? [{ type: `${name}.rejected`, kind: 'reply' as const }] : []),
    ]),
  ]
  return [...new Map(rows.map((row) => [row.type, row])).values()]
}

/** Names of timers, by the type of the message that each brings. */
function timersOf(transitions: readonly TransitionPlace[], states: readonly StatePlace[]): Map<string, string> {
  const after = transitions
    .filter(({ descriptor }) => descriptor.startsWith('xstate.after.'))
    .map((each) => [each.descriptor, timerName(each)] as const)
  const actions = [
    ...states.flatMap(({ node }) => [
      ...node.entry,
      ...node.exit,
      ...Object.values(node.machine.implementations.actions),
    ]),
    ...transitions.flatMap(({ transition }) => transition.actions),
  ]
  const delayed = actions.map(delayedType).filter((type) => type !== undefined)
  return new Map([...delayed.map((type) => [type, `delayed ${type}`] as const), ...after])
}

function timerName({ state, on }: TransitionPlace): string {
  return `${state} ${on}`
}

/** Whether a state that sets a timer is left by this timer alone. */
function isOnlyExit({ descriptor, state }: TransitionPlace, transitions: readonly TransitionPlace[]): boolean {
  if (!descriptor.startsWith('xstate.after.')) return false
  const isIn = (one: string, other: string): boolean => one === other || one.startsWith(`${other}.`)
  return !transitions.some(({ descriptor: other, state: from, targets, transition }) => {
    if (other === descriptor || targets.length === 0) return false
    // From the state or around it, or from inside it to somewhere else.
    return isIn(state, from)
      ? from !== state || transition.reenter || !targets.every((to) => isIn(to, state) && to !== state)
      : isIn(from, state) && targets.some((to) => !isIn(to, state))
  })
}

/** The message of a delayed `raise` or `sendTo` that names it outright. */
function delayedType(action: unknown): string | undefined {
  if (typeof action !== 'function') return undefined
  const { type, delay, event } = action as {
    readonly type?: string
    readonly delay?: unknown
    readonly event?: unknown
  }
  if (delay === undefined || (type !== 'xstate.raise' && type !== 'xstate.sendTo')) return undefined
  const message = (event as { readonly type?: unknown } | undefined)?.type
  // A sendTo leaves qualified by nobody: the receiver's machine sees the command as it is.
  return typeof message === 'string' && !message.startsWith('xstate.') ? message : undefined
}
