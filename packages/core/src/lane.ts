// lane.ts: the chain of a lane: which messages it carried so far, in one short text. A persisted format.
import { hash } from 'node:crypto'
import type { MessageId } from './address.ts'

/** Stands for all messages of a lane up to one of them, in their order. */
export type Chain = string

/** The chain of a lane that has carried nothing. */
export const emptyChain: Chain = ''

/**
 * The chain after one more message: the first 16 hexadecimal digits of SHA-1 over the chain before and the id. Stores
 * compute it themselves, in a language of their own: SHA-1 is what all of them have. It tells two histories apart; it
 * keeps no secret.
 */
export function chainAfter(before: Chain, id: MessageId): Chain {
  return hash('sha1', before + id, 'hex').slice(0, 16)
}
