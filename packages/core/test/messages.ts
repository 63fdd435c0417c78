// messages.ts: envelopes for tests, as a host would make them.
import {
  type Decision,
  type Definition,
  decide,
  type EntityId,
  type EntityState,
  type Envelope,
  InterstateError,
  type MessageId,
  type PlainObject,
  type Wiring,
} from '../src/index.ts'

/** Some time. */
export const noon = 1_750_000_000_000

/** A message; what isn't said is as for a client's command. */
export function message(to: EntityId, type: string, data: PlainObject = {}, rest: Partial<Envelope> = {}): Envelope {
  const id = (rest.id ?? `m-${type}`) as MessageId
  const chain = { correlationId: id, causationId: id, created: noon, contractVersion: 1 }
  return { id, kind: 'command', to, from: 'client', type, data, ...chain, ...rest }
}

/** The firing of a timer. */
export function firing(state: EntityState, timer: string, rest: Partial<Envelope> = {}): Envelope {
  const { generation, asker, cause } = state.timers[timer] ?? { generation: 0, asker: undefined, cause: undefined }
  const id = `${state.entity}#${timer}#${generation}` as MessageId
  const data = { timer, generation }
  return message(state.entity, 'timeout', data, { id, kind: 'timeout', from: state.entity, asker, ...cause, ...rest })
}

/** The end of an effect. */
export function ending(
  state: EntityState,
  effect: string,
  result: PlainObject,
  rest: Partial<Envelope> = {},
): Envelope {
  const { key, asker, cause } = state.running[effect] ?? { key: 'none', asker: undefined, cause: undefined }
  const id = `${key}-end` as MessageId
  const data = { effect, key, ...result }
  return message(state.entity, 'result', data, { id, kind: 'result', from: state.entity, asker, ...cause, ...rest })
}

/** One entity of a wired system, turn by turn. */
export class Desk {
  readonly wiring: Wiring
  readonly definition: Definition
  readonly entity: EntityId
  state: EntityState | undefined
  now = noon

  constructor(wiring: Wiring, definition: Definition, entity: EntityId) {
    this.wiring = wiring
    this.definition = definition
    this.entity = entity
  }

  /** What a message would do. */
  weigh(envelope: Envelope): Decision {
    return decide(this.wiring, this.definition, this.state, envelope, this.now)
  }

  take(envelope: Envelope): Decision {
    const decision = this.weigh(envelope)
    this.state = decision.state
    return decision
  }

  /** A client's command. */
  command(type: string, data: PlainObject = {}, rest: Partial<Envelope> = {}): Decision {
    return this.take(message(this.entity, type, data, { id: this.#id(), ...rest }))
  }

  /** An event of another entity. */
  event(from: EntityId, type: string, data: PlainObject = {}, rest: Partial<Envelope> = {}): Decision {
    return this.take(message(this.entity, type, data, { id: this.#id(), kind: 'event', from, ...rest }))
  }

  fire(timer: string): Decision {
    return this.take(firing(this.#alive(), timer))
  }

  end(effect: string, result: PlainObject): Decision {
    return this.take(ending(this.#alive(), effect, result))
  }

  #messages = 0
  #id(): MessageId {
    this.#messages += 1
    return `m${this.#messages}` as MessageId
  }

  #alive(): EntityState {
    if (this.state === undefined) throw new Error(`${this.entity} never came to life`)
    return this.state
  }
}

/** The error that comes of this. */
export function failure(attempt: () => unknown): InterstateError {
  try {
    attempt()
  } catch (error) {
    if (error instanceof InterstateError) return error
    throw error
  }
  throw new Error('nothing failed')
}
