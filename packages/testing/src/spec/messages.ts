// messages.ts: makes an envelope of what a spec says, checked as a host would check it at its door.
import {
  type Contract,
  correlate,
  type Definition,
  type EntityId,
  type Envelope,
  entityId,
  type MessageId,
  messageType,
  type PlainObject,
  parseEntityId,
  plainCopy,
  type Sender,
  validate,
} from '@interstate/core'
import { specInvalid } from './failure.ts'
import { neighboursOf } from './system.ts'

/** What is known when a message is made. */
export interface Sending {
  readonly definition: Definition
  /** `undefined`: whom the message finds is the entity of this spec. */
  readonly entity: EntityId | undefined
  readonly tenant: string | undefined
  /** Counts messages: the source of ids. */
  readonly count: number
  readonly now: number
  /** Of each contract, the entity that was last sent a command: a reply comes from it. */
  readonly asked: ReadonlyMap<string, EntityId>
}

/** The key of an entity for which a spec says no other. */
export const defaultKey = 'spec'

interface Addressed {
  readonly kind: 'command' | 'event' | 'reply'
  readonly to: EntityId
  readonly from: Sender
  readonly data: PlainObject
  readonly contractVersion: number
}

/**
 * The envelope of a message.
 *
 * @throws InterstateError What a host would throw: `PAYLOAD_INVALID`, `MESSAGE_UNKNOWN`, `MESSAGE_RESERVED`, …
 * @throws WorldError `SPEC_INVALID` for an event that isn't followed, or that finds another entity.
 */
export function envelopeOf(sending: Sending, message: { readonly type: string }): Envelope {
  const type = messageType(message)
  const id = `message-${sending.count + 1}` as MessageId
  const addressed = type.includes('.') ? fromNeighbour(sending, message, type) : command(sending, message)
  return { id, type, ...addressed, correlationId: id, causationId: id, created: sending.now }
}

function command(sending: Sending, message: object): Addressed {
  const { contract } = sending.definition
  const data = validate(contract, 'command', message)
  return { kind: 'command', to: own(sending), from: 'client', data, contractVersion: contract.version }
}

function fromNeighbour(sending: Sending, message: object, qualified: string): Addressed {
  const { definition, asked, tenant } = sending
  const [name = '', type = ''] = split(qualified)
  const neighbour = [definition.contract, ...neighboursOf(definition)].find((each) => each.name === name)
  if (neighbour === undefined) throw notReceived(definition, qualified)
  if (definition.follows.some((each) => each.contract.name === name && each.event === type)) {
    return event(sending, neighbour, message, type)
  }
  const isReply = type === 'rejected' || Object.hasOwn(neighbour.replies, type)
  if (!isReply || !definition.sends.some((each) => each.name === name)) throw notReceived(definition, qualified)
  const to = own(sending)
  const from = asked.get(name) ?? entityId(name, parseEntityId(to).key, tenant)
  const data = type === 'rejected' ? refusal(neighbour, message) : validate(neighbour, 'reply', { ...message, type })
  return { kind: 'reply', to, from, data, contractVersion: neighbour.version }
}

/** An event finds its saga as in production; it is published by the entity of the same key. */
function event(sending: Sending, contract: Contract, message: object, type: string): Addressed {
  const { definition, entity, tenant } = sending
  const data = validate(contract, 'event', { ...message, type })
  const key = entity === undefined ? defaultKey : parseEntityId(entity).key
  const followed = definition.follows.filter((each) => each.contract.name === contract.name && each.event === type)
  const found = followed.map((each) => correlate({ definition, followed: each }, { key, tenant }, data))
  const to = entity ?? found[0]
  if (to === undefined || !found.includes(to)) {
    const what = `${contract.name}.${type} finds ${found.join(', ')}, and this spec is about ${to}.`
    throw specInvalid(`${what} Name it in the message, or in the spec: spec(definition, { key }).`)
  }
  return {
    kind: 'event',
    to,
    from: entityId(contract.name, parseEntityId(to).key, tenant),
    data,
    contractVersion: contract.version,
  }
}

function refusal(of: Contract, message: object): PlainObject {
  const { type: _, ...data } = plainCopy(message, `payload of ${of.name}.rejected`) as PlainObject
  if (typeof data.command === 'string' && typeof data.reason === 'string') return data
  throw specInvalid(`${of.name}.rejected says which command was refused, and why: { command, reason }.`)
}

function own({ definition, entity, tenant }: Sending): EntityId {
  return entity ?? entityId(definition.name, defaultKey, tenant)
}

function split(qualified: string): readonly string[] {
  const dot = qualified.indexOf('.')
  return [qualified.slice(0, dot), qualified.slice(dot + 1)]
}

function notReceived(definition: Definition, type: string) {
  const events = definition.follows.map(({ contract, event }) => `${contract.name}.${event}`)
  const replies = definition.sends.flatMap(({ name, replies }) =>
    [...Object.keys(replies), 'rejected'].map((each) => `${name}.${each}`),
  )
  const known = [...events, ...replies]
  const list = known.length === 0 ? 'nothing from others' : known.join(', ')
  return specInvalid(`"${definition.name}" does not follow ${type}, nor asks for it: it gets ${list}.`)
}
