// stores.ts: the stores that every conformance test runs on.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope, StoreDriver } from '@interstate/core'
import type { ClusterOptions } from '@interstate/runtime'
import { type MemoryStoreOptions, memoryStore } from '@interstate/store-memory'
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
  /**
   * What one write covers. By shards a message may be put into its inbox first, and be handled in a later group; what goes
   * to another shard goes along a lane in between.
   */
  readonly scope: Scope
  open(): OpenStore
}

/** See the file head. */
export const storesUnderTest: readonly StoreUnderTest[] = [
  { name: 'memory', scope: 'store', open: () => openMemory({}) },
  { name: 'memory by shards', scope: 'shard', open: () => openMemory({ scope: 'shard', shards: 16 }) },
  { name: 'sqlite', scope: 'store', open: openSqlite },
]

/** The stores on which a whole group is one write, and those on which the writes of each shard stand alone. */
export const storesOfScope = (scope: Scope): readonly StoreUnderTest[] =>
  storesUnderTest.filter((each) => each.scope === scope)

function openMemory(options: MemoryStoreOptions): OpenStore {
  const store = memoryStore(options)
  return { store, reopen: () => store, dispose: () => store.close() }
}

function openSqlite(): OpenStore {
  const directory = mkdtempSync(join(tmpdir(), 'interstate-'))
  const path = join(directory, 'store.db')
  const open = (): StoreDriver => sqliteStore({ path })
  return { store: open(), reopen: open, dispose: () => rm(directory, { recursive: true, force: true }) }
}

/** One host at a time: time passes without a heartbeat, and nobody else leaves anything. */
export const alone: ClusterOptions = { detectMs: 1e12, lookMs: 1e12 }

/** A supervisor says that all hosts are gone: the next one need not find out by itself. */
export async function strikeOff({ cluster }: StoreDriver): Promise<void> {
  if (cluster === undefined) return
  for (const { host } of (await cluster.view()).hosts) await cluster.leave(host)
}
