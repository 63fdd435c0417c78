// plain.ts: freezes what a machine keeps, and finds what its own JSON would not give back.

/** Objects that are frozen in all their depth and plain: most of a context is that of the turn before. */
const settled = new WeakSet<object>()

/**
 * Freezes a value in all its depth.
 *
 * @returns What JSON would lose of it, and where: `NaN in context.total`; `undefined` where it loses nothing. A property
 * that is `undefined` counts as none.
 */
export function settle(value: unknown, place: string): string | undefined {
  const found = lossIn(value, [])
  return found === undefined ? undefined : `${found.what} in ${place}${found.path.join('')}`
}

/** Freezes plain data in all its depth, and leaves anything else alone. */
export function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (!Array.isArray(value) && !isRecord(value)) return
  Object.freeze(value)
  for (const item of Object.values(value)) freeze(item)
}

interface Loss {
  readonly what: string
  readonly path: string[]
}

function lossIn(value: unknown, above: readonly object[]): Loss | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return lostNumber(value)
    case 'object':
      if (value === null || settled.has(value)) return undefined
      return lossOf(value, above)
    case 'undefined':
      return { what: 'undefined', path: [] }
    default:
      return { what: `a ${typeof value}`, path: [] }
  }
}

function lostNumber(value: number): Loss | undefined {
  if (!Number.isFinite(value)) return { what: String(value), path: [] }
  return Object.is(value, -0) ? { what: '-0', path: [] } : undefined
}

function lossOf(value: object, above: readonly object[]): Loss | undefined {
  // Core refuses a live actor by a better name.
  if ('xstate$$type' in value) return undefined
  if (above.includes(value)) return { what: 'a cycle', path: [] }
  const items = Array.isArray(value)
  if (!items && !isRecord(value)) return { what: `an instance of ${value.constructor?.name ?? 'a class'}`, path: [] }
  const loss = lostForm(value) ?? lossOfParts(value, items, [...above, value])
  if (loss !== undefined) return loss
  Object.freeze(value)
  settled.add(value)
  return undefined
}

/** What JSON leaves out without a word. */
function lostForm(value: object): Loss | undefined {
  if (Object.getOwnPropertySymbols(value).length > 0) return { what: 'a property named by a symbol', path: [] }
  const names = Object.getOwnPropertyNames(value)
  const keys = Object.keys(value)
  if (!Array.isArray(value)) {
    return names.length === keys.length ? undefined : { what: 'a property that is not enumerable', path: [] }
  }
  if (names.length > value.length + 1) return { what: 'an array with properties of its own', path: [] }
  return keys.length < value.length ? { what: 'an array with holes', path: [] } : undefined
}

function lossOfParts(value: object, items: boolean, above: readonly object[]): Loss | undefined {
  for (const key of Object.keys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)
    const segment = items ? `[${key}]` : `.${key}`
    if (descriptor?.get !== undefined) return { what: 'a getter', path: [segment] }
    const item: unknown = descriptor?.value
    if (item === undefined && !items) continue
    const loss = lossIn(item, above)
    if (loss !== undefined) return { what: loss.what, path: [segment, ...loss.path] }
  }
  return undefined
}

function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
