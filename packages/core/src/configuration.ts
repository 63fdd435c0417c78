// configuration.ts: which states of its machine an entity is in, by the names that are stored, and back.
// XState takes any value, history and children that it is given; here they must be some that the machine could reach.
import { type AnyMachineSnapshot, type AnyStateMachine, type AnyStateNode, createActor } from 'xstate'
import type { InterstateError } from './errors.ts'
import { logicOf } from './hostable.ts'
import type { Plain, PlainObject } from './plain.ts'
import { scope } from './scope.ts'
import type { RunningEffect } from './state.ts'
import { statesOf } from './structure.ts'

/** What is stored of XState's snapshot. */
export interface Configuration {
  readonly status: 'active' | 'done'
  readonly value: Plain
  readonly context: PlainObject
  readonly output?: Plain
  readonly history?: Readonly<Record<string, readonly string[]>>
  /** Of its states in the machine's order, which was entered first, second, …; absent where that is the same order. */
  readonly entered?: readonly number[]
  readonly running?: Readonly<Record<string, RunningEffect>>
}

/** The error for a configuration that the machine can't have. */
export type Unfit = (why: string) => InterstateError

/** The states that left states remember, by id. */
export function historyIds({ historyValue }: AnyMachineSnapshot): Record<string, string[]> | undefined {
  const entries = Object.entries(historyValue)
  if (entries.length === 0) return undefined
  return Object.fromEntries(entries.map(([id, nodes]) => [id, nodes.map((node) => node.id)]))
}

/**
 * In parallel states the order of entry has a meaning: XState lets eventless transitions run in it. `undefined` where it
 * is the machine's own order.
 */
export function orderOfEntry({ status, _nodes: nodes }: AnyMachineSnapshot): readonly number[] | undefined {
  const isOwnOrder = nodes.every(({ order }, index) => index === 0 || order > (nodes[index - 1] as AnyStateNode).order)
  if (isOwnOrder || status !== 'active') return undefined
  const sorted = nodes.toSorted(byOrder)
  return nodes.map((node) => sorted.indexOf(node))
}

/**
 * XState's snapshot of a stored configuration.
 *
 * @throws What `unfit` makes, where the machine can't have it.
 */
export function configure(machine: AnyStateMachine, stored: Configuration, unfit: Unfit): AnyMachineSnapshot {
  checkValue(machine.root, stored.value, unfit)
  const snapshot = machine.resolveState({
    value: stored.value as never,
    context: stored.context as never,
    status: 'active',
    output: stored.output as never,
    historyValue: (stored.history === undefined ? {} : reviveHistory(machine, stored.history, unfit)) as never,
  }) as AnyMachineSnapshot
  if (snapshot.status !== stored.status) throw unfit(`its status "${stored.status}" does not fit its state`)
  return {
    ...snapshot,
    _nodes: inOrderOfEntry(snapshot._nodes, stored.entered, unfit),
    children: reviveChildren(machine, stored.running ?? {}, unfit),
  } as AnyMachineSnapshot
}

/** A state value must be a whole configuration, all regions of parallel states included. */
function checkValue(node: AnyStateNode, value: unknown, unfit: Unfit): void {
  const bad = (): InterstateError => unfit(`its state ${JSON.stringify(value)} is not one of "${node.id}"`)
  const child = (key: string): AnyStateNode => {
    const found = Object.hasOwn(node.states, key) ? (node.states as Record<string, AnyStateNode>)[key] : undefined
    if (found === undefined || found.type === 'history') throw bad()
    return found
  }
  switch (node.type) {
    case 'compound': {
      if (typeof value === 'string') {
        if (!isLeaf(child(value))) throw bad()
        return
      }
      const [entry, ...more] = isRecord(value) ? Object.entries(value) : []
      if (entry === undefined || more.length > 0) throw bad()
      checkValue(child(entry[0]), entry[1], unfit)
      return
    }
    case 'parallel': {
      const regions = Object.values(node.states as Record<string, AnyStateNode>).filter(
        ({ type }) => type !== 'history',
      )
      if (!isRecord(value) || Object.keys(value).length !== regions.length) throw bad()
      for (const { key } of regions) checkValue(child(key), Object.hasOwn(value, key) ? value[key] : undefined, unfit)
      return
    }
    default:
      if (!isRecord(value) || Object.keys(value).length > 0) throw bad()
  }
}

type HistoryValue = AnyMachineSnapshot['historyValue']

function reviveHistory(
  machine: AnyStateMachine,
  stored: NonNullable<Configuration['history']>,
  unfit: Unfit,
): HistoryValue {
  const nodes = new Map(statesOf(machine.root).map((node) => [node.id, node]))
  const revive = ([id, ids]: [string, readonly string[]]): [string, AnyStateNode[]] => {
    const history = nodes.get(id)
    const remembered = ids.map((each) => nodes.get(each)).filter((node) => node !== undefined)
    const isWhole = remembered.length > 0 && remembered.length === ids.length
    if (history?.type !== 'history' || !isWhole || !couldRemember(history, remembered)) {
      throw unfit(`its history "${id}" names states that it can't remember`)
    }
    return [id, remembered]
  }
  return Object.fromEntries(Object.entries(stored).map(revive))
}

/** Shallow history remembers children, deep history leaves; of a compound state never more than one child. */
function couldRemember({ history, parent }: AnyStateNode, remembered: readonly AnyStateNode[]): boolean {
  const chosen = new Map<AnyStateNode, AnyStateNode>()
  return remembered.every((node) => {
    if (history === 'deep' ? !isLeaf(node) : node.parent !== parent || node.type === 'history') return false
    for (let each = node; each !== parent; each = each.parent) {
      if (each.parent === undefined) return false
      if (each.parent.type !== 'compound') continue
      if ((chosen.get(each.parent) ?? each) !== each) return false
      chosen.set(each.parent, each)
    }
    return true
  })
}

function inOrderOfEntry(
  nodes: readonly AnyStateNode[],
  entered: Configuration['entered'],
  unfit: Unfit,
): readonly AnyStateNode[] {
  const sorted = nodes.toSorted(byOrder)
  const places = entered ?? sorted.map((_, place) => place)
  const isOrder = places.length === sorted.length && sorted.every((_, place) => places.includes(place))
  if (!isOrder) throw unfit('its order of entry is none of its states')
  return places.map((place) => sorted[place] as AnyStateNode)
}

/** Children that are never started: XState finds them when a state that invoked them is left. */
function reviveChildren(
  machine: AnyStateMachine,
  running: NonNullable<Configuration['running']>,
  unfit: Unfit,
): AnyMachineSnapshot['children'] {
  const revive = ([id, { src, input }]: [string, RunningEffect]) => {
    const logic = logicOf(machine, src)
    if (logic === undefined) throw unfit(`its effect "${src}" does not exist`)
    return [id, createActor(logic, { id, src, input, parent: scope.self as never })]
  }
  return Object.fromEntries(Object.entries(running).map(revive))
}

const isLeaf = ({ type }: AnyStateNode): boolean => type === 'atomic' || type === 'final'
const byOrder = (one: AnyStateNode, two: AnyStateNode): number => one.order - two.order

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
