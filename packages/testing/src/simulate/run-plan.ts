// run-plan.ts: everything that will befall one run, made up before it begins, as plain JSON data: so that it can be run
// again, and made smaller.
import type { EntityId, PlainObject } from '@interstate/core'
import fc from 'fast-check'
import type { Stimulus } from '../stimulus.ts'
import type { WorldPlan } from '../world/plan.ts'
import { stimulusSources } from '../world/stimuli.ts'
import { Chance, seedFor } from './chance.ts'
import type { FaultName, FaultRates } from './fault.ts'

/** A client makes a call. */
export interface CallAction {
  readonly do: 'call'
  readonly at: number
  readonly number: number
  readonly call: 'send' | 'ask' | 'publish'
  readonly entity: EntityId
  readonly message: PlainObject & { readonly type: string }
  /** Whether it may be repeated: then it is until it is answered. */
  readonly keyed: boolean
}

/** Something goes wrong. */
export type FaultAction =
  /** The client makes a call again, that was answered or was not. */
  | { readonly do: 'redelivery'; readonly at: number; readonly number: number }
  /** For a while the store takes longer. */
  | { readonly do: 'delay'; readonly at: number; readonly ms: number; readonly forMs: number }
  /** The process ends without a word, now or at its next write, or in good order; another one starts later. */
  | {
      readonly do: 'crash' | 'crashBeforeWrite' | 'crashAfterWrite' | 'crashAfterAnswer' | 'restart'
      readonly at: number
      readonly downMs: number
    }
  /** The next write is on its way while its process ends, and comes when the next owner is at work. */
  | { readonly do: 'lateWrite'; readonly at: number; readonly downMs: number; readonly landsMs: number }
  /** The process is paused; another one takes over; the first one wakes. */
  | { readonly do: 'pause'; readonly at: number; readonly takeOverMs: number; readonly wakeMs: number }
  | { readonly do: 'lostAnswer' | 'conflict'; readonly at: number }
  /** The next writes are refused. */
  | { readonly do: 'refusedWrite'; readonly at: number; readonly why: 'fails' | 'full'; readonly times: number }
  | { readonly do: 'clockStep'; readonly at: number; readonly byMs: number }

/** One thing that will happen. Times are milliseconds after the set-up. */
export type Action = CallAction | FaultAction

/** See the file head. */
export interface RunPlan {
  readonly seed: number
  /** By its name. */
  readonly store: string
  /** Turns in one group at most: with 1 each state of an entity is seen. */
  readonly groupTurns: number
  /** Entities in memory at most. */
  readonly maxLive: number
  /** How long calls take: drawn, or always the same. */
  readonly latency: 'drawn' | 'steady'
  readonly actions: readonly Action[]
}

/** What a run is drawn from. */
export interface DrawOptions {
  readonly seed: number
  readonly stimuli: number
  readonly rates: FaultRates
  readonly stores: readonly string[]
}

/** Makes up one run. The same arguments make up the same. @throws WorldError `STIMULI_MISSING`. */
export function drawRun(plan: WorldPlan, options: DrawOptions, index: number): RunPlan {
  const seed = seedFor(options.seed, `run ${index}`)
  const chance = new Chance(seed, 'plan')
  const calls = drawCalls(plan, options.stimuli, seed, chance)
  const faults = calls.flatMap((call) => drawFaults(call, options.rates, chance))
  return {
    seed,
    // In turn, so that each store has its share however few runs there are.
    store: options.stores[index % options.stores.length] as string,
    groupTurns: chance.pick([1, 4, 256]),
    maxLive: chance.pick([1, 3, 10_000]),
    latency: 'drawn',
    actions: [...calls, ...faults].sort((one, other) => one.at - other.at),
  }
}

function drawCalls(plan: WorldPlan, count: number, seed: number, chance: Chance): readonly CallAction[] {
  const sources = [...stimulusSources(plan)].filter(([, source]) => !Array.isArray(source) || source.length > 0)
  const slots = Array.from({ length: count }, () => chance.pick(sources))
  const drawn = new Map(
    sources.map(([name, source]) => [name, draw(source, slots.filter(([each]) => each === name).length, seed, name)]),
  )
  const gaps = usualGaps(plan)
  let at = 0
  return slots.map(([name], index): CallAction => {
    at += gap(gaps, chance)
    const source = drawn.get(name) as Stimulus[]
    const { call, address, message } = source.pop() as Stimulus
    const asks = call === 'send' && chance.hits(0.3)
    const data = JSON.parse(JSON.stringify(message)) as CallAction['message']
    const entity = (address as unknown as { id(): EntityId }).id()
    return {
      do: 'call',
      at,
      number: index + 1,
      call: asks ? 'ask' : call,
      entity,
      message: data,
      keyed: chance.hits(0.8),
    }
  })
}

function draw(
  source: fc.Arbitrary<Stimulus> | readonly Stimulus[],
  count: number,
  seed: number,
  name: string,
): Stimulus[] {
  if (count === 0) return []
  const own = seedFor(seed, name)
  if (!Array.isArray(source)) return fc.sample(source as fc.Arbitrary<Stimulus>, { seed: own | 0, numRuns: count })
  const chance = new Chance(own, 'list')
  return Array.from({ length: count }, () => chance.pick(source as readonly Stimulus[]))
}

/** Waits that the machines themselves know: right around a timeout things go wrong. */
function usualGaps(plan: WorldPlan): readonly number[] {
  const delays = new Set<number>()
  for (const { machine } of plan.entities) {
    collectDelays(machine.root.config as Delaying, delays)
    for (const delay of Object.values(machine.implementations.delays)) if (typeof delay === 'number') delays.add(delay)
  }
  return [...delays]
}

interface Delaying {
  readonly after?: object
  readonly states?: Readonly<Record<string, Delaying>>
}

function collectDelays(config: Delaying, found: Set<number>): void {
  for (const delay of Object.keys(config.after ?? {})) {
    if (Number.isFinite(Number(delay)) && Number(delay) > 0) found.add(Number(delay))
  }
  for (const each of Object.values(config.states ?? {})) collectDelays(each, found)
}

function gap(usual: readonly number[], chance: Chance): number {
  const kind = chance.next()
  if (kind < 0.4) return 0
  if (kind < 0.9 || usual.length === 0) return chance.ms(1, kind < 0.7 ? 100 : 600_000)
  return Math.max(0, chance.pick(usual) + chance.pick([-50, -5, -1, 0, 1, 5, 50]))
}

function drawFaults(call: CallAction, rates: FaultRates, chance: Chance): readonly FaultAction[] {
  const faults: FaultAction[] = []
  for (const [name, rate] of Object.entries(rates) as [FaultName, number][]) {
    if (!chance.hits(rate)) continue
    // Most of what follows from a call happens within so many milliseconds.
    faults.push(drawFault(name, call.at + chance.pick([0, 1, chance.ms(1, 100)]), call, chance))
  }
  return faults
}

function drawFault(name: FaultName, at: number, { number }: CallAction, chance: Chance): FaultAction {
  const downMs = chance.ms(1, chance.hits(0.9) ? 10_000 : 86_400_000)
  switch (name) {
    case 'redelivery':
      // Up to three days: a copy is recognised whenever it comes (G7).
      return { do: name, at: at + chance.ms(1, chance.hits(0.8) ? 60_000 : 3 * 86_400_000), number }
    case 'delay':
      return { do: name, at, ms: chance.ms(10, 20_000), forMs: chance.ms(10, 60_000) }
    case 'crash':
    case 'crashBeforeWrite':
    case 'crashAfterWrite':
    case 'crashAfterAnswer':
    case 'restart':
      return { do: name, at, downMs }
    case 'lateWrite':
      return { do: name, at, downMs, landsMs: chance.ms(1, 10_000) }
    case 'pause': {
      const takeOverMs = chance.ms(100, 30_000)
      return { do: name, at, takeOverMs, wakeMs: takeOverMs + chance.ms(1, 60_000) }
    }
    case 'lostAnswer':
    case 'conflict':
      return { do: name, at }
    case 'refusedWrite':
      return { do: name, at, why: chance.pick(['fails', 'full']), times: chance.pick([1, 1, 2, 5]) }
    case 'clockStep':
      return { do: name, at, byMs: chance.ms(1, 3_600_000) * chance.pick([-1, 1]) }
    default:
      return name satisfies never
  }
}
