// spec.ts: given / when / then for one aggregate or saga, as a sentence. It runs core's `decide` on the very machine,
// with the messages of its contract and a clock that stands still until time passes.
import { type EntityId, entityId, type PlainObject, type TypedDefinition } from '@interstate/core'
import type { AnyStateMachine, ContextFrom } from 'xstate'
import type { Coverage } from './coverage.ts'
import { type Duration, milliseconds, spanInWords } from './spec/duration.ts'
import { type AnyEnd, endOf } from './spec/effects.ts'
import { type Place, placeOf, specInvalid } from './spec/failure.ts'
import { defaultKey, envelopeOf } from './spec/messages.ts'
import { SpecOutcome } from './spec/outcome.ts'
import { deliver, type Happening, pass, type Scene } from './spec/scene.ts'
import { startState } from './spec/start-state.ts'
import { systemAround } from './spec/system.ts'

import type { SpecEffect, SpecEffectEnd, SpecMessage, SpecStart } from './spec/types.ts'
import { inWords, lineWidth, told } from './spec/words.ts'

/** What {@link spec} takes beside the definition. */
export interface SpecOptions {
  /** The entity's key. Default: the key that the first followed event names, or `spec`. */
  readonly key?: string
  /** The entity's tenant. Default: none. */
  readonly tenant?: string
  /** The time at the beginning, in milliseconds since 1970. Default: 2026-01-01T00:00:00Z. */
  readonly now?: number
  /** Is told of every turn, what was given included. It must be made of this definition. */
  readonly coverage?: Coverage
}

/**
 * The beginning of a spec: what was, and then what happens. Each method gives a new one, so that specs may share a
 * beginning.
 */
export class Spec<C, M extends AnyStateMachine> {
  readonly #scene: Scene

  /** @internal Made by {@link spec}. */
  constructor(scene: Scene) {
    this.#scene = scene
  }

  /**
   * Messages that were handled before, in order. What they put out is not compared.
   *
   * @throws WorldError `SPEC_INVALID` for a message that the entity would not have taken; what a host throws for a
   * message that doesn't fit its contract.
   */
  given(...messages: readonly SpecMessage<C, M>[]): Spec<C, M> {
    return messages.reduce<Spec<C, M>>((spec, message) => spec.#given(message as AnyMessage), this)
  }

  /**
   * The state and the context that the entity is in, instead of a history. It is as if it had entered the state just now:
   * the state's own timers (`after`) are set and its effects (`invoke`) run. The context must be whole.
   *
   * @throws WorldError `SPEC_INVALID` for a state that the machine has not; InterstateError `NOT_PLAIN_DATA` for a context
   * that could not be stored.
   */
  givenState(value: SpecStart<M>, context: ContextFrom<M>): Spec<C, M> {
    const { system, state, now, told: lines } = this.#scene
    if (state !== undefined)
      throw specInvalid('A state stands at the beginning: say givenState before any other given.')
    const entity = this.#scene.entity ?? entityId(system.definition.name, defaultKey, this.#scene.tenant)
    const started = startState(system.definition, entity, { value, context, now })
    const line = told('given', `state ${inWords(value, lineWidth)} with ${inWords(context, lineWidth)}`)
    return new Spec({ ...this.#scene, entity, state: started, told: [...lines, line] })
  }

  /** Time that has passed. The timers that came due have fired. */
  givenPassed(duration: Duration): Spec<C, M> {
    const ms = milliseconds(duration)
    return this.#after(pass(this.#alive('no time passes for it'), ms), `${spanInWords(ms)} passed`)
  }

  /** An effect that has ended. */
  givenEffect<S extends SpecEffect<M>>(effect: S, end: SpecEffectEnd<M, S>): Spec<C, M> {
    const message = endOf(this.#scene, effect, end as AnyEnd)
    return this.#after(deliver(this.#scene, message), ended(effect, end as AnyEnd))
  }

  /**
   * The message that the spec is about.
   *
   * @throws What a host throws for a message that doesn't fit its contract, for example InterstateError
   * `PAYLOAD_INVALID`; WorldError `SPEC_INVALID` for an event that isn't followed, or finds another entity.
   */
  when(message: SpecMessage<C, M>): SpecOutcome<C, M> {
    const { scene, line } = this.#send(message as AnyMessage)
    return this.#outcome(scene, line, placeOf(this.when))
  }

  /** Time passes: timers that come due fire in their order, each at its time. */
  whenPassed(duration: Duration): SpecOutcome<C, M> {
    const ms = milliseconds(duration)
    return this.#outcome(
      pass(this.#alive('no time passes for it'), ms),
      `${spanInWords(ms)} pass`,
      placeOf(this.whenPassed),
    )
  }

  /**
   * An effect ends, with an output or with an error.
   *
   * @throws WorldError `SPEC_INVALID` when no such effect runs.
   */
  whenEffect<S extends SpecEffect<M>>(effect: S, end: SpecEffectEnd<M, S>): SpecOutcome<C, M> {
    const message = endOf(this.#scene, effect, end as AnyEnd)
    return this.#outcome(deliver(this.#scene, message), ended(effect, end as AnyEnd), placeOf(this.whenEffect))
  }

  #given(message: AnyMessage): Spec<C, M> {
    const { scene, line } = this.#send(message)
    return this.#after(scene, line)
  }

  #send(message: AnyMessage): { readonly scene: Happening; readonly line: string } {
    const { system, ...rest } = this.#scene
    const envelope = envelopeOf({ ...rest, definition: system.definition }, message)
    return { scene: deliver(this.#scene, envelope), line: inWords(message, lineWidth) }
  }

  /** What was given has happened: it was not refused, and it did not fail. */
  #after({ scene, outcome, failure }: Happening, line: string): Spec<C, M> {
    const next = { ...scene, told: [...scene.told, told('given', line)] }
    if (failure !== undefined)
      throw specInvalid(`${line} was given, and it fails: ${failure.message}`, { cause: failure })
    if (outcome === 'handled' || outcome === 'ignored') return new Spec(next)
    throw specInvalid(`${line} was given, and ${scene.entity} would not have taken it (${outcome}).`)
  }

  #outcome(happening: Happening, line: string, place: Place): SpecOutcome<C, M> {
    const lines = [...this.#scene.told, told('when', line)]
    return new SpecOutcome(this.#scene, happening, lines, place)
  }

  #alive(so: string): Scene {
    if (this.#scene.state !== undefined) return this.#scene
    const { name } = this.#scene.system.definition
    throw specInvalid(`The ${name} has not come to life, so ${so}: say given or givenState first.`)
  }
}

type AnyMessage = PlainObject & { readonly type: string }

function ended(effect: string, end: AnyEnd): string {
  const { id: _, ...how } = end
  return `effect ${effect} ends with ${inWords(how, lineWidth)}`
}

/**
 * Begins a spec of one aggregate or saga. What follows reads as a sentence, and what the contract does not know does not
 * compile. All that comes out must be named: an event, a command, a reply, an effect or a refusal that no `then` speaks of
 * fails the test when it ends, and so does a spec without any `then`.
 *
 * @throws InterstateError `WIRING_INVALID` for a definition that no host would take; `ADDRESS_INVALID` for its key.
 *
 * @example
 * ```ts
 * test('a payment above the limit is refused', () => {
 *   spec(payment)
 *     .when({ type: 'Charge', cents: 200_000 })
 *     .thenState('refused')
 *     .thenPublishes({ type: 'Refused', reason: 'above the limit' })
 * })
 * ```
 */
export function spec<C, M extends AnyStateMachine>(
  definition: TypedDefinition<C, M>,
  { key, tenant, now = Date.UTC(2026, 0, 1), coverage }: SpecOptions = {},
): Spec<C, M> {
  if (!Number.isSafeInteger(now) || now < 0) throw specInvalid(`${now} is no time: give milliseconds since 1970.`)
  const system = systemAround(definition, coverage)
  const entity: EntityId | undefined = key === undefined ? undefined : entityId(definition.name, key, tenant)
  return new Spec({ system, entity, tenant, state: undefined, now, count: 0, asked: new Map(), told: [] })
}
