// report.ts: what was covered and what was not, as data.
import { type Chart, type MessageRow, unborn } from './chart.ts'
import type { Counts, Fate } from './counts.ts'

/** What is measured. */
export const measures = ['states', 'transitions', 'guards', 'timers', 'messages'] as const
/**
 * - `states`: entered. `transitions`: taken. `guards`: each guarded transition once let through and once not.
 * - `timers`: each once fired and once cancelled. `messages`: each message met in each state.
 */
export type MeasureName = (typeof measures)[number]

/** A part of a whole. */
export interface Measure {
  readonly covered: number
  readonly total: number
  /** Never rounded up; 100 where there is nothing to cover. */
  readonly percent: number
}
export type Measures = Readonly<Record<MeasureName, Measure>>

export interface StateReport {
  readonly name: string
  readonly entered: number
}

export interface TransitionReport {
  /** `payment.open on Charge #2`. */
  readonly name: string
  readonly state: string
  readonly on: string
  readonly targets: readonly string[]
  readonly taken: number
  /** How often its guard let through and did not; absent without one. */
  readonly guard?: { readonly passed: number; readonly failed: number }
}

export interface TimerReport {
  readonly name: string
  readonly armed: number
  readonly fired: number
  readonly cancelled: number
  /** Whether anything but its firing can end it. */
  readonly cancellable: boolean
}

export interface MessageReport extends MessageRow {
  /** In the order of {@link DefinitionReport.columns}. All are zero where it was never tried. */
  readonly cells: readonly Readonly<Record<Fate, number>>[]
}

export interface DefinitionReport {
  readonly name: string
  readonly kind: 'aggregate' | 'saga'
  readonly measures: Measures
  readonly states: readonly StateReport[]
  readonly transitions: readonly TransitionReport[]
  readonly timers: readonly TimerReport[]
  /** States in which a message can meet the entity; `(new)` is before its first. */
  readonly columns: readonly string[]
  readonly messages: readonly MessageReport[]
  /** What was not covered, by measure. */
  readonly missing: Readonly<Record<MeasureName, readonly string[]>>
}

/** All that a coverage knows, as JSON. */
export interface CoverageReport {
  readonly total: Measures
  readonly definitions: readonly DefinitionReport[]
}

/** What was covered of the definitions. */
export function reportOf(charts: readonly (readonly [Chart, Counts])[]): CoverageReport {
  const definitions = charts.map(([chart, counts]) => definitionReport(chart, counts))
  return { total: measuresBy((name) => sum(definitions.map((each) => each.measures[name]))), definitions }
}

function definitionReport(chart: Chart, counts: Counts): DefinitionReport {
  const { definition, columns } = chart
  const states = chart.states.map(({ name }) => ({ name, entered: counts.of('states', name) }))
  const transitions = chart.transitions.map((place) => transitionReport(place, chart, counts))
  const named = [...new Set([...chart.timers, ...counts.timers()])]
  const timers = named.map((name) => timerReport(name, chart, counts))
  const messages = rowsOf(chart, counts).map((row) => messageReport(row, columns, counts))
  const goals: Readonly<Record<MeasureName, readonly Goal[]>> = {
    states: states.map(({ name, entered }) => [name, entered > 0]),
    transitions: transitions.map(({ name, taken }) => [name, taken > 0]),
    guards: transitions.flatMap(guardGoals),
    timers: timers.flatMap(timerGoals),
    messages: messages.flatMap((message) => messageGoals(message, chart)),
  }
  return {
    name: definition.name,
    kind: definition.kind,
    measures: measuresBy((name) => measureOf(goals[name])),
    states,
    transitions,
    timers,
    columns,
    messages,
    missing: by((name) => goals[name].filter(([, isCovered]) => !isCovered).map(([goal]) => goal)),
  }
}

/** Something to cover, and whether it was. */
type Goal = readonly [name: string, isCovered: boolean]

function transitionReport(
  { name, state, on, targets }: Chart['transitions'][number],
  { guarded }: Chart,
  counts: Counts,
): TransitionReport {
  const report = { name, state, on, targets, taken: counts.of('transitions', name) }
  if (!guarded.includes(name)) return report
  return { ...report, guard: { passed: counts.of('passed', name), failed: counts.of('failed', name) } }
}

function guardGoals({ name, guard }: TransitionReport): Goal[] {
  if (guard === undefined) return []
  return [
    [`${name}: guard true`, guard.passed > 0],
    [`${name}: guard false`, guard.failed > 0],
  ]
}

function timerReport(name: string, { endless }: Chart, counts: Counts): TimerReport {
  const [armed, fired, cancelled] = (['armed', 'fired', 'cancelled'] as const).map((each) => counts.of(each, name))
  return { name, armed: armed ?? 0, fired: fired ?? 0, cancelled: cancelled ?? 0, cancellable: !endless.has(name) }
}

function timerGoals({ name, fired, cancelled, cancellable }: TimerReport): Goal[] {
  const ends: Goal[] = [[`${name}: fired`, fired > 0]]
  return cancellable ? [...ends, [`${name}: cancelled`, cancelled > 0]] : ends
}

/** What was seen and no contract tells of: an entity's message to itself, a refusal that it does not look at. */
function rowsOf({ messages }: Chart, counts: Counts): readonly MessageRow[] {
  const known = new Set(messages.map(({ type }) => type))
  const others = counts.messages().filter((type) => !known.has(type))
  return [...messages, ...others.map((type): MessageRow => ({ type, kind: 'other' }))]
}

function messageReport(row: MessageRow, columns: readonly string[], counts: Counts): MessageReport {
  const cells = columns.map((state) => ({
    handled: counts.fate(row.type, state, 'handled'),
    ignored: counts.fate(row.type, state, 'ignored'),
    refused: counts.fate(row.type, state, 'refused'),
  }))
  return { ...row, cells }
}

function messageGoals({ type, kind, cells }: MessageReport, { columns }: Chart): Goal[] {
  if (kind === 'other') return []
  return columns.flatMap((state, index): Goal[] => {
    // A command brings its entity to life and meets it in its first state.
    if (state === unborn && kind === 'command') return []
    const cell = cells[index]
    return [[`${type} in ${state}`, cell !== undefined && cell.handled + cell.ignored + cell.refused > 0]]
  })
}

function by<T>(give: (name: MeasureName) => T): Readonly<Record<MeasureName, T>> {
  return Object.fromEntries(measures.map((name) => [name, give(name)])) as Record<MeasureName, T>
}

const measuresBy: (give: (name: MeasureName) => Measure) => Measures = by

function measureOf(goals: readonly Goal[]): Measure {
  return part(goals.filter(([, isCovered]) => isCovered).length, goals.length)
}

function sum(parts: readonly Measure[]): Measure {
  return part(
    parts.reduce((all, { covered }) => all + covered, 0),
    parts.reduce((all, { total }) => all + total, 0),
  )
}

/** One decimal, cut off: 999 of 1,000 is not everything. */
function part(covered: number, total: number): Measure {
  return { covered, total, percent: total === 0 ? 100 : Math.floor((covered * 1_000) / total) / 10 }
}
