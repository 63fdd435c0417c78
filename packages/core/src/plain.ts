// plain.ts: plain data, the only kind that may cross a door or be stored.
import { InterstateError } from './errors.ts'

/** A JSON value. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain }
/** A JSON object. */
export type PlainObject = { readonly [key: string]: Plain }

/** How large one value may be. */
export interface PlainLimits {
  /** Levels of nesting. */
  readonly maxDepth: number
  /** Values in all: every property and array item counts. */
  readonly maxNodes: number
  /** Characters of all strings and property names together. */
  readonly maxChars: number
}

/** Defaults for a message payload: 32 levels, 10,000 values, 256 Ki characters. */
export const payloadLimits: PlainLimits = { maxDepth: 32, maxNodes: 10_000, maxChars: 262_144 }
/** Defaults for an entity's context: 64 levels, 100,000 values, 1 Mi characters. */
export const contextLimits: PlainLimits = { maxDepth: 64, maxNodes: 100_000, maxChars: 1_048_576 }

// A property of these names would reach the prototype when somebody merges the object later.
const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Rebuilds a value as plain data: what comes out shares nothing with what went in and equals its own JSON round trip.
 *
 * @param value - Anything a caller handed over.
 * @param what - How an error names the value, for example `payload of Charge`.
 * @throws InterstateError `NOT_PLAIN_DATA` for functions, symbols, bigints, class instances, non-finite numbers and
 * property names that reach the prototype; `LIMIT_EXCEEDED` beyond `limits`, and so for a cycle.
 */
export function plainCopy(value: unknown, what: string, limits: PlainLimits = payloadLimits): Plain {
  return new Copier(what, limits).copy(value, 0)
}

/** Rebuilds a message without its type, as {@link plainCopy} does: its payload. */
export function payloadCopy(message: object, what: string, limits: PlainLimits = payloadLimits): Plain {
  return new Copier(what, limits).compound(message, 1, 'type')
}

class Copier {
  readonly #what: string
  readonly #limits: PlainLimits
  #nodes = 0
  #chars = 0

  constructor(what: string, limits: PlainLimits) {
    this.#what = what
    this.#limits = limits
  }

  copy(value: unknown, depth: number): Plain {
    this.#nodes += 1
    if (this.#nodes > this.#limits.maxNodes) throw this.#tooLarge('maxNodes')
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'boolean':
        return value
      case 'number':
        if (!Number.isFinite(value)) throw this.#notPlain(`the number ${value}`)
        return value === 0 ? 0 : value // JSON knows no negative zero.
      case 'object':
        return value === null ? null : this.compound(value, depth + 1)
      default:
        throw this.#notPlain(`a ${typeof value}`)
    }
  }

  /** @param omit - A property to leave out. */
  compound(value: object, depth: number, omit?: string): Plain {
    // A cycle ends here too.
    if (depth > this.#limits.maxDepth) throw this.#tooLarge('maxDepth')
    // Not value.map: it would keep holes, which JSON makes null.
    if (Array.isArray(value)) return Array.from(value, (item: unknown) => this.copy(item ?? null, depth))
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      throw this.#notPlain(`an instance of ${value.constructor?.name ?? 'a class'}`)
    }
    const copy: Record<string, Plain> = {}
    for (const key of Object.keys(value)) {
      if (forbidden.has(key)) throw this.#notPlain(`a property named "${key}"`)
      const item = (value as Record<string, unknown>)[key]
      if (item !== undefined && key !== omit) copy[this.#text(key)] = this.copy(item, depth)
    }
    return copy
  }

  #text(text: string): string {
    this.#chars += text.length
    if (this.#chars > this.#limits.maxChars) throw this.#tooLarge('maxChars')
    return text
  }

  #notPlain(found: string): InterstateError {
    return new InterstateError('NOT_PLAIN_DATA', `The ${this.#what} holds ${found}.`, { what: this.#what, found })
  }

  #tooLarge(limit: keyof PlainLimits): InterstateError {
    const most = this.#limits[limit]
    return new InterstateError('LIMIT_EXCEEDED', `The ${this.#what} exceeds ${limit} = ${most}.`, { limit, most })
  }
}
