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
    return `${name}: ${reached} % of ${percent} % (${covered} of ${all})`
  })
  const missing = low.flatMap(([name]) => definitions.flatMap((each) => each.missing[name]))
  const more = missing.length > mostNames ? [`… and ${missing.length - mostNames} more`] : []
  const list = [...missing.slice(0, mostNames), ...more].map((each) => `  ${each}`)
  const what = `Coverage is too low.\n${lines.join('\n')}\nMissing:\n${list.join('\n')}\n`
  throw new WorldError('COVERAGE_LOW', what, { name: low.map(([name]) => name).join(' ') })
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
