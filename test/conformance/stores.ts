// stores.ts: the stores that every conformance test runs on.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreDriver } from '@interstate/core'
import { memoryStore } from '@interstate/store-memory'
import { sqliteStore } from '@interstate/store-sqlite'

/** A fresh store of a test's own. */
export interface OpenStore {
  readonly store: StoreDriver
  /** Another driver over the same data: what the next process opens. The one before must be closed. */
  reopen(): StoreDriver
  /** Removes what is left of it. Hosts on it must have stopped. */
  dispose(): Promise<void>
}

/** One kind of store, for `describe.each`. */
export interface StoreUnderTest {
  readonly name: string
  open(): OpenStore
}

/** See the file head. */
export const storesUnderTest: readonly StoreUnderTest[] = [
  { name: 'memory', open: openMemory },
  { name: 'sqlite', open: openSqlite },
]

function openMemory(): OpenStore {
  const store = memoryStore()
  return { store, reopen: () => store, dispose: () => store.close() }
}

function openSqlite(): OpenStore {
  const directory = mkdtempSync(join(tmpdir(), 'interstate-'))
  const path = join(directory, 'store.db')
  const open = (): StoreDriver => sqliteStore({ path })
  return { store: open(), reopen: open, dispose: () => rm(directory, { recursive: true, force: true }) }
}
