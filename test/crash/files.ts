// files.ts: the files of one run: the store, and what is kept outside of it to hold it to its word.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** See the file head. */
export interface Files {
  readonly folder: string
  /** Where the store is, see stores.ts: a file, but where a test has a server for it. */
  readonly store: string
  /** What the carrier was told. */
  readonly ledger: string
  /** What clients know for sure: lines of child.ts. */
  readonly notes: string
}

/** Files in a new folder. */
export function newFiles(): Files {
  return filesIn(mkdtempSync(join(tmpdir(), 'interstate-crash-')))
}

export function filesIn(folder: string, storeFolder: string = folder): Files {
  return { folder, store: join(storeFolder, 'store.db'), ledger: join(folder, 'ledger'), notes: join(folder, 'notes') }
}

/** Whole lines of a file; a last one that a killed process left half written was never said. */
export function linesOf(path: string): readonly string[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8').split('\n').slice(0, -1)
}
