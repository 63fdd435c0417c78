// find.ts: looks for a bug, in a process of its own into whose sources it may have been planted. Prints what it found as JSON.
// First the simulation of the house as a world; where that finds nothing, the house under plans of its own: with turns that
// fail, dead letters, purged keys.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreDriver } from '@interstate/core'
import { memoryStore } from '@interstate/store-memory'
import { sqliteStore } from '@interstate/store-sqlite'
import { WorldError } from '@interstate/testing'
import fc from 'fast-check'
import { type Plan, plans } from './plan.ts'
import { play } from './run.ts'
import { houseWorld } from './world.ts'

/** What was found. */
export interface Finding {
  readonly by: 'simulate' | 'plans'
  readonly what: string
  readonly runs: number
  /** Of the story, where there is one. */
  readonly steps: number | undefined
  /** Of processor time: others may be at work on the machine. */
  readonly seconds: number
}

const [kind = 'memory'] = process.argv.slice(2)
// A file is slower; what is particular to it shows soon. Hosts that share a store are simulated; a plan has one at a time.
const effort: Readonly<Record<string, readonly [number, number]>> = { sqlite: [10, 20], shards: [60, 20] }
const [simulated, planned] = effort[kind] ?? [40, 80]

/** Of the thirty that there are. */
const enoughSeconds = 12

const found = (await simulate()) ?? (await playPlans())
process.stdout.write(`${JSON.stringify(found ?? null)}\n`)
process.exit(found === undefined ? 0 : 1)

function seconds(): number {
  const { user, system } = process.cpuUsage()
  return Math.round((user + system) / 100_000) / 10
}

function open(): { readonly store: StoreDriver; reopen(): StoreDriver; dispose(): Promise<void> } {
  if (kind !== 'sqlite') {
    const store = kind === 'shards' ? memoryStore({ scope: 'shard', shards: 8 }) : memoryStore()
    return { store, reopen: () => store, dispose: async () => {} }
  }
  const directory = mkdtempSync(join(tmpdir(), 'interstate-'))
  const fresh = (): StoreDriver => sqliteStore({ path: join(directory, 'store.db'), durability: 'process-crash-only' })
  return { store: fresh(), reopen: fresh, dispose: async () => rmSync(directory, { recursive: true, force: true }) }
}

/** A store of the simulation: closed when the run is over, and gone with it. */
function simulatedStore() {
  const { store, reopen, dispose } = open()
  let current = store
  return {
    store,
    reopen: async () => {
      await current.close()
      current = reopen()
      return current
    },
    close: async () => {
      await current.close()
      await dispose()
    },
  }
}

async function simulate(): Promise<Finding | undefined> {
  const stores = [{ name: kind, open: simulatedStore }]
  try {
    const hosts = kind === 'shards' ? 3 : 1
    await houseWorld.simulate({ runs: simulated, faults: 'harsh', seed: 3, hosts, stores })
    return undefined
  } catch (error) {
    if (!(error instanceof WorldError))
      return { by: 'simulate', what: String(error), runs: 0, steps: undefined, seconds: seconds() }
    const runs = Number(/run (\d+) of/.exec(error.message)?.[1] ?? 0)
    const what = error.message.split('\n')[0] ?? error.code
    return { by: 'simulate', what, runs, steps: error.story?.steps.length, seconds: seconds() }
  }
}

async function playPlans(): Promise<Finding | undefined> {
  for (const [index, plan] of fc.sample(plans, { numRuns: planned, seed: 1 }).entries()) {
    const what = await wrongIn(plan)
    if (what === undefined) continue
    const { steps } = await shortened(plan)
    return { by: 'plans', what, runs: index + 1, steps: steps.length, seconds: seconds() }
  }
  return undefined
}

async function wrongIn(plan: Plan): Promise<string | undefined> {
  const { store, dispose } = open()
  try {
    return (await play(plan, () => ({ store, dispose }))).wrong[0]
  } catch (error) {
    return String(error)
  }
}

/** Leaves out what is not needed, latest first, as long as there is time. */
async function shortened(plan: Plan): Promise<Plan> {
  let shortest = plan
  for (let at = plan.steps.length - 1; at >= 0 && seconds() < enoughSeconds; at -= 1) {
    const candidate = { ...shortest, steps: shortest.steps.toSpliced(at, 1) }
    if ((await wrongIn(candidate)) !== undefined) shortest = candidate
  }
  return shortest
}
