// thresholds.ts: refuses a coverage that is too low, by the names of what is missing.
import { WorldError } from '../failure/error.ts'
import { type CoverageReport, type MeasureName, measures } from './report.ts'

/** Percentages from 0 to 100 over all definitions, by measure. What is not named is not asked for. */
export type Thresholds = Readonly<Partial<Record<MeasureName, number>>>

const mostNames = 20

/** @throws WorldError `COVERAGE_LOW`; `COVERAGE_INVALID` for a threshold that is none. */
export function requireCoverage({ total, definitions }: CoverageReport, thresholds: Thresholds): void {
  const asked = Object.entries(thresholds).map(([name, percent]) => threshold(name, percent))
  const low = asked.filter(([name, percent]) => total[name].covered * 100 < percent * total[name].total)
  if (low.length === 0) return
  const lines = low.map(([name, percent]) => {
    const { covered, total: all, percent: reached } = total[name]
    return `${name} ${reached} % of ${percent} % (${covered} of ${all})`
  })
  const missing = low.flatMap(([name]) => definitions.flatMap((each) => each.missing[name]))
  throw new LowCoverage(`Coverage is too low: ${lines.join(', ')}.`, low.map(([name]) => name).join(' '), missing)
}

/** Its message ends with the names of what is missing. */
class LowCoverage extends WorldError {
  constructor(what: string, name: string, missing: readonly string[]) {
    super('COVERAGE_LOW', what, { name })
    const more = missing.length > mostNames ? [`… and ${missing.length - mostNames} more`] : []
    const list = [...missing.slice(0, mostNames), ...more].map((each) => `  ${each}`)
    this.message = [this.message, '', 'Missing:', ...list, ''].join('\n')
  }
}

function threshold(name: string, percent: number | undefined): readonly [MeasureName, number] {
  if (!measures.includes(name as MeasureName)) {
    throw new WorldError('COVERAGE_INVALID', `There is no measure "${name}"; there are ${measures.join(', ')}.`)
  }
  if (typeof percent !== 'number' || !(percent >= 0 && percent <= 100)) {
    throw new WorldError('COVERAGE_INVALID', `The threshold of ${name} is ${String(percent)}.`)
  }
  return [name as MeasureName, percent]
}
