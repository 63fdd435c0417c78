// envelopes.ts: any message that a store may meet, for properties of drivers.
import {
  type EntityId,
  type Envelope,
  encodeEnvelope,
  entityId,
  type MessageId,
  type PlainObject,
  plainCopy,
  type StoredMessage,
  shardOf,
} from '@interstate/core'
import fc from 'fast-check'

/** Texts that have hurt a database before: quotes, zeros, direction marks, emoji, what looks like JSON or SQL. */
const awkward = ["'", '"', '\\', '\u0000', '\u2028', '\ufeff', '😀', '{}', 'null', "'; drop table inbox; --", '%', '_']

/** Any well-formed text, awkward ones often. */
const texts: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(...awkward) },
)

/** Any entity that has a name: awkward keys, some with a tenant. */
export const entityIds: fc.Arbitrary<EntityId> = fc
  .record({
    type: fc.constantFrom('order', 'payment', 'a.b', 'x-1'),
    key: fc.oneof(fc.nat(9).map(String), texts.filter(isKey)),
    tenant: fc.option(texts.filter(isKey), { nil: undefined, freq: 4 }),
  })
  .map(({ type, key, tenant }) => entityId(type, key, tenant))

/** Any id of a message: drawn by a client, derived from a turn, or of a timer. */
export const messageIds: fc.Arbitrary<MessageId> = fc
  .oneof(
    fc.string({ minLength: 21, maxLength: 21, unit: fc.constantFrom(...'0123456789ABCDEFabcdef_-') }),
    fc
      .tuple(fc.base64String({ minLength: 20, maxLength: 20 }), fc.integer({ min: 1, max: 99 }))
      .map((parts) => parts.join('-')),
    fc.tuple(entityIds, texts, fc.nat(9)).map((parts) => parts.join('#')),
  )
  .map((id) => id as MessageId)

/** Any payload: plain data of some depth. */
const payloads: fc.Arbitrary<PlainObject> = fc
  .dictionary(
    texts.filter((name) => name !== 'type'),
    fc.jsonValue({ maxDepth: 3 }),
    { maxKeys: 5 },
  )
  .map((data) => JSON.parse(JSON.stringify(data)) as PlainObject)
  .filter(isPlain)

const senders = fc.oneof(fc.constant('client' as const), entityIds)
const times = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) })

/**
 * Any message: of every kind, with every optional part there or not, its payload plain data with awkward texts. What it
 * gives passes `checkEnvelope`, and comes out of `decodeEnvelope` as it went into `encodeEnvelope`.
 *
 * @example
 * ```ts
 * fc.assert(fc.property(envelopes, (envelope) => isDeepStrictEqual(unpack(pack(envelope)), envelope)))
 * ```
 */
export const envelopes: fc.Arbitrary<Envelope> = fc.record(
  {
    id: messageIds,
    kind: fc.constantFrom('command', 'event', 'reply', 'internal', 'timeout', 'result'),
    to: entityIds,
    from: senders,
    type: fc.constantFrom('Charge', 'payment.Charged', 'timeout', 'result', 'Über.größe'),
    data: payloads,
    correlationId: messageIds,
    causationId: messageIds,
    created: times,
    contractVersion: fc.integer({ min: 1, max: 9 }),
    notBefore: times,
    asker: fc.record({ from: senders, message: messageIds }, { noNullPrototype: true }),
    key: fc.tuple(times, fc.nat(99)).map(([at, name]) => `${at}~${name}` as NonNullable<Envelope['key']>),
    headers: fc
      .dictionary(texts, texts, { maxKeys: 3 })
      .map((headers) => ({ ...headers }))
      .filter(isPlain),
  },
  {
    requiredKeys: [
      'id',
      'kind',
      'to',
      'from',
      'type',
      'data',
      'correlationId',
      'causationId',
      'created',
      'contractVersion',
    ],
    noNullPrototype: true,
  },
)

/**
 * Any message at rest: an envelope in its stored form, with the shard of its receiver.
 *
 * @param shards - P of the store that it is for.
 */
export function storedMessages(shards: number): fc.Arbitrary<StoredMessage> {
  return envelopes.map((envelope) => {
    const { id, to } = envelope
    return { id, to, shard: shardOf(to, shards), body: encodeEnvelope(envelope) }
  })
}

/** Names that would reach a prototype are refused at every door. */
function isPlain(data: object): boolean {
  try {
    plainCopy(data, 'payload')
    return true
  } catch {
    return false
  }
}

function isKey(text: string): boolean {
  try {
    entityId('any', text)
    return true
  } catch {
    return false
  }
}
