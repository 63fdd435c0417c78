// ids.ts: ids that are derived, so that the same turn run again gives the same ids (G14).
import { hash } from 'node:crypto'
import type { EntityId, MessageId } from './address.ts'

/** Tells a re-created entity from its predecessor: derived from the message that brought it to life. */
export type Incarnation = string

/** The incarnation that a message gives birth to. */
export function incarnationOf(entity: EntityId, birth: MessageId): Incarnation {
  return digest(`${entity}\n${birth}`).slice(0, 8)
}

/** The common stem of all ids that one turn gives out: 120 bits over entity, incarnation and message. */
export function turnStem(entity: EntityId, incarnation: Incarnation, message: MessageId): string {
  return digest(`${entity}\n${incarnation}\n${message}`).slice(0, 20)
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}
