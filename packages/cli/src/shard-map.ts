// shard-map.ts: all shards as letters, one for each owner: 256 of them in four lines.
import type { ShardRow } from './shards.ts'
import type { Style } from './tables.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const perLine = 64
/** More would not fit on a screen. */
const mostLines = 16

/** The letter of each owner; `*` where they don't suffice, `.` for nobody. */
export function ownerLetters(rows: readonly Pick<ShardRow, 'owner'>[]): ReadonlyMap<string | null, string> {
  const owners = [...new Set(rows.flatMap(({ owner }) => owner ?? []))].sort()
  return new Map([[null, '.'], ...owners.map((owner, index) => [owner, alphabet[index] ?? '*'] as const)])
}

/** See the file head. A shard where messages wait is bold. `undefined` where there are too many. */
export function shardMap({ colours }: Style, rows: readonly ShardRow[]): string | undefined {
  if (rows.length > perLine * mostLines) return undefined
  const letters = ownerLetters(rows)
  const lines: string[] = []
  for (let start = 0; start < rows.length; start += perLine) {
    const cells = rows.slice(start, start + perLine).map((row) => {
      const letter = letters.get(row.owner) ?? '.'
      return row.waiting > 0 ? colours.bold(letter) : letter
    })
    lines.push(`${colours.dim(String(start).padStart(4))}  ${cells.join('')}`)
  }
  return lines.join('\n')
}
