// shrink.ts: makes a run that failed smaller as long as it fails in the same way.
import type { Found } from './judge.ts'
import type { Action, RunPlan } from './run-plan.ts'

/** Runs a plan. Gives what it found. */
export type Try = (run: RunPlan) => Promise<Found | undefined>

/** Runs for one shrinking, at most. */
const mostTries = 400

/**
 * A smaller plan that comes to the same finding: first simpler surroundings, then fewer actions, by halves, quarters, and
 * so on down to single ones (Zeller's delta debugging). The same plan shrinks to the same.
 */
export async function shrink(run: RunPlan, found: Found, attempt: Try): Promise<RunPlan> {
  let tries = 0
  const fails = async (candidate: RunPlan): Promise<boolean> => {
    if (tries >= mostTries) return false
    tries += 1
    const again = await attempt(candidate)
    return again?.code === found.code && again.name === found.name
  }
  let smallest = run
  const take = async (candidate: RunPlan): Promise<void> => {
    if (await fails(candidate)) smallest = candidate
  }
  smallest = await fewerActions(smallest, fails)
  await take({ ...smallest, latency: 'steady' })
  // With one turn a group every state and every message is seen.
  if (smallest.groupTurns !== 1) await take({ ...smallest, groupTurns: 1 })
  if (smallest.maxLive !== 10_000) await take({ ...smallest, maxLive: 10_000 })
  return fewerActions(smallest, fails)
}

async function fewerActions(run: RunPlan, fails: (candidate: RunPlan) => Promise<boolean>): Promise<RunPlan> {
  let { actions } = run
  let size = Math.ceil(actions.length / 2)
  while (size >= 1 && actions.length > 0) {
    let removed = false
    // From the end: what came after the failure goes first.
    for (let end = actions.length; end > 0; end -= size) {
      const start = Math.max(0, end - size)
      const fewer: readonly Action[] = [...actions.slice(0, start), ...actions.slice(end)]
      if (!(await fails({ ...run, actions: fewer }))) continue
      actions = fewer
      removed = true
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!removed) break
  }
  return { ...run, actions }
}
