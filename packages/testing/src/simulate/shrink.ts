// shrink.ts: makes a run that failed smaller as long as it fails in the same way.
import { seedFor } from './chance.ts'
import type { RunPlan } from './run-plan.ts'
import type { Found } from './verdict.ts'

/** Runs a plan. Gives what it found. */
export type Try = (run: RunPlan) => Promise<Found | undefined>

/** Runs for one shrinking, at most. */
const mostTries = 1_000
/** A plan of so few actions is tried under several seeds: without its neighbours everything comes at another moment. */
const fewActions = 16
const seedsOfFew = 8

/**
 * A smaller plan that comes to the same finding: first simpler surroundings, then fewer actions, by halves, quarters, and
 * so on down to single ones (Zeller's delta debugging). The same plan shrinks to the same.
 */
export async function shrink(run: RunPlan, found: Found, attempt: Try): Promise<RunPlan> {
  let tries = 0
  const failing: Shrinker = async (candidate) => {
    for (const variant of variantsOf(candidate)) {
      if (tries >= mostTries) return undefined
      tries += 1
      const again = await attempt(variant)
      if (again?.code === found.code && again.name === found.name) return variant
    }
    return undefined
  }
  let smallest = await fewerActions(run, failing)
  // With one turn a group every state and every message is seen.
  const simpler: readonly Partial<RunPlan>[] = [
    ...((run.hosts ?? 1) > 2 ? [{ hosts: 2 }] : []),
    { groupTurns: 1 },
    { maxLive: 10_000 },
    { latency: 'steady' },
  ]
  for (const each of simpler) smallest = (await failing({ ...smallest, ...each })) ?? smallest
  return fewerActions(await earlierFaults(smallest, failing), failing)
}

/** What befalls a later write than it must makes the story longer. */
async function earlierFaults(run: RunPlan, failing: Shrinker): Promise<RunPlan> {
  let smallest = run
  for (let index = 0; index < smallest.actions.length; index += 1) {
    const action = smallest.actions[index]
    if (action === undefined || !('writes' in action)) continue
    for (let writes = 0; writes < (action.writes ?? 0); writes += 1) {
      const found = await failing({ ...smallest, actions: smallest.actions.with(index, { ...action, writes }) })
      if (found === undefined) continue
      smallest = found
      break
    }
  }
  return smallest
}

/** Gives a plan that fails as the first one did: this one, or one that differs in its seed only. */
type Shrinker = (candidate: RunPlan) => Promise<RunPlan | undefined>

function variantsOf(run: RunPlan): readonly RunPlan[] {
  const others = run.actions.length > fewActions ? 0 : seedsOfFew
  return [
    run,
    ...Array.from({ length: others }, (_, index) => ({ ...run, seed: seedFor(run.seed, `variant ${index}`) })),
  ]
}

async function fewerActions(run: RunPlan, failing: Shrinker): Promise<RunPlan> {
  let smallest = run
  let size = Math.ceil(run.actions.length / 2)
  while (size >= 1 && smallest.actions.length > 0) {
    let removed = false
    // From the end: what came after the failure goes first.
    for (let end = smallest.actions.length; end > 0; end -= size) {
      const { actions } = smallest
      const fewer = [...actions.slice(0, Math.max(0, end - size)), ...actions.slice(end)]
      const found = await failing({ ...smallest, actions: fewer })
      if (found === undefined) continue
      smallest = found
      removed = true
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!removed) break
  }
  return smallest
}
