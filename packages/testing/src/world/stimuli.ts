// stimuli.ts: what comes from outside in a world: as it was told, or derived from the schemas of its commands.
import { type Contract, type Definition, sentCommands, validate } from '@interstate/core'
import fc from 'fast-check'
import { WorldError } from '../failure/error.ts'
import { type Stimulus, send } from '../stimulus.ts'
import type { StimulusSource, WorldPlan } from './plan.ts'
import { arbitraryOf } from './schema.ts'

/** A call that may come, and by which name it was told. */
export interface NamedStimulus {
  readonly name: string
  readonly stimulus: Stimulus
}

/** Keys of the entities that derived commands go to. */
const derivedKeys = ['1', '2']

/**
 * Where stimuli come from, by name.
 *
 * @throws WorldError `STIMULI_MISSING` where none were told and none can be derived.
 */
export function stimulusSources(plan: Pick<WorldPlan, 'entities' | 'stimuli'>): ReadonlyMap<string, StimulusSource> {
  const sources = plan.stimuli.size > 0 ? plan.stimuli : derived(plan.entities)
  const isEmpty = ([, source]: [string, StimulusSource]): boolean => Array.isArray(source) && source.length === 0
  if (sources.size === 0 || [...sources].every(isEmpty)) {
    throw new WorldError('STIMULI_MISSING', 'Nothing comes from outside in this world.')
  }
  return sources
}

/**
 * The calls that a search tries: all of a list, some different ones of an arbitrary.
 *
 * @param draw - `values`: how many of each arbitrary. The same seed draws the same.
 * @throws WorldError `STIMULI_MISSING`.
 */
export function drawStimuli(
  plan: Pick<WorldPlan, 'entities' | 'stimuli'>,
  { values, seed }: { readonly values: number; readonly seed: number },
): readonly NamedStimulus[] {
  return [...stimulusSources(plan)].flatMap(([name, source]) => {
    const drawn = isList(source) ? source : different(fc.sample(source, { seed, numRuns: values * 8 })).slice(0, values)
    return drawn.map((stimulus) => ({ name, stimulus }))
  })
}

function isList(source: StimulusSource): source is readonly Stimulus[] {
  return Array.isArray(source)
}

function different(stimuli: readonly Stimulus[]): readonly Stimulus[] {
  const texts = new Map(stimuli.map((each) => [JSON.stringify(each), each]))
  return [...texts.values()]
}

/** Commands that no entity sends come from outside; where all are sent by some entity, all of them. */
function derived(entities: readonly Definition[]): ReadonlyMap<string, StimulusSource> {
  const sent = sentCommands(entities)
  const all = entities.flatMap(({ contract }) =>
    Object.keys(contract.commands).map((type) => ({ contract, type, name: `${contract.name}.${type}` })),
  )
  const outer = all.filter(({ name }) => !sent.has(name))
  const chosen = outer.length > 0 ? outer : all
  return new Map(chosen.map(({ contract, type, name }) => [name, commands(contract, type)]))
}

function commands(contract: Contract, type: string): StimulusSource {
  const payloads = arbitraryOf(contract.commands[type], `${contract.name}.${type}`)
  return fc
    .record({ key: fc.constantFrom(...derivedKeys), payload: payloads })
    .map(({ key, payload }) => send(contract.at(key), { ...payload, type } as never))
    .filter(fitting(contract, type))
}

/** Values in a row that do not fit, after which none is taken to. */
const mostMisses = 1_000

/** What JSON Schema can't say, the schema itself does; but not for ever. */
function fitting(contract: Contract, type: string): (stimulus: Stimulus) => boolean {
  let misses = 0
  return ({ message }) => {
    const isFit = fits(contract, message)
    misses = isFit ? 0 : misses + 1
    if (misses < mostMisses) return isFit
    throw new WorldError('STIMULI_MISSING', `No value that was derived for ${contract.name}.${type} fits its schema.`)
  }
}

function fits(contract: Contract, message: unknown): boolean {
  try {
    validate(contract, 'command', message)
    return true
  } catch {
    return false
  }
}
