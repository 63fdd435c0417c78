// simulate.ts: long random runs of a world: the real runtime on real stores, with faults, on a virtual clock.
import type { Definition } from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import { encodeToken } from '../failure/token.ts'
import type { Watch } from '../observe/observe.ts'
import type { WorldPlan } from '../world/plan.ts'
import { delaysOf } from './delays.ts'
import { type Settings, type SimulateOptions, settingsOf } from './options.ts'
import { withModels } from './outside.ts'
import { readRun } from './replay.ts'
import { Figures, type SimulationReport } from './report.ts'
import { Run, type RunResult } from './run.ts'
import { drawRun, type RunPlan } from './run-plan.ts'
import { shrink } from './shrink.ts'
import type { Found } from './verdict.ts'

export type { FaultName } from './fault.ts'
export type { SimulatedStore, SimulateOptions } from './options.ts'
export type { SimulationReport } from './report.ts'

/**
 * Runs a world many times on the real runtime, with faults, and holds its properties and the guarantees against
 * everything that becomes durable.
 *
 * @throws WorldError What was found, with its story and a token that runs it again; `WORLD_INVALID`, `STIMULI_MISSING`
 * and `EFFECT_WITHOUT_MODEL` before anything runs.
 */
export async function simulate(plan: WorldPlan, options: SimulateOptions): Promise<SimulationReport> {
  const settings = settingsOf(options)
  const simulation = new Simulation(plan, settings)
  const figures = new Figures()
  const { delays } = simulation
  const draw = { ...settings, delays, stores: settings.stores.map(({ name }) => name) }
  for (let index = 0; index < settings.runs; index += 1) {
    const run = drawRun(plan, draw, index)
    const { counts, found } = await simulation.run(run, { covers: true })
    figures.add(counts)
    if (found !== undefined) throw await simulation.failure(run, found, index)
  }
  for (const { name } of plan.sometimes) {
    if (simulation.seen.has(name) || plan.accepted.has(`SOMETIMES_NEVER ${name}`)) continue
    throw new WorldError(
      'SOMETIMES_NEVER',
      `"${name}" never held, in ${settings.runs} runs of seed ${settings.seed}.`,
      { name, searched: settings.runs },
    )
  }
  const sometimes = plan.sometimes.map(({ name }) => name).filter((name) => simulation.seen.has(name))
  return figures.report(settings, sometimes)
}

/**
 * Runs again what a token of a simulation stands for. Resolves when it no longer fails.
 *
 * @param run - What the token holds.
 * @throws WorldError What was found before, or is found now; `TOKEN_UNREADABLE`; `REPLAY_DIFFERS` where the world no
 * longer has what the run needs.
 */
export async function replaySimulation(plan: WorldPlan, options: SimulateOptions, run: unknown): Promise<void> {
  const settings = settingsOf(options)
  const recorded = readRun(plan, settings, run)
  const simulation = new Simulation(plan, settings)
  const { found } = await simulation.run(recorded)
  if (found !== undefined) throw await simulation.failure(recorded, found, undefined)
}

/** What all runs of one simulation share. */
export class Simulation {
  /** Names of `sometimes` that have held. */
  readonly seen: Set<string> = new Set()
  /** Of the machines' timers, in milliseconds. */
  readonly delays: readonly number[]
  readonly #plan: WorldPlan
  readonly #settings: Settings
  readonly #definitions: readonly Definition[]
  readonly #refused = new Map<string, WorldError>()
  #present: Run | undefined
  #covers = false

  constructor(plan: WorldPlan, settings: Settings) {
    this.#plan = plan
    this.#settings = settings
    this.delays = delaysOf(plan.entities)
    this.#definitions = withModels(plan, {
      perform: (asked) => {
        if (this.#present === undefined) throw new Error('No run is under way.')
        return this.#present.perform(asked)
      },
      refused: (type, error) => void this.#refused.set(type, error),
      watch: watchWhile(plan.coverage?.watch ?? {}, () => this.#covers),
    })
  }

  /** @param options - `covers`: it counts for the coverage. What is run again shows nothing that was not seen before. */
  async run(run: RunPlan, { covers = false }: { readonly covers?: boolean } = {}): Promise<RunResult> {
    const { stores, policies, onRun } = this.#settings
    const { open } = stores.find(({ name }) => name === run.store) as Settings['stores'][number]
    this.#covers = covers
    this.#refused.clear()
    this.#present = new Run(
      {
        plan: this.#plan,
        definitions: this.#definitions,
        delays: this.delays,
        store: { name: run.store, open },
        policies,
        seen: this.seen,
        coverage: covers ? this.#plan.coverage?.listener : undefined,
        refused: (type) => this.#takeRefused(type),
        isLogged: onRun !== undefined,
      },
      run,
    )
    const result = await this.#present.go()
    onRun?.(result.log)
    return result
  }

  /** An observed machine refuses what no turn may do; right after it its host tells of a failed turn. */
  #takeRefused(type: string): WorldError | undefined {
    const error = this.#refused.get(type)
    this.#refused.delete(type)
    return error
  }

  /** The failure to throw: the smallest run that is found to fail so, and its story. */
  async failure(run: RunPlan, found: Found, index: number | undefined): Promise<WorldError> {
    const smallest =
      index === undefined ? run : await shrink(run, found, async (candidate) => (await this.run(candidate)).found)
    const again = await this.run(smallest)
    const { code, name, what, cause } = again.found ?? found
    const { seed, runs, faults, stimuli, hosts } = this.#settings
    const where =
      index === undefined
        ? `Found when it was run again on ${run.store}.`
        : `Found in run ${index + 1} of ${runs}, seed ${seed}, up to ${stimuli} calls, faults ${faults}, on ${run.store}.`
    const told = { policies: this.#settings.policies, ...(hosts === 1 ? {} : { hosts }) }
    const token = encodeToken({ by: 'simulate', options: told, run: smallest })
    const about = { ...(name === '' ? {} : { name }), ...(index === undefined ? {} : { searched: index + 1 }) }
    return new WorldError(code, `${what} ${where}`, { ...about, story: again.story, token, cause })
  }
}

/** Tells a watch as long as something is so. */
function watchWhile({ entered, left, taken, guarded }: Watch, isSo: () => boolean): Watch {
  return {
    entered: (...what) => (isSo() ? entered?.(...what) : undefined),
    left: (...what) => (isSo() ? left?.(...what) : undefined),
    taken: (...what) => (isSo() ? taken?.(...what) : undefined),
    guarded: (...what) => (isSo() ? guarded?.(...what) : undefined),
  }
}
