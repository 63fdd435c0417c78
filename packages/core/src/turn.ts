// turn.ts: what a machine may know of the turn it is in: its time, its chance, its message.
import { hash } from 'node:crypto'
import type { EntityId } from './address.ts'
import type { Envelope, Sender } from './envelope.ts'

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
 * same turn run again comes to the same end (G14). Outside a host (in XState's own tools) its time and chance stand still.
 *
 * @example
 * ```ts
 * assign({ placedAt: () => turn().now })
 * ```
 */
export function turn(): Turn {
  return current ?? outside
}

/** @internal Runs `body` as the given turn. */
export function during<T>(now: number, entity: EntityId, message: Envelope, body: () => T): T {
  const before = current
  current = new CurrentTurn(now, entity, message)
  try {
    return body()
  } finally {
    current = before
  }
}

class CurrentTurn implements Turn {
  readonly now: number
  readonly entity: EntityId
  readonly message: Envelope
  #draws = 0

  constructor(now: number, entity: EntityId, message: Envelope) {
    this.now = now
    this.entity = entity
    this.message = message
  }

  random(): number {
    return Number.parseInt(this.#draw('hex').slice(0, 13), 16) / 2 ** 52
  }

  id(): string {
    return this.#draw('base64url').slice(0, 21)
  }

  #draw(encoding: 'hex' | 'base64url'): string {
    this.#draws += 1
    return hash('sha256', `${this.entity}\n${this.message.id}\ndraw ${this.#draws}`, encoding)
  }
}

const outside: Turn = new CurrentTurn(
  0,
  'outside/turn' as EntityId,
  { id: 'outside', from: 'client' as Sender } as Envelope,
)
