// text.ts: a coverage in a terminal: how much of what, what is missing; or one definition's messages by states.
import { markdownTable } from 'markdown-table'
import { type CoverageReport, type DefinitionReport, type Measure, type MessageReport, measures } from './report.ts'

/** Lines about what is missing: with the table it fits on a screen. */
const mostMissing = 12

/** @param type - Of the one definition to tell of. */
export function coverageText({ total, definitions }: CoverageReport, type?: string): string {
  const one = definitions.find(({ name }) => name === type)
  if (one !== undefined) return messageTable(one)
  const rows = definitions.map(({ name, measures: of }) => [name, ...measures.map((each) => shown(of[each]))])
  const all = rows.length > 1 ? [['all', ...measures.map((each) => shown(total[each]))]] : []
  const table = markdownTable([['', ...measures], ...rows, ...all], {
    align: ['l', ...measures.map(() => 'r')],
  })
  return [table, ...missingLines(definitions)].join('\n')
}

function shown({ covered, total, percent }: Measure): string {
  return total === 0 ? '–' : `${percent} % (${covered}/${total})`
}

function missingLines(definitions: readonly DefinitionReport[]): string[] {
  // Most systems leave most cells of the message table untried; the table tells of these.
  const counted = measures.filter((name) => name !== 'messages')
  const missing = counted.flatMap((name) =>
    definitions.flatMap((each) => each.missing[name].map((goal) => [name, goal])),
  )
  if (missing.length === 0) return []
  const lines = missing.slice(0, mostMissing).map(([name, goal]) => `  ${never[name as keyof typeof never]} ${goal}`)
  const rest = missing.length - lines.length
  return ['', 'Missing:', ...lines, ...(rest > 0 ? [`  … and ${rest} more`] : [])]
}

const never = { states: 'never entered:', transitions: 'never taken:', guards: 'never:', timers: 'never:' } as const

function messageTable({ name, columns, messages }: DefinitionReport): string {
  const short = columns.map((column) =>
    column === name ? name : column.slice(column.startsWith(`${name}.`) ? name.length + 1 : 0),
  )
  const rows = messages.map(({ type, cells }) => [type, ...cells.map(cellText)])
  const table = markdownTable([[name, ...short], ...rows])
  return `${table}\n\n✓ handled  ○ ignored  ✗ refused  · never tried`
}

function cellText({ handled, ignored, refused }: MessageReport['cells'][number]): string {
  const fates = [handled > 0 ? `✓${handled}` : '', ignored > 0 ? `○${ignored}` : '', refused > 0 ? `✗${refused}` : '']
  return fates.filter((fate) => fate !== '').join(' ') || '·'
}
