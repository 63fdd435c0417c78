// turn.ts: takes one turn: decides, refuses what the store couldn't hold, checks that deciding again agrees.
import {
  type Decision,
  decide,
  type Envelope,
  encodeSnapshot,
  InterstateError,
  type StoreLimits,
  type Wiring,
} from '@interstate/core'
import type { Resident } from './resident.ts'

/**
 * How often a turn is decided twice to see that both agree, and that its context is plain data (G14).
 * `sampled`: the first 16 turns of each message type and every 128th after that.
 */
export type Verification = 'always' | 'sampled' | 'never'

/** A turn that was taken. */
export interface Turn {
  readonly decision: Decision
  /** The new snapshot as it will be stored, if it was needed for a check. */
  readonly encoded: string | undefined
}

/** See the file head. */
export class TurnTaker {
  readonly #wiring: Wiring
  readonly #limits: StoreLimits
  readonly #verification: Verification
  readonly #seen = new Map<string, number>()

  constructor(wiring: Wiring, limits: StoreLimits, verification: Verification) {
    this.#wiring = wiring
    this.#limits = limits
    this.#verification = verification
  }

  /**
   * Why this host can't know what a message means: it was made by a newer contract. The entity waits for a newer host.
   */
  refuses({ definition, entity }: Resident, { kind, type, contractVersion }: Envelope): InterstateError | undefined {
    if (kind === 'timeout' || kind === 'result') return undefined
    const dot = type.indexOf('.')
    const of = dot < 0 || kind === 'command' ? definition : this.#wiring.definitions.get(type.slice(0, dot))
    if (of === undefined || contractVersion <= of.contract.version) return undefined
    const what = `${type} for ${entity} was made by version ${contractVersion} of contract "${of.name}".`
    return new InterstateError('MESSAGE_VERSION_UNKNOWN', what, { entity, type, contractVersion })
  }

  /**
   * What a message does to an entity.
   *
   * @param options - `checkSize`: whether the new snapshot's size is checked here; otherwise its commit does.
   * @throws InterstateError What `decide` throws; `LIMIT_EXCEEDED`; `NOT_DETERMINISTIC`. Nothing has changed then.
   */
  take(resident: Resident, envelope: Envelope, now: number, options: { readonly checkSize: boolean }): Turn {
    const { definition, state, entity } = resident
    if (definition === undefined)
      throw new InterstateError('ENTITY_UNKNOWN', `${entity} is not hosted here.`, { entity })
    const decision = decide(this.#wiring, definition, state, envelope, now)
    if (decision.outbox.length > this.#limits.maxOutbox) {
      throw tooLarge(entity, 'messages', decision.outbox.length, this.#limits.maxOutbox)
    }
    if (decision.state === undefined || decision.state === state) return { decision, encoded: undefined }
    const verifies = this.#verifies(`${definition.name} ${envelope.type}`)
    if (!verifies && !options.checkSize) return { decision, encoded: undefined }
    const text = encodeSnapshot(definition, decision.state)
    if (text.length > this.#limits.maxSnapshotBytes) {
      throw tooLarge(entity, 'characters of snapshot', text.length, this.#limits.maxSnapshotBytes)
    }
    if (verifies) {
      const again = decide(this.#wiring, definition, state, envelope, now)
      const difference = differenceOf(decision, text, again, again.state && encodeSnapshot(definition, again.state))
      if (difference !== undefined) {
        const what = `${entity} came to two ends on ${envelope.type}: its ${difference} differs.`
        throw new InterstateError('NOT_DETERMINISTIC', what, { entity, type: envelope.type, difference })
      }
      checkPlain(decision)
    }
    return { decision, encoded: text }
  }

  #verifies(type: string): boolean {
    if (this.#verification !== 'sampled') return this.#verification === 'always'
    const seen = (this.#seen.get(type) ?? 0) + 1
    this.#seen.set(type, seen)
    return seen <= 16 || seen % 128 === 0
  }
}

function differenceOf(one: Decision, oneText: string, two: Decision, twoText: string | undefined): string | undefined {
  if (oneText !== twoText) return 'snapshot'
  if (JSON.stringify(one.outbox) !== JSON.stringify(two.outbox)) return 'outbox'
  if (JSON.stringify(one.replies) !== JSON.stringify(two.replies)) return 'reply'
  return undefined
}

/** A context that its own JSON does not give back would change when the entity leaves memory. */
function checkPlain({ state }: Decision): void {
  const found = notPlain(state?.snapshot.context, 'context') ?? notPlain(state?.snapshot.output, 'output')
  if (found === undefined) return
  throw new InterstateError('NOT_PLAIN_DATA', `${state?.entity} keeps ${found}.`, { entity: state?.entity, found })
}

function notPlain(value: unknown, place: string): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    return `a ${typeof value} in ${place}`
  if (typeof value === 'number' && !Number.isFinite(value)) return `${value} in ${place}`
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null)
      return `an instance of ${value.constructor?.name} in ${place}`
  }
  for (const [key, item] of Object.entries(value)) {
    const found = notPlain(item, `${place}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

function tooLarge(entity: string, what: string, found: number, most: number): InterstateError {
  return new InterstateError('LIMIT_EXCEEDED', `A turn of ${entity} comes to ${found} ${what}; ${most} is the most.`, {
    entity,
    found,
    most,
  })
}
