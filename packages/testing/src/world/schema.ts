// schema.ts: values that fit a schema, from the JSON Schema that its library gives of it (Standard JSON Schema).
import fc, { type Arbitrary } from 'fast-check'
import { WorldError } from '../failure/error.ts'

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema | false
  readonly prefixItems?: readonly JsonSchema[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly minItems?: number
  readonly maxItems?: number
}

interface WithJsonSchema {
  readonly '~standard'?: {
    readonly jsonSchema?: { readonly input: (options: { readonly target: string }) => unknown }
  }
}

/** Texts that are used as keys, too, so that messages meet. */
const texts = ['1', '2', 'x']

/**
 * Payloads that fit a schema; small ones come first. What JSON Schema can't say is left to the schema itself.
 *
 * @throws WorldError `STIMULI_MISSING` where the library gives no JSON Schema of it.
 */
export function arbitraryOf(schema: unknown, what: string): Arbitrary<Readonly<Record<string, unknown>>> {
  const describe = (schema as WithJsonSchema)['~standard']?.jsonSchema
  try {
    if (describe === undefined) throw new Error('its library gives no JSON Schema')
    return valuesOf(describe.input({ target: 'draft-2020-12' }) as JsonSchema) as Arbitrary<Record<string, unknown>>
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new WorldError('STIMULI_MISSING', `Nothing can be derived from the schema of ${what}: ${why}.`, { cause })
  }
}

function valuesOf(schema: JsonSchema): Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices !== undefined) return fc.oneof(...choices.map(valuesOf))
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type: string) => valuesOf({ ...schema, type })))
  switch (schema.type) {
    case 'object':
      return objectOf(schema)
    case 'array':
      return arrayOf(schema)
    case 'string':
      return textOf(schema)
    case 'integer':
    case 'number':
      return numberOf(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case undefined:
      return fc.constantFrom<unknown>(...texts, 0, 1)
    default:
      throw new Error(`it has type "${String(schema.type)}"`)
  }
}

function objectOf({ properties = {}, required = [] }: JsonSchema): Arbitrary<unknown> {
  const values = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, valuesOf(each)]))
  return fc.record(values, { requiredKeys: [...required] })
}

function arrayOf({ items, prefixItems, minItems = 0, maxItems = minItems + 2 }: JsonSchema): Arbitrary<unknown> {
  if (prefixItems !== undefined) return fc.tuple(...prefixItems.map(valuesOf))
  if (items === false) return fc.constant([])
  return fc.array(valuesOf(items ?? {}), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 3) })
}

/** Few and small: a limit and its neighbours are where machines go wrong. */
function numberOf(schema: JsonSchema): Arbitrary<unknown> {
  const { exclusiveMinimum, exclusiveMaximum, type } = schema
  const step = type === 'integer' ? 1 : 0.5
  const least = schema.minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + step)
  const most = schema.maximum ?? (exclusiveMaximum === undefined ? undefined : exclusiveMaximum - step)
  const from = least !== undefined && least > Number.MIN_SAFE_INTEGER ? least : Math.min(0, most ?? 0)
  // The largest number that is exact is nobody's choice; two of them have no sum.
  const limit = most === Number.MAX_SAFE_INTEGER ? undefined : most
  const candidates = [from, from + 1, from + 9, from + 99, limit]
  const fitting = candidates.filter((each) => each !== undefined && each >= from && each <= (most ?? Infinity))
  return fc.constantFrom(...new Set(fitting))
}

function textOf({ pattern, format, minLength = 0, maxLength = minLength + 8 }: JsonSchema): Arbitrary<unknown> {
  switch (format) {
    case 'uuid':
      return fc.uuid()
    case 'email':
      return fc.emailAddress()
    case 'uri':
      return fc.webUrl()
    case 'date-time':
      return fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-06-30T12:00:00.000Z')
    case 'date':
      return fc.constantFrom('2026-01-01', '2026-06-30')
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern))
  const fitting = texts.filter(({ length }) => length >= minLength && length <= maxLength)
  return fitting.length > 0 ? fc.constantFrom(...fitting) : fc.string({ minLength, maxLength })
}
