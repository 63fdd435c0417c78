// outside.ts: the world outside and what effects do to it, each way that an effect may go worked out once.
import { type EffectEnd, InterstateError, type PlainObject, plainCopy, type RunningEffect } from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import { freeze } from '../observe/plain.ts'
import { type Spring, trapped } from '../observe/traps.ts'
import { type EffectModel, effectModels, type WorldPlan } from '../world/plan.ts'
import { type Assumptions, Disproved } from './assumptions.ts'
import { type Canon, plainText } from './canonical.ts'
import { Interner } from './interner.ts'
import type { Resident } from './turns.ts'

/** An effect that has acted, and how it ended. */
export interface EffectResult {
  /** Place of its entity. */
  readonly slot: number
  readonly effect: string
  readonly end: EffectEnd
}

/** What came of an effect: numbers of its result and of the outside afterwards. */
export interface Acted {
  readonly result: number
  readonly outside: number
}

/** See the file head. */
export class Outside {
  /** The outside as it was seen, by number. */
  readonly looks: Interner<PlainObject> = new Interner()
  readonly results: Interner<EffectResult> = new Interner()
  readonly #plan: WorldPlan
  readonly #canon: Canon
  readonly #acted = new Map<string, readonly Acted[]>()

  constructor(plan: WorldPlan, canon: Canon) {
    this.#plan = plan
    this.#canon = canon
  }

  /** The number of the outside at the beginning. */
  get beginning(): number {
    return this.#number(this.#plan.outside)
  }

  /**
   * The ways that an effect of an entity may go.
   *
   * @param entity - Number of the entity at this place.
   * @param outside - Number of the outside before.
   * @throws WorldError `EFFECT_WITHOUT_MODEL`, `NOT_DETERMINISTIC`; Disproved where a model looks at its key.
   */
  act(slot: number, entity: number, resident: Resident, effect: string, outside: number): readonly Acted[] {
    const key = `${slot} ${entity} ${effect} ${outside}`
    let known = this.#acted.get(key)
    if (known === undefined) {
      const run = resident.state.running[effect] as RunningEffect
      const models = this.#modelsOf(resident, run)
      known = models.map((model) => this.#actOnce(slot, effect, run, model, this.looks.value(outside)))
      this.#acted.set(key, known)
    }
    return known
  }

  #modelsOf({ definition: { name } }: Resident, { src }: RunningEffect): readonly EffectModel[] {
    const models = effectModels(this.#plan, name, src)
    if (models !== undefined) return models
    const what = `Nothing says what effect "${src}" of ${name} comes to.`
    throw new WorldError('EFFECT_WITHOUT_MODEL', what, { name: `${name}.${src}` })
  }

  #actOnce(slot: number, effect: string, run: RunningEffect, model: EffectModel, before: PlainObject): Acted {
    const { end, after, text } = runModel(this.#canon.assumptions, run, model, before)
    if (runModel(this.#canon.assumptions, run, model, before).text !== text) {
      const what = `The model of effect "${run.src}" came to two ends from the same outside.`
      throw new WorldError('NOT_DETERMINISTIC', what, { name: run.src })
    }
    const result = this.results.number(JSON.stringify([slot, effect, end]), { slot, effect, end })
    return { result, outside: this.#number(after) }
  }

  #number(outside: PlainObject): number {
    // A property that changed what it looks at would change what happens.
    freeze(outside)
    return this.looks.number(plainText(this.#canon, outside), outside)
  }
}

/** Lets an effect act on a copy of the outside. */
function runModel(assumptions: Assumptions, run: RunningEffect, model: EffectModel, before: PlainObject) {
  const outside = structuredClone(before)
  let readsKey = false
  const call = {
    input: run.input as never,
    outside,
    get idempotencyKey(): string {
      readsKey = true
      return run.key
    },
  }
  const end = trapped(askedBy(run.src), () => endOf(() => model(call)))
  // Keys are ids: they must tell states apart then.
  if (readsKey && !assumptions.identity) throw new Disproved({ ...assumptions, identity: true })
  const after = plainCopy(outside, 'outside of the world') as PlainObject
  return { end, after, text: JSON.stringify([end, after]) }
}

/** A model that asks the real outside would come to another end tomorrow. */
function askedBy(src: string): Spring {
  return (called, caller) => {
    const at = caller === undefined ? '' : ` at ${caller}`
    return new WorldError('NOT_DETERMINISTIC', `The model of effect "${src}" calls ${called}${at}.`, { name: src })
  }
}

/** How an effect ends, as the host tells its machine. */
function endOf(run: () => unknown): EffectEnd {
  try {
    const output = run()
    return { output: output === undefined ? null : plainCopy(output, 'output of an effect') }
  } catch (error) {
    if (error instanceof WorldError || error instanceof InterstateError) throw error
    if (error instanceof Error) return { error: { name: error.name, message: error.message } }
    return { error: plainCopy(error ?? null, 'error of an effect') }
  }
}
