// report.ts: what a simulation has gone through, in figures and in a few lines.
import type { FaultName } from './fault.ts'
import type { Settings } from './options.ts'

/** What a simulation without a finding gives. */
export interface SimulationReport {
  readonly runs: number
  readonly seed: number
  /** Calls from outside in a run, at most. */
  readonly stimuli: number
  /** As they were asked for. */
  readonly faults: string
  /** That lived at once. */
  readonly hosts: number
  readonly stores: readonly string[]
  /** Messages handled. */
  readonly turns: number
  /** Entity records written. */
  readonly commits: number
  readonly crashes: number
  /** How often each fault struck. */
  readonly struck: Readonly<Partial<Record<FaultName, number>>>
  /** Time that passed on the virtual clocks, in milliseconds. */
  readonly virtualMs: number
  /** Names of `sometimes` that have held. */
  readonly sometimes: readonly string[]
  /** A few lines for people. */
  toString(): string
}

/** What is counted of a run. */
export interface RunCounts {
  turns: number
  commits: number
  crashes: number
  virtualMs: number
  readonly faults: Partial<Record<FaultName, number>>
}

/** Adds up runs. */
export class Figures {
  readonly #counts: RunCounts = { turns: 0, commits: 0, crashes: 0, virtualMs: 0, faults: {} }

  add({ turns, commits, crashes, virtualMs, faults }: RunCounts): void {
    const counts = this.#counts
    counts.turns += turns
    counts.commits += commits
    counts.crashes += crashes
    counts.virtualMs += virtualMs
    for (const [name, count] of Object.entries(faults) as [FaultName, number][]) {
      counts.faults[name] = (counts.faults[name] ?? 0) + count
    }
  }

  report({ runs, seed, stimuli, faults, hosts, stores }: Settings, sometimes: readonly string[]): SimulationReport {
    const { turns, commits, crashes, virtualMs, faults: struck } = this.#counts
    const names = stores.map(({ name }) => name)
    return {
      ...{ runs, seed, stimuli, faults, hosts, stores: names, turns, commits, crashes, struck, virtualMs, sometimes },
      toString() {
        const all = Object.entries(struck).map(([name, count]) => `${name} ${count}`)
        return [
          `${runs} runs of up to ${stimuli} calls, seed ${seed}, faults ${faults}, ${hostsOn(hosts)}${names.join(' and ')}`,
          `${turns} turns, ${commits} commits, ${crashes} crashes, ${days(virtualMs)} of virtual time`,
          ...(all.length === 0 ? [] : [`struck: ${all.join(', ')}`]),
          ...(sometimes.length === 0 ? [] : [`happened: ${sometimes.join(', ')}`]),
        ].join('\n')
      },
    }
  }
}

function hostsOn(hosts: number): string {
  return hosts === 1 ? 'on ' : `${hosts} hosts on `
}

function days(ms: number): string {
  return `${(ms / 86_400_000).toFixed(1)} days`
}
