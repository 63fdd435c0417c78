// tables.ts: rows as columns without lines between them: good to read, to cut and to grep.
import Table from 'cli-table3'
import colours from 'picocolors'
import type { Outside } from './outside.ts'

type Colours = ReturnType<typeof colours.createColors>

/** How text is laid out here. */
export interface Style {
  readonly colours: Colours
  readonly columns: number | undefined
}

/** The style of a terminal, or of a pipe. */
export function styleOf({ hasColours, columns }: Pick<Outside, 'hasColours' | 'columns'>): Style {
  return { colours: colours.createColors(hasColours), columns }
}

const blank = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
}

/** A table; the last column is cut where a terminal ends. Numbers stand on the right. */
export function table(
  { colours: paint, columns }: Style,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const fitted = rows.map((row) => row.map(String))
  const last = head.length - 1
  if (columns !== undefined) {
    const before = head.slice(0, -1).map((title, column) => widest([title, ...fitted.map((row) => row[column] ?? '')]))
    const room = Math.max(12, columns - before.reduce((sum, width) => sum + width + 2, 0))
    for (const row of fitted) row[last] = cut(row[last] ?? '', room)
  }
  const made = new Table({
    head: head.map((title) => paint.dim(title)),
    chars: blank,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (rows.every((row) => typeof row[column] === 'number') ? 'right' : 'left')),
  })
  made.push(...fitted)
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Names and what they stand for, one a line. */
export function list({ colours: paint }: Style, rows: readonly (readonly [string, string])[]): string {
  const width = widest(rows.map(([name]) => name))
  return rows.map(([name, text]) => `${paint.dim(name.padEnd(width))}  ${text}`).join('\n')
}

/** Parts of a text with a line between them. */
export function paragraphs(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n')
}

/** `1 message`, `2 messages`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(({ length }) => length))
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
