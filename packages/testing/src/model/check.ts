// check.ts: explicit-state search over all that a world may do at small scope.
import type { WorldPlan } from '../world/plan.ts'

export interface CheckOptions {
  readonly stimuli?: number
}
export interface CheckReport {
  readonly states: number
}
export async function check(_plan: WorldPlan, _options: CheckOptions): Promise<CheckReport> {
  return { states: 0 }
}
export async function replayCheck(_plan: WorldPlan, _options: CheckOptions, _run: unknown): Promise<void> {}
