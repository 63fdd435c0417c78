// dump.ts: what a store's file holds, as text: its version, its schema, its rows. Not how SQLite lays that out, and not what
// may differ between two versions that read each other's files: ids, the wording of errors, comments in the schema.
import { DatabaseSync } from 'node:sqlite'

type Row = Readonly<Record<string, unknown>>

/** See the file head. One line for each thing, in an order that follows from what it is. */
export function dump(path: string): readonly string[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const all = (sql: string): readonly Row[] => db.prepare(sql).all()
    const pragmas = ['application_id', 'user_version'].map((name) => `${name} ${all(`PRAGMA ${name}`)[0]?.[name]}`)
    const schema = all('SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name')
    const tables = all(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
    const rows = tables.flatMap(({ name }) => {
      const lines = all(`SELECT * FROM ${name}`).map((row) => `${name} ${JSON.stringify(withoutWording(row))}`)
      return lines.sort()
    })
    return [...pragmas, ...schema.map(({ sql }) => withoutComments(String(sql))), ...rows.map(withoutIds)]
  } finally {
    db.close()
  }
}

function withoutComments(sql: string): string {
  return sql.replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' ')
}

/** Columns with errors in them. */
const worded = ['reason', 'trouble', 'reply']

function withoutWording(row: Row): Row {
  const masked = worded
    .filter((column) => typeof row[column] === 'string')
    .map((column) => {
      const mask = (key: string, value: unknown): unknown => (key === 'text' || key === 'why' ? '…' : value)
      return [column, JSON.stringify(JSON.parse(String(row[column])), mask)] as const
    })
  return { ...row, ...Object.fromEntries(masked) }
}

/** Ids that were drawn, ids that were derived from them, and checksums over them. */
function withoutIds(line: string): string {
  return line
    .replaceAll(/0{10,}1-[0-9a-z]+/g, '<drawn>')
    .replaceAll(/[A-Za-z0-9_-]{20}-\d+/g, '<derived>')
    .replaceAll(/(\\"incarnation\\":\\")[A-Za-z0-9_-]{8}/g, '$1<derived>')
    .replaceAll(/"i1:[0-9a-f]{8}:/g, '"i1:<checksum>:')
}
