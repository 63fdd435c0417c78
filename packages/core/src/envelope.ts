// envelope.ts: a message on its way: what is sent, from whom, to whom, because of what.
import type { EntityId, HostId, MessageId } from './address.ts'
import { isReserved } from './contract.ts'
import { InterstateError } from './errors.ts'
import type { IdempotencyKey } from './idempotency.ts'
import { contextLimits, type Plain, type PlainObject, plainCopy } from './plain.ts'

/** Who sent a message: an entity, or a client outside. */
export type Sender = EntityId | 'client'

/**
 * What a message is.
 * - `command`: to one entity. `event`: a fact, to one of its followers. `reply`: to whoever sent the message handled.
 * - `internal`: from an entity to itself. `timeout`: a timer of the entity is due. `result`: an effect has ended.
 */
export type MessageKind = 'command' | 'event' | 'reply' | 'internal' | 'timeout' | 'result'

/** Whom a reply goes to. */
export interface Asker {
  readonly from: Sender
  /** The message that is answered. */
  readonly message: MessageId
  /** Under which a client's message is registered. */
  readonly key?: IdempotencyKey | undefined
  /** The host at which a client waits for the answer. */
  readonly via?: HostId | undefined
}

/** A message and all that is known of its way. Plain data; its JSON is a persisted format. */
export interface Envelope {
  readonly id: MessageId
  readonly kind: MessageKind
  readonly to: EntityId
  readonly from: Sender
  /** As the receiving machine sees it: `Charge` for an own command, `payment.Charged` for another contract's event. */
  readonly type: string
  readonly data: PlainObject
  /** The message at the beginning of this chain. */
  readonly correlationId: MessageId
  /** The message whose turn sent this one; its own id at the beginning of a chain. */
  readonly causationId: MessageId
  /** Milliseconds since 1970, by the sender's clock. */
  readonly created: number
  /** Version of the contract it was made by. */
  readonly contractVersion: number
  /** Not to be handled before this time, in milliseconds since 1970. */
  readonly notBefore?: number | undefined
  /** Whom a reply goes to where that isn't the sender of this very message. */
  readonly asker?: Asker | undefined
  readonly key?: IdempotencyKey | undefined
  /** The host at which a client waits for the answer, which need not be the one that handles the message. */
  readonly via?: HostId | undefined
  /** The sender's own: tracing ids and the like. Handed on to what follows from the message. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Whom a reply to this message goes to. */
export function askerOf(envelope: Envelope): Asker | undefined {
  if (envelope.asker !== undefined) return envelope.asker
  if (envelope.kind === 'timeout' || envelope.kind === 'result' || envelope.kind === 'internal') return undefined
  return {
    from: envelope.from,
    message: envelope.id,
    key: envelope.key,
    ...(envelope.via === undefined ? {} : { via: envelope.via }),
  }
}

/** What an envelope takes over from the message that caused it. */
export function follow(cause: Envelope): Pick<Envelope, 'correlationId' | 'causationId' | 'headers'> {
  return { correlationId: cause.correlationId, causationId: cause.id, headers: cause.headers }
}

/** The stored form of a message. */
export function encodeEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelope)
}

const kinds: ReadonlySet<unknown> = new Set(['command', 'event', 'reply', 'internal', 'timeout', 'result'])

/**
 * A message from its stored form. Rows are a door like any other: nothing that comes out of a store is trusted.
 *
 * @throws InterstateError `MESSAGE_UNREADABLE` for a damaged or unknown form; `MESSAGE_RESERVED` for a forged type.
 */
export function decodeEnvelope(body: string): Envelope {
  let stored: Plain
  try {
    stored = plainCopy(JSON.parse(body), 'stored message', contextLimits)
  } catch (cause) {
    throw new InterstateError('MESSAGE_UNREADABLE', 'A stored message is not plain JSON.', {}, { cause })
  }
  return checkEnvelope(stored)
}

/**
 * Checks that plain data is a message, in all its parts. A door that lets in what this refuses would store what nobody
 * can read again.
 *
 * @throws InterstateError `MESSAGE_UNREADABLE`; `MESSAGE_RESERVED` for a forged type.
 */
export function checkEnvelope(stored: unknown): Envelope {
  const envelope = (isRecord(stored) ? stored : {}) as Partial<Envelope>
  const { id, to, from, type, correlationId, causationId, kind, data, created, contractVersion } = envelope
  const { notBefore, asker, key, via, headers } = envelope
  const fits =
    [id, to, from, type, correlationId, causationId].every(isText) &&
    [created, contractVersion].every(Number.isFinite) &&
    kinds.has(kind) &&
    isRecord(data) &&
    (notBefore === undefined || Number.isFinite(notBefore)) &&
    (asker === undefined ||
      (isRecord(asker) &&
        isText(asker.from) &&
        isText(asker.message) &&
        isTextOrNone(asker.key) &&
        isTextOrNone(asker.via))) &&
    isTextOrNone(key) &&
    isTextOrNone(via) &&
    (headers === undefined || (isRecord(headers) && Object.values(headers).every(isText)))
  if (!fits) {
    const what = 'A message lacks a field, or has one that is malformed.'
    throw new InterstateError('MESSAGE_UNREADABLE', what, { id, kind })
  }
  for (const each of [type, data.type]) {
    if (typeof each === 'string' && isReserved(each)) {
      throw new InterstateError('MESSAGE_RESERVED', `"${each}" is XState's own.`, { id, type: each })
    }
  }
  return envelope as Envelope
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isTextOrNone = (value: unknown): boolean => value === undefined || isText(value)

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
