// run-plan.ts: everything that will befall one run, made up before it begins, as plain JSON data: so that it can be run
// again, and made smaller.
import type { EntityId, PlainObject } from '@interstate/core'
import fc from 'fast-check'
import type { Stimulus } from '../stimulus.ts'
import type { WorldPlan } from '../world/plan.ts'
import { stimulusSources } from '../world/stimuli.ts'
import { Chance, seedFor } from './chance.ts'
import { around } from './delays.ts'
import { type FaultName, type FaultRates, sharedFaults } from './fault.ts'

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
  /** Which of the hosts that live then, counted round. */
  readonly host?: number
}

/** Something befalls a write: the next one, or one after so many others. */
export type WriteAction = { readonly at: number; readonly writes?: number; readonly host?: number } & (
  | { readonly do: 'crashBeforeWrite' | 'crashAfterWrite' | 'crashAfterAnswer'; readonly downMs: number }
  /** It is on its way while its process ends, and comes when the next owner is at work. */
  | { readonly do: 'lateWrite'; readonly downMs: number; readonly landsMs: number }
  | { readonly do: 'lostAnswer' | 'conflict' }
  /** It is refused, and so are the next ones. */
  | { readonly do: 'refusedWrite'; readonly why: 'fails' | 'full'; readonly times: number }
)

/** Something goes wrong. */
export type FaultAction =
  | WriteAction
  /** The client makes a call again, that was answered or was not. */
  | { readonly do: 'redelivery'; readonly at: number; readonly number: number }
  /** For a while the store takes longer. */
  | { readonly do: 'delay'; readonly at: number; readonly ms: number; readonly forMs: number }
  /** The process ends without a word, or in good order; another one starts later. */
  | { readonly do: 'crash' | 'restart'; readonly at: number; readonly downMs: number; readonly host?: number }
  /** The process is paused; another one takes over; the first one wakes. */
  | {
      readonly do: 'pause'
      readonly at: number
      readonly takeOverMs: number
      readonly wakeMs: number
      readonly host?: number
    }
  | { readonly do: 'clockStep'; readonly at: number; readonly byMs: number }
  /** For a while what hosts tell each other is lost. */
  | { readonly do: 'lostBell'; readonly at: number; readonly forMs: number }
  /** One more host comes, and leaves later. */
  | { readonly do: 'join'; readonly at: number; readonly forMs: number }
  /** For a while a host does not reach the store. */
  | { readonly do: 'cutOff'; readonly at: number; readonly forMs: number; readonly host?: number }

/** One thing that will happen. Times are milliseconds after the set-up. */
export type Action = CallAction | FaultAction

/** See the file head. */
export interface RunPlan {
  readonly seed: number
  /** By its name. */
  readonly store: string
  /** Hosts that live at once; left out for one. */
  readonly hosts?: number
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
  readonly hosts: number
  /** Of the machines' timers, in milliseconds. */
  readonly delays: readonly number[]
}

/** How the calls of a run lie in time. */
type Shape =
  /** Many calls, some at once and some far apart. */
  | 'long'
  /** Few calls, and long waits between them. */
  | 'few'
  /** Few calls at nearly the same time. */
  | 'together'

/** Runs of few calls cost next to nothing, and each fault of theirs has all the time that it needs. */
const shapes: readonly Shape[] = ['long', 'few', 'together']
/** Calls in a run of few, at most. */
const fewCalls = 6
/** Writes that follow from one call, most often. */
const mostWrites = 8
/** More often than with one call in so many a fault is made no more frequent. */
const mostOfFew = 0.2

/** Makes up one run. The same arguments make up the same. @throws WorldError `STIMULI_MISSING`. */
export function drawRun(plan: WorldPlan, options: DrawOptions, index: number): RunPlan {
  const seed = seedFor(options.seed, `run ${index}`)
  const chance = new Chance(seed, 'plan')
  // In turn, and so are the stores: each has its share of each, however few runs there are.
  const shape = shapes[Math.floor(index / options.stores.length) % shapes.length] as Shape
  const count = shape === 'long' ? options.stimuli : Math.min(options.stimuli, 1 + chance.below(fewCalls))
  const spread = spreadOver(options.hosts, seed)
  const calls = drawCalls(plan, { ...options, stimuli: count }, shape, seed, chance).map(spread)
  const rates = ratesFor(options, count)
  const faults = calls.flatMap((call) => drawFaults(call, rates, { delays: options.delays, chance })).map(spread)
  return {
    seed,
    store: options.stores[index % options.stores.length] as string,
    groupTurns: chance.pick([1, 4, 256]),
    maxLive: chance.pick([1, 3, 10_000]),
    latency: 'drawn',
    actions: [...calls, ...faults].sort((one, other) => one.at - other.at),
    ...(options.hosts === 1 ? {} : { hosts: options.hosts }),
  }
}

/** Says of whatever meets one host which one. By a chance of its own: where there is one, nothing else changes. */
function spreadOver(hosts: number, seed: number): <A extends Action>(action: A) => A {
  if (hosts === 1) return (action) => action
  const chance = new Chance(seed, 'hosts')
  return (action) => (meetsOne(action) ? { ...action, host: chance.below(hosts) } : action)
}

function meetsOne({ do: what }: Action): boolean {
  return !['redelivery', 'delay', 'clockStep', 'lostBell', 'join'].includes(what)
}

function drawCalls(
  plan: WorldPlan,
  { stimuli, delays }: DrawOptions,
  shape: Shape,
  seed: number,
  chance: Chance,
): readonly CallAction[] {
  const sources = [...stimulusSources(plan)].filter(([, source]) => !Array.isArray(source) || source.length > 0)
  const slots = Array.from({ length: stimuli }, () => chance.pick(sources))
  const drawn = new Map(
    sources.map(([name, source]) => [name, draw(source, slots.filter(([each]) => each === name).length, seed, name)]),
  )
  let at = 0
  return slots.map(([name], index): CallAction => {
    at += gap(shape, delays, chance)
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
  return inTurn(source as readonly Stimulus[], count, new Chance(own, 'list'))
}

/** All of a list in some order, before any comes again. */
function inTurn<T>(list: readonly T[], count: number, chance: Chance): T[] {
  const drawn: T[] = []
  let left: T[] = []
  while (drawn.length < count) {
    if (left.length === 0) left = [...list]
    drawn.push(...left.splice(chance.below(left.length), 1))
  }
  return drawn
}

function gap(shape: Shape, delays: readonly number[], chance: Chance): number {
  if (shape === 'together') return chance.hits(0.5) ? 0 : chance.ms(1, 200)
  const kind = chance.next()
  if (shape === 'long' && kind < 0.4) return 0
  if (kind < 0.7) return chance.ms(1, shape === 'long' ? 100 : 5_000)
  return kind < 0.85 || delays.length === 0 ? chance.ms(1, 600_000) : around(delays, chance)
}

/** What faults are drawn with. */
interface Draw {
  readonly delays: readonly number[]
  readonly chance: Chance
}

type Rates = readonly (readonly [FaultName, number])[]

/** A run of few calls has as many faults as one of many, as far as that leaves the calls their time. */
function ratesFor({ rates, stimuli, hosts }: DrawOptions, count: number): Rates {
  const named = Object.entries(rates) as [FaultName, number][]
  const all = named.filter(([name]) => hosts > 1 || !sharedFaults.has(name))
  return all.map(([name, rate]) => [name, Math.max(rate, Math.min(mostOfFew, (rate * stimuli) / count))])
}

function drawFaults(call: CallAction, rates: Rates, draw: Draw): readonly FaultAction[] {
  const { chance } = draw
  const faults: FaultAction[] = []
  for (const [name, rate] of rates) {
    if (!chance.hits(rate)) continue
    // Most of what follows from a call happens within so many milliseconds, one write every ten or twenty of them.
    const after = chance.pick([0, chance.below(100), chance.below(100), chance.below(300), chance.ms(1, 5_000)])
    faults.push(drawFault(name, call.at + after, call, draw))
  }
  return faults
}

/** How long something lasts: any time, or about as long as a timer of the machines, which then fires first. */
function lasting(least: number, most: number, { delays, chance }: Draw): number {
  const any = chance.ms(least, most)
  return delays.length > 0 && chance.hits(0.5) ? Math.max(least, around(delays, chance)) : any
}

function drawFault(name: FaultName, at: number, { number }: CallAction, draw: Draw): FaultAction {
  const { chance } = draw
  const downMs = lasting(1, chance.hits(0.9) ? 10_000 : 86_400_000, draw)
  const writes = chance.below(mostWrites)
  switch (name) {
    case 'redelivery':
      // Up to three days: a copy is recognised whenever it comes (G7).
      return { do: name, at: at + chance.ms(1, chance.hits(0.8) ? 60_000 : 3 * 86_400_000), number }
    case 'delay':
      return { do: name, at, ms: lasting(10, 20_000, draw), forMs: lasting(10, 60_000, draw) }
    case 'crash':
    case 'restart':
      return { do: name, at, downMs }
    case 'crashBeforeWrite':
    case 'crashAfterWrite':
    case 'crashAfterAnswer':
      return { do: name, at, writes, downMs }
    case 'lateWrite':
      return { do: name, at, writes, downMs, landsMs: chance.ms(1, 10_000) }
    case 'pause': {
      const takeOverMs = lasting(100, 30_000, draw)
      return { do: name, at, takeOverMs, wakeMs: takeOverMs + chance.ms(1, 60_000) }
    }
    case 'lostAnswer':
    case 'conflict':
      return { do: name, at, writes }
    case 'refusedWrite':
      return { do: name, at, writes, why: chance.pick(['fails', 'full']), times: chance.pick([1, 1, 2, 5]) }
    case 'clockStep':
      return { do: name, at, byMs: chance.ms(1, 3_600_000) * chance.pick([-1, 1]) }
    case 'lostBell':
    case 'join':
    case 'cutOff':
      return { do: name, at, forMs: lasting(100, 60_000, draw) }
    default:
      return name satisfies never
  }
}
