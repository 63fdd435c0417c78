// turns.ts: the turns of a search: entities and messages by number, and what comes of each pair, decided once.
import {
  type Decision,
  type Definition,
  type EntityState,
  type Envelope,
  InterstateError,
  incarnationOf,
  type MessageId,
  nextDue,
  turnStem,
  type Wiring,
} from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import { take } from '../observe/take.ts'
import { stateName, typeOf } from '../words.ts'
import { type EntityView, viewOf } from '../world/view.ts'
import { watched } from './assumptions.ts'
import { byDue, type Canon, entityText, messageText } from './canonical.ts'
import { Interner } from './interner.ts'
import type { Layout } from './layout.ts'
import { moments } from './moments.ts'
import type { Trouble } from './successor.ts'

/** An entity as one number stands for it. */
export interface Resident {
  readonly definition: Definition
  readonly state: EntityState
  readonly parked: boolean
  /** When its first timer is due. */
  readonly firstDue: number | undefined
  /** Effects that run, by id. */
  readonly running: readonly string[]
  readonly isDone: boolean
  readonly view: EntityView
}

/** What came of one message at one entity. */
export interface Turned {
  /** The entity afterwards; 0 where it still isn't there. */
  readonly entity: number
  /** Lanes and messages that were sent, in order. */
  readonly sent: readonly (readonly [lane: number, message: number])[]
  readonly outcome: string
  /** Effects that nobody waits for any longer, or that began anew. */
  readonly dropped: readonly string[]
  /** When else it may come, because its timers then fire in another order. */
  readonly moments: readonly number[]
  readonly trouble?: Trouble
}

/** What a turn is told to whoever counts: for coverage. */
export type TurnListener = (
  definition: Definition,
  before: EntityState | undefined,
  message: Envelope,
  decision: Decision,
) => void

/** Of each entity under an abstraction, so many contexts are compared. */
const mostVariants = 4

/** Time at the beginning of every world, in milliseconds since 1970. */
export const beginning: number = Date.UTC(2026, 0, 1)

/** See the file head. */
export class Turns {
  readonly entities: Interner<Resident> = new Interner()
  readonly messages: Interner<Envelope> = new Interner()
  readonly #wiring: Wiring
  readonly #canon: Canon
  readonly #layout: Layout
  readonly #onTurn: TurnListener
  readonly #known = new Map<string, Turned>()
  readonly #variants = new Map<number, Map<string, Resident>>()

  constructor(wiring: Wiring, canon: Canon, layout: Layout, onTurn: TurnListener) {
    this.#wiring = wiring
    this.#canon = canon
    this.#layout = layout
    this.#onTurn = onTurn
  }

  /** Turns that were decided. */
  get decided(): number {
    return this.#known.size
  }

  message(envelope: Envelope): number {
    return this.messages.number(messageText(this.#canon, envelope), envelope)
  }

  /** The number of an entity. */
  entity(definition: Definition, state: EntityState, parked = false): number {
    const found = resident(definition, state, parked)
    const number = this.entities.number(entityText(this.#canon, definition, state, parked), found)
    if (this.#canon.abstractions.has(definition.name)) this.#vary(number, found)
    return number
  }

  /** Entities that an abstraction takes for the same, where there are some: a few of each. */
  variants(): ReadonlyMap<number, readonly Resident[]> {
    const several = [...this.#variants].filter(([, { size }]) => size > 1)
    return new Map(several.map(([number, variants]) => [number, [...variants.values()]]))
  }

  #vary(number: number, { state, ...found }: Resident): void {
    const variants = this.#variants.get(number) ?? new Map<string, Resident>()
    const text = JSON.stringify(state.snapshot.context)
    if (variants.size < mostVariants) variants.set(text, { state, ...found })
    this.#variants.set(number, variants)
  }

  /**
   * What a message does to an entity.
   *
   * @param now - Of the turn, in milliseconds since 1970.
   */
  take(slot: number, entity: number, message: number, now: number): Turned {
    return this.#once(`${slot} ${entity} ${message} ${now}`, () =>
      this.#handle(slot, entity, this.messages.value(message), now),
    )
  }

  /**
   * The same for a message that an entity gets from itself, and that has no number.
   *
   * @param what - Tells it from others that the same entity may get.
   */
  takeOwn(slot: number, entity: number, what: string, message: () => Envelope, now: number): Turned {
    return this.#once(`${slot} ${entity} ${what} ${now}`, () => this.#handle(slot, entity, message(), now))
  }

  /** Takes turns that nobody is to hear of, and that must not be known later: they may never happen. */
  probe<T>(ask: () => T): T {
    this.#isProbing = true
    try {
      return ask()
    } finally {
      this.#isProbing = false
    }
  }
  #isProbing = false

  /** Whether what is asked now may never happen. */
  get isProbing(): boolean {
    return this.#isProbing
  }

  #once(key: string, handle: () => Turned): Turned {
    let found = this.#known.get(key)
    if (found === undefined) {
      found = handle()
      if (!this.#isProbing) this.#known.set(key, found)
    }
    return found
  }

  #handle(slot: number, entity: number, message: Envelope, now: number): Turned {
    const definition = this.#wiring.definition(this.#layout.at(slot).type)
    const before = entity === 0 ? undefined : this.entities.value(entity).state
    const numbered = this.#numbered(message, before)
    let decision: Decision
    try {
      decision = watched(this.#canon.assumptions, () => this.#decide(definition, before, numbered, now))
    } catch (error) {
      if (error instanceof InterstateError || error instanceof WorldError) {
        return this.#failed(definition, before, message, error)
      }
      throw error
    }
    if (!this.#isProbing) this.#onTurn(definition, before, message, decision)
    this.#canon.stems.add(
      turnStem(message.to, before?.incarnation ?? incarnationOf(message.to, numbered.id), numbered.id),
    )
    return this.#turned(definition, before, message, decision, now)
  }

  /**
   * Where ids don't count, messages that look alike have one id. What their turns give out must differ all the same: a
   * timer or an effect of the second one is another than that of the first.
   */
  #numbered(message: Envelope, before: EntityState | undefined): Envelope {
    if (this.#canon.assumptions.identity) return message
    return { ...message, id: `${message.id}.${before?.sequence ?? 0}` as MessageId }
  }

  #decide(definition: Definition, before: EntityState | undefined, message: Envelope, now: number): Decision {
    return take(this.#wiring, definition, before, message, now)
  }

  #turned(
    definition: Definition,
    before: EntityState | undefined,
    message: Envelope,
    decision: Decision,
    now: number,
  ): Turned {
    const { state, outbox, outcome } = decision
    const isUnhandled = outcome === 'parked' || (outcome === 'rejected' && message.kind !== 'command')
    const parks = outcome === 'parked' && before !== undefined
    const trouble = isUnhandled ? unhandled(definition, before, message) : undefined
    return {
      entity: state === undefined ? 0 : this.entity(definition, state, parks),
      sent: outbox.map((each) => [this.#layout.lane(each.from, each.to), this.message(each)]),
      outcome,
      dropped: dropped(before, state),
      moments: moments(before, state, now),
      ...(trouble === undefined ? {} : { trouble }),
    }
  }

  /** In production it would be tried again, and then put away by the definition's policy. */
  #failed(
    definition: Definition,
    before: EntityState | undefined,
    message: Envelope,
    error: InterstateError | WorldError,
  ): Turned {
    const parks = definition.poison === 'park' && before !== undefined
    const what = error instanceof WorldError ? error.what : `${error.message}`
    return {
      entity: before === undefined ? 0 : this.entity(definition, before, parks),
      sent: [],
      outcome: parks ? 'fails, and the entity is parked' : 'fails, and is put away as a dead letter',
      dropped: [],
      moments: [],
      trouble: {
        code: error instanceof WorldError ? error.code : 'TURN_FAILED',
        name: `${definition.name} ${typeOf(message)}`,
        what,
        cause: error,
      },
    }
  }
}

function resident(definition: Definition, state: EntityState, parked: boolean): Resident {
  return {
    definition,
    state,
    parked,
    firstDue: parked ? undefined : nextDue(state),
    running: Object.keys(state.running),
    isDone: state.snapshot.status !== 'active',
    view: viewOf(state, parked),
  }
}

function dropped(before: EntityState | undefined, after: EntityState | undefined): readonly string[] {
  const ids = Object.keys(before?.running ?? {})
  return ids.filter((id) => after?.running[id]?.key !== before?.running[id]?.key)
}

function unhandled(definition: Definition, before: EntityState | undefined, message: Envelope): Trouble {
  const where = before === undefined ? 'before its first message' : `in state ${stateName(before.snapshot.value)}`
  return {
    code: 'MESSAGE_UNHANDLED',
    name: `${definition.name} ${typeOf(message)}`,
    what: `${message.to} has no transition for ${typeOf(message)} ${where}.`,
  }
}

/** The timer of an entity that fires first. */
export function firstTimer({ timers }: EntityState): readonly [id: string, due: number] {
  const [id, { due }] = byDue(timers)[0] as [string, { due: number; generation: number }]
  return [id, due]
}
