// effects.ts: the end of an effect that runs, as a host would report it.
import {
  type EffectEnd,
  type EntityState,
  type Envelope,
  plainCopy,
  type RunningEffect,
  resultOf,
} from '@interstate/core'
import { specInvalid } from './failure.ts'
import type { Scene } from './scene.ts'

/** How it ends, see `SpecEffectEnd`. */
export interface AnyEnd {
  readonly output?: unknown
  readonly error?: unknown
  readonly id?: string
}

/** @throws WorldError `SPEC_INVALID` when no such effect runs, or several do. */
export function endOf(scene: Scene, name: string, end: AnyEnd): Envelope {
  const [state, id, effect] = running(scene, name, end.id)
  const run = `result-${scene.count + 1}`
  return resultOf(state.entity, id, effect, result(name, end), { run, now: scene.now })
}

function running({ state }: Scene, name: string, id: string | undefined): [EntityState, string, RunningEffect] {
  const all = Object.entries(state?.running ?? {})
  const found = all.filter(([each, { src }]) => src === name && (id === undefined || each === id))
  const [only, ...more] = found
  if (state !== undefined && only !== undefined && more.length === 0) return [state, ...only]
  if (only === undefined) {
    const others =
      all.length === 0 ? 'none does' : `these do: ${all.map(([each, { src }]) => `${src} (${each})`).join(', ')}`
    throw specInvalid(`No effect "${name}"${id === undefined ? '' : ` with id "${id}"`} runs; ${others}.`)
  }
  const ids = found.map(([each]) => each).join(', ')
  throw specInvalid(`Several effects "${name}" run: say which by its id, one of ${ids}.`)
}

function result(name: string, end: AnyEnd): EffectEnd {
  const hasError = Object.hasOwn(end, 'error')
  if (hasError === Object.hasOwn(end, 'output')) {
    throw specInvalid(`Effect "${name}" ends with an output or with an error: say one of the two.`)
  }
  if (!hasError) return { output: plainCopy(end.output ?? null, `output of effect "${name}"`) }
  const { error } = end
  // As a host tells it to a machine.
  if (error instanceof Error) return { error: { name: error.name, message: error.message } }
  return { error: plainCopy(error ?? null, `error of effect "${name}"`) }
}
