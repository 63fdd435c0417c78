// snapshot.ts: our own stored form of an entity, and its validation on the way back.
// A persisted format: `i1:<crc32>:<JSON>`. XState's own persisted snapshot is never stored, and what is read is never
// trusted: XState would accept a forged state value without a word.
import { crc32 } from 'node:zlib'
import { type AnyMachineSnapshot, type AnyStateMachine, type AnyStateNode, createActor } from 'xstate'
import type { EntityId } from './address.ts'
import type { Definition } from './entity.ts'
import { checkEnvelope } from './envelope.ts'
import { InterstateError } from './errors.ts'
import { logicOf } from './hostable.ts'
import { type Plain, type PlainObject, plainCopy } from './plain.ts'
import { scope } from './scope.ts'
import type { EntityState, RunningEffect, Timer } from './state.ts'
import { statesOf } from './structure.ts'

const format = 1
const prefix = 'i1:'

interface Stored {
  readonly format: number
  readonly type: string
  readonly machine: string
  readonly structure: string
  readonly entity: EntityId
  readonly incarnation: string
  readonly sequence: number
  readonly now: number
  readonly armed: number
  readonly status: 'active' | 'done'
  readonly value: Plain
  readonly context: PlainObject
  readonly output?: Plain
  readonly history?: Readonly<Record<string, readonly string[]>>
  /** Of the leaves in the machine's order, which was entered first, second, …; absent where that is the same order. */
  readonly entered?: readonly number[]
  readonly timers?: Readonly<Record<string, Timer>>
  readonly running?: Readonly<Record<string, RunningEffect>>
}

/** The stored form of an entity: equal states give equal bytes. */
export function encodeSnapshot(definition: Definition, state: EntityState): string {
  const { snapshot } = state
  const json = toJson(state.entity, {
    format,
    type: definition.name,
    machine: machineVersion(definition.machine),
    structure: definition.structure,
    entity: state.entity,
    incarnation: state.incarnation,
    sequence: state.sequence,
    now: state.now,
    armed: state.armed,
    status: snapshot.status,
    value: snapshot.value,
    context: snapshot.context,
    output: snapshot.output,
    history: isEmpty(snapshot.historyValue) ? undefined : historyIds(snapshot.historyValue),
    entered: snapshot.status === 'active' ? orderOfEntry(snapshot._nodes) : undefined,
    timers: isEmpty(state.timers) ? undefined : state.timers,
    running: isEmpty(state.running) ? undefined : state.running,
  })
  return `${prefix}${checksum(json)}:${json}`
}

function toJson(entity: EntityId, value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    // A bigint or a cycle in the context.
    throw new InterstateError('NOT_PLAIN_DATA', `${entity} keeps what JSON can't hold.`, { entity }, { cause })
  }
}

/**
 * An entity from its stored form.
 *
 * @throws InterstateError `SNAPSHOT_UNREADABLE` when it is damaged, forged or of another machine;
 * `SNAPSHOT_VERSION_UNKNOWN` when this host can't know its version: the entity is held, not poisoned.
 */
export function decodeSnapshot(definition: Definition, entity: EntityId, text: string): EntityState {
  const stored = migrate(definition, parse(text, entity))
  const { machine } = definition
  const drift =
    stored.structure === definition.structure ? '' : '; the machine had other states then: give it a new version'
  checkValue(machine.root, stored.value, entity, drift)
  const snapshot = machine.resolveState({
    value: stored.value as never,
    context: stored.context as never,
    status: 'active',
    output: stored.output as never,
    historyValue: reviveHistory(machine, stored.history ?? {}, entity) as never,
  }) as AnyMachineSnapshot
  if (snapshot.status !== stored.status) {
    throw unreadable(entity, `its status "${stored.status}" does not fit its state`)
  }
  const running = stored.running ?? {}
  return {
    entity,
    incarnation: stored.incarnation,
    sequence: stored.sequence,
    now: stored.now,
    armed: stored.armed,
    snapshot: {
      ...snapshot,
      _nodes: inOrderOfEntry(snapshot._nodes, stored.entered, entity),
      children: reviveChildren(machine, running, entity),
    } as AnyMachineSnapshot,
    timers: stored.timers ?? {},
    running,
  }
}

/** The version of a machine, as stored: its `version`, or `1`. */
export function machineVersion(machine: AnyStateMachine): string {
  return machine.version ?? '1'
}

function parse(text: string, entity: EntityId): Stored {
  if (!text.startsWith('i')) throw unreadable(entity, 'it is not a snapshot')
  if (!text.startsWith(prefix)) throw unknownVersion(entity, `format "${text.slice(0, text.indexOf(':'))}"`)
  const json = text.slice(prefix.length + 9)
  // Half a surrogate pair would have the checksum of U+FFFD.
  if (!json.isWellFormed() || text.slice(prefix.length, prefix.length + 9) !== `${checksum(json)}:`)
    throw unreadable(entity, 'its checksum is wrong')
  let stored: Stored
  try {
    // Not plainCopy: what the machine could keep in memory must come back, whatever its names and its size.
    stored = JSON.parse(json)
  } catch (cause) {
    throw unreadable(entity, 'it is not JSON', cause)
  }
  if (!isRecord(stored)) throw unreadable(entity, 'it is not an object')
  if (stored.format !== format) throw unknownVersion(entity, `format ${stored.format}`)
  if (!hasShape(stored, entity)) throw unreadable(entity, 'a field is missing, malformed or of another entity')
  return stored
}

function hasShape(stored: Stored, entity: EntityId): boolean {
  const { history = {}, entered = [], timers = {}, running = {}, armed } = stored
  return (
    stored.entity === entity &&
    [stored.machine, stored.incarnation].every((text) => typeof text === 'string') &&
    [stored.sequence, stored.now, armed].every((count) => Number.isSafeInteger(count) && count >= 0) &&
    (stored.status === 'active' || stored.status === 'done') &&
    [stored.context, history, timers, running].every(isRecord) &&
    [entered, ...Object.values(history)].every(Array.isArray) &&
    Object.values(timers).every((timer) => isTimer(timer, armed)) &&
    Object.values(running).every(isEffect)
  )
}

function isTimer(timer: unknown, armed: number): boolean {
  if (!isRecord(timer) || !isRecord(timer.cause)) return false
  const { generation, due, raise, send } = timer
  if (!Number.isSafeInteger(generation) || (generation as number) > armed || !Number.isSafeInteger(due)) return false
  return send === undefined ? isRecord(raise) && typeof raise.type === 'string' : isEnvelope(send)
}

function isEnvelope(value: unknown): boolean {
  try {
    return checkEnvelope(value) === value
  } catch {
    return false
  }
}

function isEffect(effect: unknown): boolean {
  if (!isRecord(effect) || !isRecord(effect.cause)) return false
  return typeof effect.key === 'string' && typeof effect.src === 'string' && effect.input !== undefined
}

/** Timers and effects stay; those whose name this version no longer knows never find a taker. */
function migrate(definition: Definition, stored: Stored): Stored {
  const { machine, migrate: run } = definition
  const { entity, running = {} } = stored
  if (stored.machine === machineVersion(machine)) return stored
  if (run === undefined) throw unknownVersion(entity, `machine version "${stored.machine}"`)
  const known = Object.entries(running).filter(([, { src }]) => logicOf(machine, src) !== undefined)
  try {
    const { value, context } = run({ version: stored.machine, value: stored.value, context: stored.context })
    const renewed = plainCopy({ value, context }, `migrated snapshot of ${entity}`, noLimits) as unknown as Stored
    if (!isRecord(renewed.context)) throw new TypeError('migrate gave no context')
    const { entered: _, ...rest } = stored
    return { ...rest, ...renewed, structure: definition.structure, history: {}, running: Object.fromEntries(known) }
  } catch (cause) {
    throw unreadable(entity, `its migration from version "${stored.machine}" failed: ${String(cause)}`, cause)
  }
}

const noLimits = { maxDepth: 1_000, maxNodes: Number.POSITIVE_INFINITY, maxChars: Number.POSITIVE_INFINITY }

/** Checks that a state value is a whole configuration of the machine. */
function checkValue(node: AnyStateNode, value: unknown, entity: EntityId, drift: string): void {
  const bad = (): InterstateError =>
    unreadable(entity, `its state ${JSON.stringify(value)} is not one of "${node.id}"${drift}`)
  const child = (key: string): AnyStateNode => {
    const found = Object.hasOwn(node.states, key) ? (node.states as Record<string, AnyStateNode>)[key] : undefined
    if (found === undefined || found.type === 'history') throw bad()
    return found
  }
  switch (node.type) {
    case 'compound': {
      if (typeof value === 'string') {
        const leaf = child(value)
        if (leaf.type === 'compound' || leaf.type === 'parallel') throw bad()
        return
      }
      const [key, ...more] = isRecord(value) ? Object.keys(value) : []
      if (key === undefined || more.length > 0) throw bad()
      checkValue(child(key), (value as Record<string, unknown>)[key], entity, drift)
      return
    }
    case 'parallel': {
      if (!isRecord(value)) throw bad()
      const regions = Object.values(node.states as Record<string, AnyStateNode>).filter(
        (each) => each.type !== 'history',
      )
      if (Object.keys(value).length !== regions.length) throw bad()
      for (const region of regions) checkValue(region, value[region.key], entity, drift)
      return
    }
    default:
      if (!isRecord(value) || Object.keys(value).length > 0) throw bad()
  }
}

/** XState lets eventless transitions of parallel regions run in the order in which their leaves were entered. */
function orderOfEntry(nodes: readonly AnyStateNode[]): readonly number[] | undefined {
  const leaves = nodes.filter(isLeaf)
  if (leaves.every(({ order }, index) => index === 0 || order > (leaves[index - 1] as AnyStateNode).order))
    return undefined
  const sorted = leaves.toSorted(byOrder)
  return leaves.map((leaf) => sorted.indexOf(leaf))
}

function inOrderOfEntry(
  nodes: readonly AnyStateNode[],
  entered: Stored['entered'],
  entity: EntityId,
): readonly AnyStateNode[] {
  const leaves = nodes.filter(isLeaf).sort(byOrder)
  const order = entered ?? leaves.keys().toArray()
  const places = new Set(order)
  if (
    order.length !== leaves.length ||
    places.size !== leaves.length ||
    !leaves.keys().every((place) => places.has(place))
  )
    throw unreadable(entity, 'its order of entry names leaves that it does not have')
  return [...nodes.filter((node) => !isLeaf(node)), ...order.map((place) => leaves[place] as AnyStateNode)]
}

const isLeaf = ({ type }: AnyStateNode): boolean => type === 'atomic' || type === 'final'
const byOrder = (one: AnyStateNode, two: AnyStateNode): number => one.order - two.order

type HistoryValue = AnyMachineSnapshot['historyValue']

function historyIds(history: HistoryValue): Record<string, string[]> {
  return Object.fromEntries(Object.entries(history).map(([id, nodes]) => [id, nodes.map((node) => node.id)]))
}

function reviveHistory(
  machine: AnyStateMachine,
  stored: NonNullable<Stored['history']>,
  entity: EntityId,
): HistoryValue {
  const nodes = new Map(statesOf(machine.root).map((each) => [each.id, each]))
  const revive = ([id, ids]: [string, readonly string[]]): [string, AnyStateNode[]] => {
    const history = nodes.get(id)
    const remembered = ids.map((each) => nodes.get(each)).filter((node) => node !== undefined)
    const fits =
      history?.type === 'history' &&
      remembered.length > 0 &&
      remembered.length === ids.length &&
      remembered.every((node) => couldRemember(history, node))
    if (!fits) throw unreadable(entity, `its history "${id}" names a state that does not exist there`)
    return [id, remembered]
  }
  return Object.fromEntries(Object.entries(stored).map(revive))
}

function couldRemember({ history, parent }: AnyStateNode, node: AnyStateNode): boolean {
  if (history !== 'deep') return node.parent === parent && node.type !== 'history'
  const within = parent?.path.every((key, index) => node.path[index] === key)
  return within === true && isLeaf(node)
}

/** Children that are never started: XState finds them when a state that invoked them is left. */
function reviveChildren(machine: AnyStateMachine, running: Readonly<Record<string, RunningEffect>>, entity: EntityId) {
  const revive = ([id, { src, input }]: [string, RunningEffect]) => {
    const logic = logicOf(machine, src)
    if (logic === undefined) throw unreadable(entity, `its effect "${src}" does not exist`)
    return [id, createActor(logic, { id, src, input, parent: scope.self as never })]
  }
  return Object.fromEntries(Object.entries(running).map(revive))
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false
  return true
}

function unreadable(entity: EntityId, why: string, cause?: unknown): InterstateError {
  return new InterstateError(
    'SNAPSHOT_UNREADABLE',
    `The snapshot of ${entity} can't be used: ${why}.`,
    { entity, why },
    { cause },
  )
}

function unknownVersion(entity: EntityId, version: string): InterstateError {
  return new InterstateError('SNAPSHOT_VERSION_UNKNOWN', `The snapshot of ${entity} has ${version}.`, {
    entity,
    version,
  })
}
