// attempts.ts: the latest group of each owner, so that the same group again changes nothing (G7).
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { CommitResult, Group, GroupResult, HostId, IdempotencyKey, MessageId } from '@interstate/core'

/** What of a group did not succeed; nothing for most of them. */
interface Refused {
  readonly taken: readonly IdempotencyKey[]
  /** Not there when nothing was. */
  readonly fenced?: readonly MessageId[]
  /** By the index of their commits. */
  readonly results: readonly (readonly [number, CommitResult])[]
}

interface Row {
  readonly owner: HostId
  readonly tag: string
  readonly refused: string | null
}

/** See the file head. */
export class Attempts {
  readonly #put: StatementSync
  readonly #forget: StatementSync
  /** As in the file. */
  readonly #rows: Map<HostId, Row>
  readonly #alive = new Set<HostId>()

  constructor(db: DatabaseSync) {
    this.#put = db.prepare('INSERT OR REPLACE INTO attempt (owner, tag, refused) VALUES (?, ?, ?)')
    this.#forget = db.prepare('DELETE FROM attempt WHERE owner = ?')
    const rows = db.prepare('SELECT owner, tag, refused FROM attempt').all() as unknown as readonly Row[]
    this.#rows = new Map(rows.map((row) => [row.owner, row]))
  }

  /** What to say of a group that was written before; `undefined` for another one. */
  again({ owner, tag, commits }: Group): GroupResult | undefined {
    const row = this.#rows.get(owner)
    if (row?.tag !== tag) return undefined
    const {
      taken,
      fenced = [],
      results,
    }: Refused = row.refused === null ? { taken: [], results: [] } : JSON.parse(row.refused)
    const refused = new Map(results)
    return {
      taken,
      fenced,
      results: commits.map(({ expectedVersion }, index): CommitResult => {
        return refused.get(index) ?? { outcome: 'already applied', version: expectedVersion + 1 }
      }),
    }
  }

  /** Writes a group down. {@link keep} it when that is durable. */
  write({ owner, tag }: Group, { taken, fenced, results }: GroupResult): Row {
    const failed = [...results.entries()].filter(([, { outcome }]) => outcome !== 'committed')
    const isWhole = failed.length === 0 && taken.length === 0 && fenced.length === 0
    const refused: Refused = { taken, ...(fenced.length > 0 && { fenced }), results: failed }
    const row = { owner, tag, refused: isWhole ? null : JSON.stringify(refused) }
    this.#put.run(row.owner, row.tag, row.refused)
    return row
  }

  keep(row: Row): void {
    this.#rows.set(row.owner, row)
    this.#alive.add(row.owner)
  }

  /** Forgets owners of former processes: one process owns the file, so they have ended and ask no more. */
  forgetTheDead(alive: HostId): void {
    this.#alive.add(alive)
    for (const owner of this.#rows.keys()) if (!this.#alive.has(owner)) this.#forget.run(owner)
  }
}
