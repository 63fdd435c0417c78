// snapshot.ts: our own stored form of an entity, and its validation on the way back.
// A persisted format: `i1:<crc32>:<JSON>`. XState's own persisted snapshot is never stored, and what is read is never
// trusted: XState would accept a forged state value without a word.
import { crc32 } from 'node:zlib'
import { type AnyMachineSnapshot, type AnyStateMachine, type AnyStateNode, createActor } from 'xstate'
import type { EntityId } from './address.ts'
import type { Definition } from './entity.ts'
import { InterstateError } from './errors.ts'
import { logicOf } from './hostable.ts'
import { contextLimits, type Plain, type PlainObject, plainCopy } from './plain.ts'
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
  const nodes = checkValue(machine.root, stored.value, entity)
  const done = nodes.some((node) => node.parent === machine.root && node.type === 'final')
  if (machine.root.type === 'compound' && done !== (stored.status === 'done')) {
    throw unreadable(entity, `its status "${stored.status}" does not fit its state`)
  }
  const running = stored.running ?? {}
  const snapshot = machine.resolveState({
    value: stored.value as never,
    context: plainCopy(stored.context, `context of ${entity}`, contextLimits) as never,
    status: stored.status as never,
    output: stored.output as never,
    historyValue: reviveHistory(machine, stored.history ?? {}, entity) as never,
  }) as AnyMachineSnapshot
  return {
    entity,
    incarnation: stored.incarnation,
    sequence: stored.sequence,
    now: stored.now,
    armed: stored.armed,
    snapshot: { ...snapshot, children: reviveChildren(machine, running, entity) } as AnyMachineSnapshot,
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
  if (text.slice(prefix.length, prefix.length + 9) !== `${checksum(json)}:`)
    throw unreadable(entity, 'its checksum is wrong')
  let stored: Stored
  try {
    stored = plainCopy(JSON.parse(json), `snapshot of ${entity}`, contextLimits) as unknown as Stored
  } catch (cause) {
    throw unreadable(entity, 'it is not plain JSON', cause)
  }
  if (stored.format !== format) throw unknownVersion(entity, `format ${stored.format}`)
  const shape =
    stored.entity === entity &&
    typeof stored.incarnation === 'string' &&
    [stored.sequence, stored.now, stored.armed].every(Number.isFinite) &&
    (stored.status === 'active' || stored.status === 'done') &&
    isRecord(stored.context) &&
    [stored.history, stored.timers, stored.running].every((part) => part === undefined || isRecord(part))
  if (!shape) throw unreadable(entity, 'a field is missing, malformed or of another entity')
  return stored
}

function migrate(definition: Definition, stored: Stored): Stored {
  const version = machineVersion(definition.machine)
  if (stored.machine === version) return stored
  if (definition.migrate === undefined) throw unknownVersion(stored.entity, `machine version "${stored.machine}"`)
  const old = { version: stored.machine, value: stored.value, context: stored.context }
  const { value, context } = definition.migrate(old)
  return { ...stored, value: value as Plain, context, history: {} }
}

/** Checks that a state value is a whole configuration of the machine; its nodes come back. */
function checkValue(node: AnyStateNode, value: unknown, entity: EntityId): AnyStateNode[] {
  const bad = (): InterstateError => unreadable(entity, `its state ${JSON.stringify(value)} is not one of "${node.id}"`)
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
        return [node, leaf]
      }
      const [key, ...more] = isRecord(value) ? Object.keys(value) : []
      if (key === undefined || more.length > 0) throw bad()
      return [node, ...checkValue(child(key), (value as Record<string, unknown>)[key], entity)]
    }
    case 'parallel': {
      if (!isRecord(value)) throw bad()
      const regions = Object.values(node.states as Record<string, AnyStateNode>).filter(
        (each) => each.type !== 'history',
      )
      if (Object.keys(value).length !== regions.length) throw bad()
      return [node, ...regions.flatMap((region) => checkValue(region, value[region.key], entity))]
    }
    default:
      if (!isRecord(value) || Object.keys(value).length > 0) throw bad()
      return [node]
  }
}

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
  const node = (id: string): AnyStateNode => {
    const found = nodes.get(id)
    if (found === undefined) throw unreadable(entity, `its history names a state "${id}" that does not exist`)
    return found
  }
  return Object.fromEntries(Object.entries(stored).map(([id, ids]) => [node(id).id, ids.map(node)]))
}

/** Children that are never started: XState finds them when a state that invoked them is left. */
function reviveChildren(machine: AnyStateMachine, running: Readonly<Record<string, RunningEffect>>, entity: EntityId) {
  const children: Record<string, unknown> = {}
  for (const [id, { src, input }] of Object.entries(running)) {
    const logic = logicOf(machine, src)
    if (logic === undefined) throw unreadable(entity, `its effect "${src}" does not exist`)
    children[id] = createActor(logic, { id, src, input, parent: scope.self as never })
  }
  return children
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
