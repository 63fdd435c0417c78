// simulate.ts: long random runs of a world: the real runtime on real stores, with faults, on a virtual clock.
import type { WorldPlan } from '../world/plan.ts'

export interface SimulateOptions {
  readonly runs?: number
}
export interface SimulationReport {
  readonly runs: number
}
export async function simulate(_plan: WorldPlan, _options: SimulateOptions): Promise<SimulationReport> {
  return { runs: 0 }
}
export async function replaySimulation(_plan: WorldPlan, _options: SimulateOptions, _run: unknown): Promise<void> {}
