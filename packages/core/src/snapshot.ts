// snapshot.ts: our own stored form of an entity, and its validation on the way back.
// A persisted format: `i1:<crc32>:<JSON>`. XState's own persisted snapshot is never stored, and what is read is never
// trusted: XState would accept a forged state value without a word.
import { crc32 } from 'node:zlib'
import type { AnyStateMachine } from 'xstate'
import type { EntityId } from './address.ts'
import { type Configuration, configure, historyIds, orderOfEntry } from './configuration.ts'
import type { Definition } from './entity.ts'
import { checkEnvelope } from './envelope.ts'
import { InterstateError } from './errors.ts'
import { logicOf } from './hostable.ts'
import type { EntityState, Timer } from './state.ts'

const format = 1
const prefix = 'i1:'

interface Stored extends Configuration {
  readonly format: number
  readonly type: string
  readonly machine: string
  readonly structure: string
  readonly entity: EntityId
  readonly incarnation: string
  readonly sequence: number
  readonly now: number
  readonly armed: number
  readonly timers?: Readonly<Record<string, Timer>>
}

/**
 * The stored form of an entity: equal states give equal bytes.
 *
 * @throws InterstateError `NOT_PLAIN_DATA` for a context that JSON can't hold.
 */
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
    history: historyIds(snapshot),
    entered: orderOfEntry(snapshot),
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
  const drift =
    stored.structure === definition.structure ? '' : '; the machine had other states then: give it a new version'
  return {
    entity,
    incarnation: stored.incarnation,
    sequence: stored.sequence,
    now: stored.now,
    armed: stored.armed,
    snapshot: configure(definition.machine, stored, (why) => unreadable(entity, `${why}${drift}`)),
    timers: stored.timers ?? {},
    running: stored.running ?? {},
  }
}

/** The version of a machine, as stored: its `version`, or `1`. */
export function machineVersion(machine: AnyStateMachine): string {
  return String(machine.version ?? 1)
}

function parse(text: string, entity: EntityId): Stored {
  if (!text.startsWith('i')) throw unreadable(entity, 'it is not a snapshot')
  if (!text.startsWith(prefix)) throw unknownVersion(entity, `format "${text.slice(0, text.indexOf(':'))}"`)
  const json = text.slice(prefix.length + 9)
  const sum = text.slice(prefix.length, prefix.length + 9)
  // Half a surrogate pair would have the checksum of U+FFFD.
  if (!json.isWellFormed() || sum !== `${checksum(json)}:`) throw unreadable(entity, 'its checksum is wrong')
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

/** Timers and effects stay, but for effects that this version no longer knows: nobody could run them. */
function migrate(definition: Definition, stored: Stored): Stored {
  const { machine, migrate: run } = definition
  const { entity, running = {} } = stored
  if (stored.machine === machineVersion(machine)) return stored
  if (run === undefined) throw unknownVersion(entity, `machine version "${stored.machine}"`)
  const known = Object.entries(running).filter(([, { src }]) => logicOf(machine, src) !== undefined)
  try {
    const { value, context } = run({ version: stored.machine, value: stored.value, context: stored.context })
    const renewed = JSON.parse(JSON.stringify({ value, context })) as Pick<Stored, 'value' | 'context'>
    if (!isRecord(renewed.context)) throw new TypeError('it gave no context')
    const { entered: _, ...rest } = stored
    return { ...rest, ...renewed, structure: definition.structure, history: {}, running: Object.fromEntries(known) }
  } catch (cause) {
    throw unreadable(entity, `its migration from version "${stored.machine}" failed: ${String(cause)}`, cause)
  }
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
