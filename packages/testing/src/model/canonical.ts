// canonical.ts: entities and messages as texts that are equal where nothing that can happen from there differs.
import { type Definition, type EntityId, type EntityState, type Envelope, encodeSnapshot } from '@interstate/core'
import type { Assumptions } from './assumptions.ts'

/** What decides which texts are equal. */
export interface Canon {
  readonly assumptions: Assumptions
  readonly abstractions: ReadonlyMap<string, (context: never) => unknown>
  /** Whether property names are put in order: keys that may be exchanged stand in them, too. */
  readonly sorts: boolean
}

interface Stored {
  readonly value: unknown
  readonly context: unknown
  readonly timers?: Readonly<Record<string, StoredTimer>>
  readonly running?: Readonly<Record<string, { readonly key: string; readonly src: string; readonly input: unknown }>>
  readonly [field: string]: unknown
}
interface StoredTimer {
  readonly due: number
  readonly generation: number
  readonly raise?: unknown
  readonly send?: Envelope
  readonly asker?: { readonly from: string }
}

const headLength = 'i1:00000000:'.length
/** Ids that a turn gave out: `sendTo` and `raise` without an id of their own. */
const derivedId = /^[\w-]{20}-\d+$/

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
    abstraction === undefined ? context : abstraction(context as never),
    [status, output, history, entered, parked],
    byDue(timers).map(([id, { due, raise, send, asker }]) => [
      !assumptions.identity && derivedId.test(id) ? '' : id,
      time(due),
      send === undefined ? raise : messageParts(assumptions, send),
      asker?.from,
    ]),
    Object.entries(running)
      .toSorted(([one], [two]) => (one < two ? -1 : 1))
      .map(([id, { key, src, input }]) => [id, src, input, assumptions.identity ? key : '']),
    assumptions.identity ? stored.incarnation : '',
  ])
}

/** A message under way. */
export function messageText(canon: Canon, message: Envelope): string {
  return write(canon, messageParts(canon.assumptions, message))
}

/** Plain data, canonical. */
export function plainText(canon: Pick<Canon, 'sorts'>, value: unknown): string {
  return write(canon, value)
}

/** The same text with keys exchanged, in addresses and wherever a text is just the key. */
export function renamed(text: string, names: ReadonlyMap<string, string>): string {
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return names.get(value) ?? value
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(rename)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [names.get(key) ?? key, rename(item)]))
  }
  return write({ sorts: true }, rename(JSON.parse(text)))
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

function write({ sorts }: Pick<Canon, 'sorts'>, value: unknown): string {
  return JSON.stringify(value, sorts ? sorted : undefined)
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1)))
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
