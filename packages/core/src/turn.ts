// turn.ts: what a machine may know of the turn it is in: its time, its chance, its message.
import { hash } from 'node:crypto'
import type { EntityId } from './address.ts'
import type { Envelope, Sender } from './envelope.ts'
import type { Incarnation } from './ids.ts'

/** See {@link turn}. */
export interface Turn {
  /** The turn's time in milliseconds since 1970. It never goes backwards for one entity. */
  readonly now: number
  /** The entity whose turn it is. */
  readonly entity: EntityId
  /** The message being handled. */
  readonly message: Pick<Envelope, 'id' | 'type' | 'from' | 'correlationId' | 'causationId' | 'headers'>
  /** A number from 0 up to 1: the same for the same turn run again. */
  random(): number
  /** An id that nobody else has: the same for the same turn run again. */
  id(): string
}

let current: Turn | undefined

/**
 * The turn that is being taken. Guards, actions and context functions take time, chance and ids from here, so that the
 * same turn run again comes to the same end (G14). Outside a host (in XState's own tools) its time stands still.
 *
 * @example
 * ```ts
 * assign({ placedAt: () => turn().now })
 * ```
 */
export function turn(): Turn {
  return current ?? outside
}

/** @internal Runs `body` as a turn. */
export function during<T>(taken: Turn, body: () => T): T {
  const before = current
  current = taken
  try {
    return body()
  } finally {
    current = before
  }
}

/**
 * Counts what machines asked of their turns: its time, and who they are in it (message, ids, chance). Two turns that
 * differ in nothing that was asked for come to the same end; the model check takes them for one.
 */
export const turnReads: { time: number; identity: number } = { time: 0, identity: 0 }

/** @internal A turn to be taken. */
export class CurrentTurn implements Turn {
  readonly entity: EntityId
  readonly #now: number
  readonly #message: Envelope
  readonly #incarnation: Incarnation
  #draws = 0

  constructor(now: number, entity: EntityId, incarnation: Incarnation, message: Envelope) {
    this.entity = entity
    this.#now = now
    this.#message = message
    this.#incarnation = incarnation
  }

  get now(): number {
    turnReads.time += 1
    return this.#now
  }

  get message(): Envelope {
    turnReads.identity += 1
    return this.#message
  }

  random(): number {
    return Number.parseInt(this.#draw('hex').slice(0, 13), 16) / 2 ** 52
  }

  id(): string {
    return this.#draw('base64url').slice(0, 21)
  }

  #draw(encoding: 'hex' | 'base64url'): string {
    turnReads.identity += 1
    this.#draws += 1
    const drawn = `${this.entity}\n${this.#incarnation}\n${this.#message.id}\ndraw ${this.#draws}`
    return hash('sha256', drawn, encoding)
  }
}

const outside: Turn = new CurrentTurn(0, 'outside/turn' as EntityId, 'outside', {
  id: 'outside',
  from: 'client' as Sender,
} as Envelope)
