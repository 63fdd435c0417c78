// dump.ts: what is in a store's file, as text: its version, its schema, its rows. Not how SQLite lays it out.
import { DatabaseSync } from 'node:sqlite'

/** See the file head. One line for each thing, in an order that follows from what it is. */
export function dump(path: string): readonly string[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const pragma = (name: string): string => `${name} ${Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]}`
    const schema = db.prepare(`SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name`).all()
    const tables = db.prepare(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`).all()
    const rows = tables.flatMap(({ name }) => {
      const lines = db
        .prepare(`SELECT * FROM ${name}`)
        .all()
        .map((row) => `${name} ${JSON.stringify(row)}`)
      return lines.sort()
    })
    return [pragma('application_id'), pragma('user_version'), ...schema.map(({ sql }) => String(sql)), ...rows]
  } finally {
    db.close()
  }
}
