// charges.ts: what operations cost (learn.microsoft.com/azure/cosmos-db/understand-request-unit-consumption).
// The page's tables and sums, between two sizes a straight line. Sizes are of the item's JSON as it was written,
// without what the service adds; `id` and system properties are not counted as indexed terms.
// Not on that page, and assumed here: a refused write costs the read of what it looked at, a query 2.3 beside its items.

/** KB, read, write. */
const sizes: readonly (readonly [kb: number, read: number, write: number])[] = [
  [1, 1, 4.95],
  [2, 1.04, 6.29],
  [4, 1.14, 6.67],
  [8, 1.33, 7.04],
  [16, 1.67, 9.52],
  [32, 2.19, 11.23],
  [64, 4.76, 22.67],
  [128, 9.95, 48.19],
  [256, 20.28, 98.29],
  [512, 40.95, 184.57],
  [1_024, 145.9, 625],
  [2_048, 291.8, 1_250],
]
const perTerm = 0.2
const perPatched = 0.4
const queryBase = 2.3

/** An item as charges see it. */
export interface Weighed {
  readonly bytes: number
  readonly terms: ReadonlySet<string>
}

/** @param factor - 2 at strong consistency and bounded staleness, else 1. */
export function readCharge(bytes: number, factor: number): number {
  return rounded(bySize(bytes, 1) * factor)
}

/** A read that found nothing costs like the smallest. */
export function missCharge(factor: number): number {
  return factor
}

export function createCharge({ bytes, terms }: Weighed): number {
  return rounded(bySize(bytes, 2) + perTerm * terms.size)
}

export function deleteCharge(item: Weighed): number {
  return createCharge(item)
}

/** The old item and its gone terms go, the new item and its new terms come. */
export function replaceCharge(before: Weighed, after: Weighed): number {
  const gone = [...before.terms].filter((term) => !after.terms.has(term)).length
  const come = [...after.terms].filter((term) => !before.terms.has(term)).length
  return rounded(bySize(before.bytes, 2) + bySize(after.bytes, 2) + perTerm * (gone + come))
}

export function patchCharge(before: Weighed, after: Weighed, patched: number): number {
  return rounded(replaceCharge(before, after) + perPatched * patched)
}

/** Every item that was loaded is paid as if read alone. */
export function queryCharge(loaded: readonly number[], factor: number): number {
  return rounded(queryBase + loaded.reduce((sum, bytes) => sum + bySize(bytes, 1) * factor, 0))
}

export function feedCharge(loaded: readonly number[], factor: number): number {
  return rounded(
    Math.max(
      factor,
      loaded.reduce((sum, bytes) => sum + bySize(bytes, 1) * factor, 0),
    ),
  )
}

export function rounded(charge: number): number {
  return Math.round(charge * 100) / 100
}

function bySize(bytes: number, column: 1 | 2): number {
  const kb = bytes / 1_024
  let below = sizes[0]
  for (const row of sizes) {
    if (below === undefined) break
    if (kb <= row[0]) {
      if (row === below) return row[column]
      return below[column] + ((row[column] - below[column]) * (kb - below[0])) / (row[0] - below[0])
    }
    below = row
  }
  return below?.[column] ?? 0
}
