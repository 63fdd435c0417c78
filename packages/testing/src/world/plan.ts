// plan.ts: a world as data: what `world(...)` was told, for the search and the simulation.
import type { Definition, PlainObject } from '@interstate/core'
import type { Arbitrary } from 'fast-check'
import type { Coverage } from '../coverage.ts'
import type { Stimulus } from '../stimulus.ts'
import type { WorldView } from './view.ts'

/** Something that holds of a moment, or not. What it throws is a failure of its own. */
export interface Property {
  readonly name: string
  readonly holds: (w: WorldView) => boolean
}

/** Where stimuli come from: drawn, or listed. */
export type StimulusSource = Arbitrary<Stimulus> | readonly Stimulus[]

/** What an effect gets in a world: no network, but a picture of the outside that it may change in place. */
export interface EffectModelArgs {
  readonly input: never
  /** The same on every repeat of one run. An outside that remembers it acts once. */
  readonly idempotencyKey: string
  readonly outside: PlainObject
}

/** What an effect does in a world: gives its output, or throws what the machine gets as its error. */
export type EffectModel = (args: EffectModelArgs) => unknown

/** See the file head. */
export interface WorldPlan {
  readonly entities: readonly Definition[]
  /** Is told of every turn. */
  readonly coverage: Coverage | undefined
  /** Calls that are made and handled before anything else, in order. */
  readonly setup: readonly Stimulus[]
  /** By name. Empty: derived from the contracts. */
  readonly stimuli: ReadonlyMap<string, StimulusSource>
  readonly always: readonly Property[]
  readonly eventually: readonly Property[]
  readonly sometimes: readonly Property[]
  /** Ways an effect may go, by the name of its logic: `book`, or `fulfilment.book` where two machines use one name. */
  readonly effects: ReadonlyMap<string, readonly EffectModel[]>
  readonly outside: PlainObject
  /** Findings by their name that are meant to be so. */
  readonly accepted: ReadonlySet<string>
  /** By entity type: what of a context tells two states apart. */
  readonly abstractions: ReadonlyMap<string, (context: PlainObject) => unknown>
  /** Keys of one entity type that may be exchanged. */
  readonly interchangeable: readonly { readonly type: string; readonly keys: readonly string[] }[]
}

/** The ways an effect of a definition may go; `undefined` where the world does not say. */
export function effectModels(plan: WorldPlan, definition: string, src: string): readonly EffectModel[] | undefined {
  return plan.effects.get(`${definition}.${src}`) ?? plan.effects.get(src)
}
