// coverage.ts: what specs, checks, simulations and running hosts have seen of a system of machines, and what they have not.
import type { Decision, Definition, EntityId, EntityState, Envelope, TurnOutcome } from '@interstate/core'
import { parseEntityId } from '@interstate/core'
import { type Signal, type SignalListener, timerChanges } from '@interstate/runtime'
import { Birth } from './coverage/birth.ts'
import { type Chart, chartOf, unborn } from './coverage/chart.ts'
import { Counts, type CountsData, type Fate, isCounts } from './coverage/counts.ts'
import { coveragePage } from './coverage/page.ts'
import { type CoverageReport, reportOf } from './coverage/report.ts'
import { coverageText } from './coverage/text.ts'
import { requireCoverage, type Thresholds } from './coverage/thresholds.ts'
import { WorldError } from './failure/error.ts'
import { observed, type Watch } from './observe/observe.ts'

/** A coverage as JSON, to be joined with others: vitest runs its files in several processes. */
export interface CoverageData {
  readonly format: 1
  /** By entity type. */
  readonly definitions: Readonly<Record<string, CountsData>>
}

/** Options of {@link Coverage.html}. */
export interface CoveragePageOptions {
  /** Default: `Coverage`. */
  readonly title?: string
}

/**
 * Coverage of a system of machines: states, transitions, guards both ways, timers fired and cancelled, and what became of
 * each message in each state.
 *
 * Counts say how often something was seen, not how often it became durable: a turn that failed to be written counts too.
 *
 * @example
 * ```ts
 * const coverage = new Coverage([cart, payment])
 * const host = await createHost({ entities: coverage.entities, store, onSignal: coverage.listener })
 * // …
 * coverage.require({ states: 100, transitions: 90 })
 * await writeFile('coverage.html', coverage.html())
 * ```
 */
export class Coverage {
  /**
   * The definitions, observed: they tell this coverage which states are entered, which transitions are taken, and what
   * guards say. They refuse what no turn may do, too. Give them to `createHost`; specs and worlds take the coverage itself.
   */
  readonly entities: readonly Definition[]
  /**
   * For `createHost({ onSignal })`. Signals tell of messages, timers, and the states between turns; transitions and
   * guards only the observed {@link entities} tell of. Entities that this coverage was not made of are left out.
   */
  readonly listener: SignalListener
  /** @internal For `observed`. */
  readonly watch: Watch
  readonly #parts = new Map<string, Part>()

  /**
   * @param entities - The same definitions that `createHost` takes.
   * @throws WorldError `COVERAGE_INVALID` for two definitions of one name, or none.
   */
  constructor(entities: readonly Definition[]) {
    if (entities.length === 0) throw new WorldError('COVERAGE_INVALID', 'A coverage of no entities.')
    for (const definition of entities) {
      const { name } = definition
      if (this.#parts.has(name)) throw new WorldError('COVERAGE_INVALID', `Two definitions are named "${name}".`)
      this.#parts.set(name, { chart: chartOf(definition), counts: new Counts(), birth: new Birth(definition) })
    }
    this.watch = {
      entered: (type, state) => this.#part(type).counts.add('states', state),
      taken: (type, transition) => this.#part(type).counts.add('transitions', transition),
      guarded: (type, transition, passed) => this.#part(type).counts.add(passed ? 'passed' : 'failed', transition),
    }
    this.entities = entities.map((definition) => observed(definition, this.watch))
    this.listener = (signal) => {
      if (signal.signal === 'turn') this.#heard(signal)
    }
  }

  /**
   * Takes note of a turn.
   *
   * @param before - The entity before it; `undefined` for a new one.
   * @throws WorldError `COVERAGE_INVALID` for a definition that it was not made of.
   */
  turn(
    { name }: Pick<Definition, 'name'>,
    before: EntityState | undefined,
    message: Envelope,
    { outcome, state }: Pick<Decision, 'outcome' | 'state'>,
  ): void {
    const timers = timerChanges(before, state, message)
    const { to: entity, kind, type } = message
    const values = { before: before?.snapshot.value, after: state?.snapshot.value }
    this.#took(this.#part(name), { entity, kind, type, outcome, timers, ...values })
  }

  /** What was covered and what was not, as data. */
  report(): CoverageReport {
    return reportOf(Array.from(this.#parts.values(), ({ chart, counts }) => [chart, counts] as const))
  }

  /** The report as text that fits on a screen; with an entity type, its messages by states. */
  text(type?: string): string {
    if (type !== undefined) this.#part(type)
    return coverageText(this.report(), type)
  }

  /** The report as one page of HTML that needs nothing from elsewhere: statecharts coloured by coverage. */
  html({ title = 'Coverage' }: CoveragePageOptions = {}): string {
    const charts = Array.from(this.#parts.values(), ({ chart }) => chart)
    return coveragePage({ title, report: this.report(), charts })
  }

  /**
   * @param thresholds - Percentages over all definitions, by measure.
   * @throws WorldError `COVERAGE_LOW`, with the names of what is missing; `COVERAGE_INVALID` for a threshold that is none.
   */
  require(thresholds: Thresholds): void {
    requireCoverage(this.report(), thresholds)
  }

  /**
   * Adds what another one has seen.
   *
   * @throws WorldError `COVERAGE_INVALID` for other machines than these. Nothing was added then.
   */
  merge(other: Coverage | CoverageData): this {
    const { format, definitions } = (other instanceof Coverage ? other.toJSON() : other) as Partial<CoverageData>
    if (format !== 1 || typeof definitions !== 'object' || definitions === null) {
      throw new WorldError('COVERAGE_INVALID', 'That is no coverage.')
    }
    const added = Object.entries(definitions).map(([name, data]) => [this.#fitting(name, data), data] as const)
    for (const [{ counts }, data] of added) counts.merge(data)
    return this
  }

  toJSON(): CoverageData {
    const entries = Array.from(this.#parts, ([name, { chart, counts }]): [string, CountsData] => [
      name,
      { fingerprint: chart.fingerprint, ...counts.toJSON() },
    ])
    return { format: 1, definitions: Object.fromEntries(entries) }
  }

  /**
   * What was stored with `JSON.stringify(coverage)`.
   *
   * @throws WorldError `COVERAGE_INVALID` for what is no coverage, or one of other machines.
   */
  static from(entities: readonly Definition[], data: CoverageData): Coverage {
    return new Coverage(entities).merge(data)
  }

  #heard({ entity, kind, type, outcome, timers, before, after }: TurnSignal): void {
    const part = this.#parts.get(parseEntityId(entity).type)
    if (part !== undefined) this.#took(part, { entity, kind, type, outcome, timers, before, after })
  }

  #took({ chart, counts, birth }: Part, turn: Turn): void {
    const { entity, kind, type, outcome, timers, before, after } = turn
    for (const each of timers.armed) counts.add('armed', chart.timerOf(each))
    for (const each of timers.fired) counts.add('fired', chart.timerOf(each))
    for (const each of timers.cancelled) counts.add('cancelled', chart.timerOf(each))
    if (after !== undefined) {
      for (const state of chart.statesIn(after)) if (counts.of('states', state) === 0) counts.add('states', state)
    }
    const fate = fateOf(outcome)
    if (fate === undefined || kind === 'timeout' || kind === 'result') return
    const meets = before ?? (kind === 'command' ? birth.valueFor(entity) : undefined)
    for (const state of meets === undefined ? [unborn] : chart.leavesIn(meets)) counts.met(type, state, fate)
  }

  #part(name: string): Part {
    const part = this.#parts.get(name)
    if (part === undefined) throw new WorldError('COVERAGE_INVALID', `There is no "${name}" in this coverage.`)
    return part
  }

  #fitting(name: string, data: unknown): Part {
    const part = this.#part(name)
    if (!isCounts(data)) throw new WorldError('COVERAGE_INVALID', `The counts of "${name}" can't be read.`)
    if (data.fingerprint !== part.chart.fingerprint) {
      throw new WorldError('COVERAGE_INVALID', `The counts of "${name}" are those of another machine.`)
    }
    return part
  }
}

interface Part {
  readonly chart: Chart
  readonly counts: Counts
  readonly birth: Birth
}
type TurnSignal = Extract<Signal, { signal: 'turn' }>
type Turn = Pick<TurnSignal, 'kind' | 'type' | 'outcome' | 'timers'> & {
  readonly entity: EntityId
  readonly before: unknown
  readonly after: unknown
}

function fateOf(outcome: TurnOutcome): Fate | undefined {
  switch (outcome) {
    case 'handled':
    case 'sent':
      return 'handled'
    case 'ignored':
      return 'ignored'
    case 'rejected':
    case 'parked':
    case 'late':
    case 'unmatched':
      return 'refused'
    case 'stale':
      return undefined
  }
}
