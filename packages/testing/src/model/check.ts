// check.ts: looks for a flaw in all that a world may do at small scope, and says what was looked at.
import { InterstateError, Wiring } from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import { encodeToken } from '../failure/token.ts'
import { observed, watches } from '../observe/observe.ts'
import type { WorldPlan } from '../world/plan.ts'
import { drawStimuli, type NamedStimulus } from '../world/stimuli.ts'
import { type Assumptions, Disproved, nothingLookedAt } from './assumptions.ts'
import { messagesOf } from './calls.ts'
import { place, type State } from './layout.ts'
import { markOf, narrate, type Path } from './narrate.ts'
import { Watch } from './properties.ts'
import { Reached } from './reached.ts'
import { Reduction } from './reduction.ts'
import { comesToRest, mostDeliveries, type Rest } from './rest.ts'
import { type Found, invariantBroken, loopFrom, Search, type Searched } from './search.ts'
import type { Successor } from './successor.ts'
import { Symmetry } from './symmetry.ts'
import { System } from './system.ts'

/** How much a check looks at. */
export interface CheckOptions {
  /** Calls from outside, in all. Default 3. */
  readonly stimuli?: number
  /** Calls that a client repeats without an idempotency key. Default 0. */
  readonly duplicates?: number
  /** Crashes after which effects run again. Default 1. */
  readonly crashes?: number
  /** Values drawn of each arbitrary. Default 3. */
  readonly values?: number
  /** For what is drawn. Default 1. */
  readonly seed?: number
  /** States to look at, at most. Default 200,000. */
  readonly maxStates?: number
  /** What becomes of states of machines that were never reached: by default a failure. */
  readonly unreached?: 'fail' | 'report'
  /** Hears from time to time how far it is. */
  readonly onProgress?: (progress: { readonly states: number; readonly frontier: number }) => void
}

/** What a check that found nothing has looked at. */
export interface CheckReport {
  /** Different states of the whole system. */
  readonly states: number
  /** Steps between them. */
  readonly steps: number
  /** Steps from the beginning to the farthest state. */
  readonly depth: number
  /** Different turns that were decided, each twice. */
  readonly turns: number
  /** States in which commuting deliveries were taken in one order only. */
  readonly reduced: number
  /** How long it took, in milliseconds. */
  readonly ms: number
  /** States of machines that were never reached, where that is no failure. */
  readonly unreached: readonly string[]
  /** All options, defaults included. */
  readonly options: Required<Omit<CheckOptions, 'onProgress'>>
  toString(): string
}

type Settings = CheckReport['options']

/**
 * Looks at every order of deliveries, timers, repeated calls and crashes.
 *
 * @throws WorldError what it found, with a shortest story; `SEARCH_STOPPED` where a bound stopped it before the end.
 */
export async function check(plan: WorldPlan, options: CheckOptions): Promise<CheckReport> {
  const settings = settingsOf(options)
  const pool = drawStimuli(plan, settings)
  const begin = performance.now()
  return assuming(nothingLookedAt, (assumptions) =>
    new Check(plan, settings, pool, assumptions).run(begin, options.onProgress),
  )
}

/** Starts anew where an assumption turns out to be wrong. */
async function assuming<T>(assumptions: Assumptions, search: (assumptions: Assumptions) => Promise<T>): Promise<T> {
  try {
    return await search(assumptions)
  } catch (error) {
    if (!(error instanceof Disproved)) throw error
    return assuming(error.assumptions, search)
  }
}

/** Runs the story of a token again. */
export async function replayCheck(plan: WorldPlan, options: CheckOptions, run: unknown): Promise<void> {
  const settings = settingsOf(options)
  const { marks, assumptions } = runOf(run)
  const pool = drawStimuli(plan, settings)
  await assuming(assumptions, (each) => new Check(plan, settings, pool, each).replay(marks))
}

class Check {
  readonly #plan: WorldPlan
  readonly #settings: Settings
  readonly #assumptions: Assumptions
  readonly #system: System
  readonly #reached: Reached

  constructor(plan: WorldPlan, settings: Settings, pool: readonly NamedStimulus[], assumptions: Assumptions) {
    this.#plan = plan
    this.#settings = settings
    this.#assumptions = assumptions
    this.#reached = new Reached(plan)
    const watch = watches([this.#reached.watch, plan.coverage?.watch], () => !this.#system.turns.isProbing)
    const wiring = new Wiring(plan.entities.map((definition) => observed(definition, watch)))
    const exchanged = new Set(plan.interchangeable.flatMap(({ keys }) => keys))
    const canon = { assumptions, abstractions: plan.abstractions, exchanged, stems: new Set<string>() }
    checkCalls(wiring, pool)
    this.#system = new System(plan, wiring, pool, settings, canon, (...turn) => plan.coverage?.turn(...turn))
  }

  async run(begin: number, onProgress: CheckOptions['onProgress']): Promise<CheckReport> {
    const initial = this.#setUp()
    const symmetry = new Symmetry(this.#plan, this.#system)
    symmetry.check(initial)
    this.#checkRest(initial)
    const searched = await this.#search(initial, symmetry, this.#settings.maxStates, onProgress)
    this.#judge(initial, searched)
    return this.#report(searched, performance.now() - begin)
  }

  async replay(marks: readonly string[]): Promise<void> {
    const initial = this.#setUp()
    const path = this.#find(initial, marks)
    const { states, successors } = this.#walk(initial, path)
    successors.forEach(({ trouble, state }, index) => {
      const broken = trouble ?? this.#broken(state)
      if (broken !== undefined) throw this.#failure(initial, { ...broken, path: path.slice(0, index + 1) })
    })
    if (path.length < marks.length) return
    // What is left to find needs nobody outside: who is stuck, what goes round, what never comes.
    const calm = (states.at(-1) as State).with(place.stimuli, 0).with(place.duplicates, 0).with(place.crashes, 0)
    if (!comesToRest(this.#system, calm, { effects: false }).isAtRest) throw this.#failure(initial, loopFrom(path))
    const symmetry = new Symmetry({ ...this.#plan, interchangeable: [] }, this.#system)
    const { found } = await this.#search(calm, symmetry, this.#settings.maxStates)
    if (found !== undefined) throw this.#failure(initial, { ...found, path })
  }

  /**
   * The steps with these marks, as far as they can be taken.
   * @throws WorldError `REPLAY_DIFFERS` where not even the first can.
   */
  #find(initial: State, marks: readonly string[]): readonly number[] {
    const path: number[] = []
    let state = initial
    for (const mark of marks) {
      const all = this.#system.successors(state)
      const ordinal = all.findIndex((each) => markOf(this.#system, state, each) === mark)
      if (ordinal < 0) break
      path.push(ordinal)
      state = (all[ordinal] as Successor).state
    }
    if (path.length > 0 || marks.length === 0) return path
    throw new WorldError('REPLAY_DIFFERS', 'The story of this token begins with a step that this world does not know.')
  }

  #broken(state: State): Omit<Found, 'path'> | undefined {
    const watch = new Watch(this.#plan, () => {})
    const moment = this.#system.moment(state)
    const property = this.#plan.always.find((each) => !watch.holds(each, moment))
    return property === undefined ? undefined : invariantBroken(property)
  }

  #search(initial: State, symmetry: Symmetry, maxStates: number, onProgress: CheckOptions['onProgress'] = () => {}) {
    const reduction = new Reduction(this.#system)
    return new Search(this.#plan, this.#system, symmetry, reduction, { maxStates, onProgress }).run(initial)
  }

  /** Makes the calls of the set-up, and handles all that comes of them. */
  #setUp(): State {
    let state = this.#system.empty
    for (const [index, stimulus] of this.#plan.setup.entries()) {
      const called = this.#system.call(state, stimulus, `setup-${index + 1}`)
      const rest = comesToRest(this.#system, called.state, { effects: true })
      const trouble = called.trouble ?? rest.trouble
      const isRefused = called.outcome === 'rejected' || called.outcome === 'late'
      if (trouble !== undefined || isRefused || !rest.isAtRest) {
        const why = trouble?.what ?? (isRefused ? 'It is refused.' : 'What comes of it never comes to rest.')
        const what = `Call ${index + 1} of the set-up (${stimulus.message.type}) fails. ${why}`
        throw new WorldError('WORLD_INVALID', what, { cause: trouble?.cause })
      }
      state = rest.state
    }
    return state
  }

  /** What is thrown on the way the search will meet as well, and tell with its story. */
  #rest(state: State): Pick<Rest, 'isAtRest' | 'ordinals'> {
    try {
      return comesToRest(this.#system, state, { effects: false })
    } catch (error) {
      if (error instanceof WorldError) return { isAtRest: true, ordinals: [] }
      throw error
    }
  }

  /** A loop in which something grows never closes in the graph; it is looked for by following it. */
  #checkRest(initial: State): void {
    if (this.#plan.accepted.has('MESSAGES_LOOP')) return
    this.#system.successors(initial).forEach(({ state, trouble }, ordinal) => {
      if (trouble !== undefined) return
      const { isAtRest, ordinals } = this.#rest(state)
      if (isAtRest || ordinals.length < mostDeliveries) return
      throw this.#failure(initial, loopFrom([ordinal, ...ordinals.slice(0, 6)]))
    })
  }

  /** @throws WorldError unless all was looked at, and nothing found. */
  #judge(initial: State, { found, frontier, graph, seen }: Searched): void {
    if (found !== undefined) throw this.#failure(initial, found, graph.size)
    if (frontier > 0) {
      const what = `The search stopped at ${format(graph.size)} states, ${format(frontier)} of them on the frontier.`
      throw new WorldError('SEARCH_STOPPED', what, { searched: graph.size })
    }
    for (const { name } of this.#plan.sometimes) {
      if (seen.has(name)) continue
      const what = `"${name}" holds in none of ${format(graph.size)} states.`
      throw new WorldError('SOMETIMES_NEVER', what, { name, searched: graph.size })
    }
    const missing = this.#settings.unreached === 'fail' ? this.#unreached() : []
    if (missing[0] === undefined) return
    const what = `Of ${format(graph.size)} states none reaches ${missing.join(', ')}.`
    throw new WorldError('STATE_UNREACHED', what, { name: missing[0], searched: graph.size })
  }

  #unreached(): readonly string[] {
    return this.#reached.missing().filter((state) => !this.#plan.accepted.has(`STATE_UNREACHED ${state}`))
  }

  #failure(initial: State, { code, name, what, path, cause }: Found, searched = 0): WorldError {
    const walked = this.#walk(initial, path)
    const story = narrate(this.#system, walked)
    const marks = walked.successors.map((each, index) => markOf(this.#system, walked.states[index] as State, each))
    const { time, identity } = this.#assumptions
    const run = { marks, time, identity }
    const token = encodeToken({ by: 'check', options: { ...this.#settings }, run })
    return new WorldError(code, what, { ...(name === '' ? {} : { name }), story, token, searched, cause })
  }

  #walk(initial: State, path: readonly number[]): Path {
    const states: State[] = [initial]
    const successors: Successor[] = []
    for (const ordinal of path) {
      const next = this.#system.successors(states.at(-1) as State)[ordinal] as Successor
      states.push(next.state)
      successors.push(next)
    }
    return { states, successors }
  }

  #report({ graph, reduced }: Searched, ms: number): CheckReport {
    const depth = graph.size === 0 ? 0 : graph.depth(graph.size - 1)
    const unreached = this.#unreached()
    const options = this.#settings
    const report = { states: graph.size, steps: graph.edges, depth, turns: this.#system.turns.decided, reduced, ms }
    return { ...report, unreached, options, toString: () => reportText({ ...report, unreached, options }) }
  }
}

/** @throws WorldError `WORLD_INVALID` for a stimulus that a host would refuse. */
function checkCalls(wiring: Wiring, pool: readonly NamedStimulus[]): void {
  for (const { name, stimulus } of pool) {
    try {
      messagesOf(wiring, stimulus, 'call')
    } catch (cause) {
      if (!(cause instanceof InterstateError)) throw cause
      throw new WorldError('WORLD_INVALID', `A host would refuse stimulus "${name}". ${cause.message}`, { cause })
    }
  }
}

function reportText({ states, steps, depth, turns, reduced, ms, options }: Omit<CheckReport, 'toString'>): string {
  const { stimuli, duplicates, crashes, seed } = options
  const scope = `${stimuli} stimuli, ${duplicates} duplicates, ${crashes} crashes, seed ${seed}`
  const size = `${format(states)} states, ${format(steps)} steps, depth ${depth}, ${format(turns)} turns`
  const speed = `${(ms / 1_000).toFixed(1)} s, ${format(Math.round((states / ms) * 1_000))} states a second`
  return `Nothing found in all of ${size}: ${scope}; ${format(reduced)} states reduced; ${speed}.`
}

function format(count: number): string {
  return count.toLocaleString('en')
}

const defaults: Settings = {
  stimuli: 3,
  duplicates: 0,
  crashes: 1,
  values: 3,
  seed: 1,
  maxStates: 200_000,
  unreached: 'fail',
}

/** @throws WorldError `WORLD_INVALID` for a bound that is no count. */
function settingsOf({ onProgress: _, ...options }: CheckOptions): Settings {
  const settings = { ...defaults, ...options }
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(defaults, name)) throw new WorldError('WORLD_INVALID', `A check has no option "${name}".`)
    const isFit = name === 'unreached' ? value === 'fail' || value === 'report' : Number.isSafeInteger(value)
    if (isFit && !(Number(value) < 0)) continue
    const wanted = name === 'unreached' ? "'fail' or 'report'" : 'a whole number from 0'
    throw new WorldError('WORLD_INVALID', `The check has ${name} = ${String(value)}; it takes ${wanted}.`)
  }
  return settings
}

/** @throws WorldError `TOKEN_UNREADABLE`. */
function runOf(run: unknown): { readonly marks: readonly string[]; readonly assumptions: Assumptions } {
  const { marks, time, identity } = (run ?? {}) as { marks?: unknown; time?: unknown; identity?: unknown }
  const isPath = Array.isArray(marks) && marks.every((each) => typeof each === 'string')
  if (!isPath) throw new WorldError('TOKEN_UNREADABLE', 'The token holds no story.')
  const looked = { time: time === true, identity: identity === true }
  return { marks, assumptions: { ...nothingLookedAt, ...looked, visible: 'all' } }
}
