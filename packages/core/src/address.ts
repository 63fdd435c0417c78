// address.ts: the identity of an entity, as text that never changes its form.
import { InterstateError } from './errors.ts'

declare const brand: unique symbol
type Branded<T, B extends string> = T & { readonly [brand]: B }

/** `type/key`, or `tenant/type/key`: the persisted name of an entity. Keys and tenants are percent-encoded. */
export type EntityId = Branded<string, 'EntityId'>
/** Identifies one message, forever. */
export type MessageId = Branded<string, 'MessageId'>
/** Identifies one host process. */
export type HostId = Branded<string, 'HostId'>

/** The parts of an {@link EntityId}, decoded. */
export interface Identity {
  readonly tenant: string | undefined
  readonly type: string
  readonly key: string
}

const maxKeyChars = 256
const safe = /^[A-Za-z0-9._~-]+$/
// Braces would move a Redis hash tag, a slash would forge a segment; control characters hide in logs.
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
const refused = /[{}/\u0000-\u001f\u007f]/

/**
 * Builds the persisted name of an entity.
 *
 * @throws InterstateError `ADDRESS_INVALID` for an empty or too long key, or one with `/`, `{`, `}` or a control character.
 */
export function entityId(type: string, key: string, tenant?: string): EntityId {
  const local = `${type}/${encodeSegment(key, 'key', type)}`
  return (tenant === undefined ? local : `${encodeSegment(tenant, 'tenant', type)}/${local}`) as EntityId
}

/**
 * Takes an {@link EntityId} apart.
 *
 * @throws InterstateError `ADDRESS_INVALID` for what {@link entityId} never makes, another spelling of the same key included.
 */
export function parseEntityId(id: EntityId): Identity {
  const [key, type, tenant, ...more] = id.split('/').reverse()
  if (key === undefined || type === undefined || !safe.test(type) || more.length > 0) throw noName(id)
  return { tenant: tenant === undefined ? undefined : decodeSegment(tenant, id), type, key: decodeSegment(key, id) }
}

function encodeSegment(text: string, what: 'key' | 'tenant', type?: string): string {
  if (typeof text === 'string' && text.length <= maxKeyChars && safe.test(text)) return text
  if (typeof text !== 'string' || text.length === 0 || text.length > maxKeyChars || refused.test(text)) {
    throw new InterstateError('ADDRESS_INVALID', `${JSON.stringify(text)} is not a valid ${what}.`, {
      [what]: text,
      type,
    })
  }
  try {
    // encodeURIComponent leaves !'()* alone; they are escaped too, so that one key has one spelling.
    return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  } catch (cause) {
    throw new InterstateError('ADDRESS_INVALID', `The ${what} holds half of a surrogate pair.`, {}, { cause })
  }
}

function decodeSegment(segment: string, id: EntityId): string {
  if (segment.length <= maxKeyChars && safe.test(segment)) return segment
  try {
    const text = decodeURIComponent(segment)
    if (encodeSegment(text, 'key') === segment) return text
  } catch (cause) {
    throw noName(id, cause)
  }
  throw noName(id)
}

function noName(id: EntityId, cause?: unknown): InterstateError {
  return new InterstateError('ADDRESS_INVALID', `"${id}" is not the name of an entity.`, { id }, { cause })
}
