// input.ts: what a world is given, looked at before anything is searched: a slip would make a check that proves nothing.
import {
  type Definition,
  InterstateError,
  isPromiseLogic,
  logicOf,
  type PlainObject,
  plainCopy,
  statesOf,
  Wiring,
} from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import type { EffectModel, EffectModelArgs, StimulusSource } from './plan.ts'

/** @throws WorldError `WORLD_INVALID`; InterstateError `WIRING_INVALID`. */
export function checkEntities(entities: unknown): void {
  if (!Array.isArray(entities) || entities.length === 0) throw invalid('A world takes { entities: [definition, …] }.')
  const odd = entities.findIndex((each: Partial<Definition> | undefined) => each?.machine === undefined)
  if (odd >= 0)
    throw invalid(`Entity ${odd + 1} of the world is no definition: defineAggregate and defineSaga give one.`)
  new Wiring(entities)
}

/** @throws WorldError `WORLD_INVALID` for what is neither a list of calls nor an arbitrary. */
export function checkSource(name: string, source: StimulusSource | undefined): void {
  const isArbitrary = typeof (source as { generate?: unknown } | undefined)?.generate === 'function'
  if (isArbitrary) return
  const isCall = (each: unknown): boolean => (each as { call?: unknown } | undefined)?.call !== undefined
  if (Array.isArray(source) && source.every(isCall)) return
  throw invalid(`Stimulus "${name}" is neither a list of send(…) and publish(…) nor an arbitrary of them.`)
}

/** The outside as plain data. @throws WorldError `WORLD_INVALID` for what JSON could not hold, a Map first of all. */
export function plainOutside(outside: unknown): PlainObject {
  try {
    const plain = plainCopy(outside, 'outside of the world')
    if (typeof plain === 'object' && plain !== null && !Array.isArray(plain)) return plain as PlainObject
  } catch (cause) {
    if (cause instanceof InterstateError) throw invalid(cause.message, cause)
    throw cause
  }
  throw invalid('The outside of a world is an object of plain data.')
}

/** Models of one effect, each giving a plain answer. @throws WorldError `WORLD_INVALID` */
export function checkedModels(entities: readonly Definition[], name: string, ways: unknown): readonly EffectModel[] {
  const models = [ways].flat() as readonly unknown[]
  if (!effectNames(entities).has(name)) throw invalid(`No machine of this world has an effect "${name}".`)
  if (models.length === 0) throw invalid(`Effect "${name}" has no way to go: its list is empty.`)
  return models.map((model) => {
    if (typeof model !== 'function') throw invalid(`The model of effect "${name}" is no function.`)
    return (call: EffectModelArgs) => plainAnswer(name, model(call))
  })
}

/** Names of the effects of a world, bare and with their machine's. */
function effectNames(entities: readonly Definition[]): ReadonlySet<string> {
  return new Set(
    entities.flatMap(({ name, machine }) => {
      const invoked = statesOf(machine.root).flatMap(({ invoke }) => invoke.map(({ src }) => String(src)))
      const named = Object.keys(machine.implementations.actors)
      const effects = [...invoked, ...named].filter((src) => {
        const logic = logicOf(machine, src)
        return logic !== undefined && isPromiseLogic(logic)
      })
      return effects.flatMap((src) => [src, `${name}.${src}`])
    }),
  )
}

function plainAnswer(name: string, answer: unknown): unknown {
  if (!(answer instanceof Promise)) return answer
  answer.catch(() => {}) // Nobody waits for it.
  throw invalid(`The model of effect "${name}" gave a promise. Give the output itself.`)
}

export function invalid(what: string, cause?: unknown): WorldError {
  return new WorldError('WORLD_INVALID', what, { cause })
}
