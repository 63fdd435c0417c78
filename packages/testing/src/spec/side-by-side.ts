// side-by-side.ts: what was expected and what came, in two columns that fit a screen.
import { styleText } from 'node:util'
import { diffArrays } from 'diff'
import stringWidth from 'fast-string-width'
import { wrapAnsi } from 'fast-wrap-ansi'
import { inWords } from './words.ts'

const column = 57
const mark = { same: '   ', other: ' ! ' } as const

interface Row {
  readonly left: string
  readonly right: string
  readonly isSame: boolean
}

/** Two values as a table of at most 120 columns; lines that differ are marked. Colours only on a terminal. */
export function sideBySide(expected: unknown, actual: unknown): string {
  const head = table({ left: 'expected', right: 'actual', isSame: true })
  const rule = table({ left: '-'.repeat(column), right: '-'.repeat(column), isSame: true })
  return [...head, ...rule, ...rowsOf(lines(expected), lines(actual)).flatMap(table)].join('\n')
}

/** A list is shown item by item, so that one that is missing moves no others. */
function lines(value: unknown): readonly string[] {
  const items = Array.isArray(value) ? value : [value]
  if (items.length === 0) return ['(nothing)']
  return items.flatMap((item) => inWords(item, column).split('\n'))
}

function rowsOf(expected: readonly string[], actual: readonly string[]): readonly Row[] {
  const rows: Row[] = []
  let missing: readonly string[] = []
  const flush = (added: readonly string[]): void => {
    for (let index = 0; index < Math.max(missing.length, added.length); index += 1) {
      rows.push({ left: missing[index] ?? '', right: added[index] ?? '', isSame: false })
    }
    missing = []
  }
  for (const { added, removed, value } of diffArrays([...expected], [...actual])) {
    if (removed) missing = value
    else if (added) flush(value)
    else {
      flush([])
      rows.push(...value.map((line) => ({ left: line, right: line, isSame: true })))
    }
  }
  flush([])
  return rows
}

/** One row, as many lines as its longer cell takes. */
function table({ left, right, isSame }: Row): string[] {
  const [lefts, rights] = [cell(left), cell(right)]
  return Array.from({ length: Math.max(lefts.length, rights.length) }, (_, index) => {
    const [one = '', two = ''] = [lefts[index], rights[index]]
    const padded = one + ' '.repeat(column - stringWidth(one))
    const between = isSame ? mark.same : mark.other
    return (
      isSame ? `${padded}${between}${two}` : `${colour('green', padded)}${between}${colour('red', two)}`
    ).trimEnd()
  })
}

function cell(text: string): readonly string[] {
  return wrapAnsi(text, column, { hard: true, trim: false }).split('\n')
}

/** `styleText` asks the stream, NO_COLOR and FORCE_COLOR. */
function colour(name: 'green' | 'red', text: string): string {
  return text === '' ? text : styleText(name, text, { stream: process.stdout })
}
