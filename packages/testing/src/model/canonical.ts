// canonical.ts: entities and messages as texts that are equal where nothing that can happen from there differs.
import {
  type Asker,
  type Definition,
  type EntityId,
  type EntityState,
  type Envelope,
  encodeSnapshot,
  type RunningEffect,
} from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import type { Assumptions } from './assumptions.ts'

/** What decides which texts are equal. */
export interface Canon {
  readonly assumptions: Assumptions
  readonly abstractions: ReadonlyMap<string, (context: never) => unknown>
  /** Keys that may be exchanged: where they are names of properties, their order does not count. */
  readonly exchanged: ReadonlySet<string>
  /** What the ids that turns gave out begin with: `sendTo` and `raise` without an id of their own. */
  readonly stems: Set<string>
}

interface Stored {
  readonly value: unknown
  readonly context: unknown
  readonly timers?: Readonly<Record<string, StoredTimer>>
  readonly running?: Readonly<Record<string, RunningEffect>>
  readonly [field: string]: unknown
}
interface StoredTimer {
  readonly due: number
  readonly generation: number
  readonly raise?: unknown
  readonly send?: Envelope
  readonly asker?: Asker
  readonly cause: unknown
}

const headLength = 'i1:00000000:'.length
const stemLength = 20

/**
 * An entity. Turns counted, causes and generations never matter; ids only where machines ask for them; of times only how
 * long the entity's own timers still run, unless machines look at the clock.
 */
export function entityText(canon: Canon, definition: Definition, state: EntityState, parked: boolean): string {
  const { assumptions } = canon
  const stored = JSON.parse(encodeSnapshot(definition, state).slice(headLength)) as Stored
  const { value, context, status, output, history, entered, timers = {}, running = {} } = stored
  const abstraction = canon.abstractions.get(definition.name)
  const time = (due: number): number => (assumptions.time ? due : Math.max(0, due - state.now))
  return write(canon, [
    state.entity,
    value,
    abstraction === undefined ? context : abstracted(definition.name, abstraction(context as never)),
    [status, output, history, entered, parked],
    byDue(timers).map(([id, { due, raise, send, asker, cause }]) => [
      !assumptions.identity && isDerived(canon, id) ? '' : id,
      time(due),
      send === undefined ? raise : messageParts(assumptions, send),
      askedBy(assumptions, asker),
      assumptions.identity ? cause : '',
    ]),
    Object.entries(running)
      .toSorted(([one], [two]) => (one < two ? -1 : 1))
      .map(([id, { key, src, input, asker, cause }]) => [
        id,
        src,
        input,
        askedBy(assumptions, asker),
        ...(assumptions.identity ? [key, cause] : []),
      ]),
    assumptions.identity ? stored.incarnation : '',
  ])
}

/** Whether a turn gave out an id, and not a person. */
export function isDerived({ stems }: Pick<Canon, 'stems'>, id: string): boolean {
  return stems.has(id.slice(0, stemLength)) && id[stemLength] === '-'
}

function askedBy({ identity }: Assumptions, asker: Asker | undefined): unknown {
  return identity ? asker : asker?.from
}

function abstracted(name: string, kept: unknown): unknown {
  if (kept !== undefined) return kept
  throw new WorldError('WORLD_INVALID', `The abstraction of "${name}" gives nothing: all its contexts would be one.`)
}

/** A message under way. */
export function messageText(canon: Canon, message: Envelope): string {
  return write(canon, messageParts(canon.assumptions, message))
}

/** Plain data, canonical. */
export function plainText(canon: Pick<Canon, 'exchanged'>, value: unknown): string {
  return write(canon, value)
}

/** The same text with keys exchanged, in addresses and wherever a text is just the key. */
export function renamed(text: string, names: ReadonlyMap<string, string>): string {
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return names.get(value) ?? whole(names, value)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(rename)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [names.get(key) ?? key, rename(item)]))
  }
  return write({ exchanged: new Set(names.keys()) }, rename(JSON.parse(text)))
}

/** A key inside a longer text can't be exchanged, and without that two states would pass for one. */
function whole(names: ReadonlyMap<string, string>, text: string): string {
  const parts = text.split(/[^\w]+|_/)
  const key = parts.length > 1 && parts.find((part) => names.has(part))
  if (typeof key !== 'string') return text
  throw new WorldError('SYMMETRY_BROKEN', `The text "${text}" holds the interchangeable key "${key}".`)
}

/** An entity's timers in the order in which they fire. */
export function byDue<T extends { readonly due: number; readonly generation: number }>(
  timers: Readonly<Record<string, T>>,
): [string, T][] {
  return Object.entries(timers).sort(([, one], [, two]) => one.due - two.due || one.generation - two.generation)
}

function messageParts({ identity }: Assumptions, message: Envelope): unknown[] {
  const { kind, to, from, type, data, asker, contractVersion } = message
  const { id, correlationId, causationId, headers } = message
  const who = identity ? [id, correlationId, causationId, headers, asker?.message] : []
  return [kind, to, from, type, data, asker?.from, contractVersion, who]
}

function write({ exchanged }: Pick<Canon, 'exchanged'>, value: unknown): string {
  if (exchanged.size === 0) return JSON.stringify(value)
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    const entries = Object.entries(part)
    if (!entries.some(([name]) => exchanged.has(name))) return part
    return Object.fromEntries(entries.sort(([one], [two]) => (one < two ? -1 : 1)))
  })
}

/** Names to exchange when the keys of a type are taken in another order. */
export function exchange(type: string, keys: readonly string[], order: readonly string[]): Map<string, string> {
  return new Map(
    keys.flatMap((key, index): [string, string][] => {
      const other = order[index] as string
      return [
        [key, other],
        [`${type}/${key}` as EntityId, `${type}/${other}`],
      ]
    }),
  )
}
