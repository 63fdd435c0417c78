// options.ts: what a simulation is told, checked and with its defaults.
import type { Policies } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { WorldError } from '../failure/error.ts'
import type { StoreUnderTest } from '../store-contract/guarantee.ts'
import { type FaultName, type FaultRates, faultLevels, faultNames } from './fault.ts'

/** A kind of store that runs are held on. */
export interface SimulatedStore {
  readonly name: string
  /** A fresh store for each run. */
  readonly open: () => StoreUnderTest | Promise<StoreUnderTest>
}

/** What `World.simulate` takes. */
export interface SimulateOptions {
  /** Default 100. */
  readonly runs?: number
  /** Everything follows from it. Default 1. */
  readonly seed?: number
  /** Calls from outside in a run, at most; two runs of three make a few only. Default 30. */
  readonly stimuli?: number
  /**
   * How much goes wrong; or each fault's rate, from 0 for never to 1 for with every call. In runs of few calls faults come
   * more often. Default `mild`.
   */
  readonly faults?: 'none' | 'mild' | 'harsh' | Partial<Readonly<Record<FaultName, number>>>
  /**
   * Hosts that live at once and share the store, which must be one that can be shared. Calls enter by any of them, faults
   * strike any of them. Default 1: one after the other.
   */
  readonly hosts?: number
  /** Runs take turns on them. Default: a store in memory; where there are several hosts, one by shards. */
  readonly stores?: readonly SimulatedStore[]
  /** How hosts work. `groupTurns` and `maxLive` are drawn for each run unless they are said here. */
  readonly policies?: Policies
  /** Hears of each run that ended, those of a shrinking included: everything that happened, line by line. */
  readonly onRun?: (log: readonly string[]) => void
}

/** Options with their defaults. */
export interface Settings {
  readonly runs: number
  readonly seed: number
  readonly stimuli: number
  readonly faults: string
  readonly rates: FaultRates
  readonly hosts: number
  readonly stores: readonly SimulatedStore[]
  readonly policies: Policies
  readonly onRun: ((log: readonly string[]) => void) | undefined
}

const memory: SimulatedStore = {
  name: 'memory',
  open: () => {
    const store = memoryStore()
    return { store, reopen: async () => store }
  },
}

/** Few shards: each host has some, and each lane carries something. */
const memoryByShards: SimulatedStore = {
  name: 'memory by shards',
  open: () => {
    const store = memoryStore({ scope: 'shard', shards: 8 })
    return { store, reopen: async () => store }
  },
}

/** @throws WorldError `WORLD_INVALID`. */
export function settingsOf(options: SimulateOptions): Settings {
  const {
    runs = 100,
    seed = 1,
    stimuli = 30,
    faults = 'mild',
    hosts = 1,
    stores = [hosts > 1 ? memoryByShards : memory],
    policies = {},
    onRun,
    ...odd
  } = options
  for (const name of Object.keys(odd)) throw invalid(`A simulation has no option "${name}".`)
  checkCount('runs', runs, 1)
  checkCount('stimuli', stimuli, 1)
  checkCount('seed', seed, 0)
  checkCount('hosts', hosts, 1)
  if (stores.length === 0) throw invalid('There is no store to run on.')
  const names = new Set(stores.map(({ name }) => name))
  if (names.size < stores.length) throw invalid('Two stores have one name.')
  const text = typeof faults === 'string' ? faults : JSON.stringify(faults)
  return { runs, seed, stimuli, faults: text, rates: ratesOf(faults), hosts, stores, policies, onRun }
}

function ratesOf(faults: NonNullable<SimulateOptions['faults']>): FaultRates {
  if (typeof faults === 'string') {
    const level = Object.hasOwn(faultLevels, faults) ? faultLevels[faults] : undefined
    if (level === undefined) throw invalid(`Faults are none, mild or harsh, not "${faults}".`)
    return level
  }
  for (const [name, rate] of Object.entries(faults)) {
    if (!faultNames.includes(name as FaultName)) {
      throw invalid(`There is no fault "${name}"; there are ${faultNames.join(', ')}.`)
    }
    if (!(rate >= 0 && rate <= 1)) throw invalid(`The rate of ${name} is ${rate}; it goes from 0 to 1.`)
  }
  return { ...faultLevels.none, ...faults }
}

function checkCount(name: string, count: number, least: number): void {
  if (Number.isSafeInteger(count) && count >= least) return
  throw invalid(`${name} is ${count}; it is a whole number from ${least}.`)
}

function invalid(what: string): WorldError {
  return new WorldError('WORLD_INVALID', what)
}
