// json.ts: what an item is made of.

/** Any value that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** See {@link Json}. */
export interface JsonObject {
  readonly [property: string]: Json
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path of property names, `undefined` where there is none. */
export function valueAt(root: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = root
  for (const step of path) {
    if (typeof step === 'number') value = Array.isArray(value) ? value[step] : undefined
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
  }
  return value
}

/** Whether two values are the same JSON, whatever the order of their properties. */
export function isSame(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => isSame(value, right[index]))
  }
  if (!isObject(left) || !isObject(right)) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => isSame(left[name], right[name]))
}

/** Bytes of a text on the wire. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}
