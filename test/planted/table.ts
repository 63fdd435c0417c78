// table.ts: the tables of docs/reference/planted-*.md, each between two marks; the text around them is written by hand.
import { readFileSync, writeFileSync } from 'node:fs'
import { markdownTable } from 'markdown-table'

const reference = new URL('../../docs/reference/', import.meta.url)

/** A table: its heads, how its columns stand, its rows. */
export interface Table {
  readonly columns: readonly (readonly [head: string, align: 'l' | 'r'])[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** Puts a table into its place on a page: between `<!-- table: name -->` and `<!-- /table -->`. */
export function writeTable(name: string, { columns, rows }: Table, pageName = 'planted-bugs'): void {
  const page = new URL(`${pageName}.md`, reference)
  const head = columns.map(([text]) => text)
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)))
  const table = markdownTable([head, ...cells], { align: columns.map(([, align]) => align) })
  const before = readFileSync(page, 'utf8')
  const place = new RegExp(`(<!-- table: ${name} -->\\n).*?(<!-- /table -->)`, 's')
  if (!place.test(before)) throw new Error(`The page has no place for table "${name}".`)
  const where = `*Node ${process.versions.node}.*`
  writeFileSync(
    page,
    before.replace(place, (_, open, close) => `${open}${table}\n\n${where}\n${close}`),
  )
}
