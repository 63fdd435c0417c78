// stores.ts: the stores that simulations run on, and some that are broken on purpose.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Commit, CommitResult } from '@interstate/core'
import { MemoryStore, memoryStore } from '@interstate/store-memory'
import { sqliteStore } from '@interstate/store-sqlite'
import type { SimulatedStore } from '@interstate/testing'

export const memory: SimulatedStore = {
  name: 'memory',
  open: () => {
    const store = memoryStore()
    return { store, reopen: async () => store }
  },
}

/** A file of its own for each run. */
export const sqlite: SimulatedStore = {
  name: 'sqlite',
  open: () => {
    const directory = mkdtempSync(join(tmpdir(), 'interstate-simulation-'))
    const open = () => sqliteStore({ path: join(directory, 'store.db'), durability: 'process-crash-only' })
    let store = open()
    return {
      store,
      reopen: async () => {
        await store.close()
        store = open()
        return store
      },
      close: async () => {
        await store.close()
        await rm(directory, { recursive: true, force: true })
      },
    }
  },
}

class SkipsTheVersionCheck extends MemoryStore {
  protected override conflict(): undefined {}
}

class SkipsTheFence extends MemoryStore {
  protected override fenced(): undefined {}
}

class DeliversBeforeTheCommit extends MemoryStore {
  protected override commit(commit: Commit): CommitResult {
    for (const message of commit.outbox) this.waiting.add(message)
    return super.commit(commit)
  }
}

class DropsTheOutbox extends MemoryStore {
  protected override apply(commit: Commit): CommitResult {
    return super.apply({ ...commit, outbox: [] })
  }
}

class WritesGroupsInPart extends MemoryStore {
  protected override takeBack(): void {}
}

/** What each store does wrong, and which guarantee it breaks. */
export const brokenStores: readonly (readonly [does: string, guarantee: string, Store: new () => MemoryStore])[] = [
  ['skips the version check', 'G4', SkipsTheVersionCheck],
  ['skips the fence', 'G5', SkipsTheFence],
  ['delivers before the commit', 'G3', DeliversBeforeTheCommit],
  ['drops the outbox', 'G2', DropsTheOutbox],
  ['writes groups in part', 'G3', WritesGroupsInPart],
]

export function storeOf(Store: new () => MemoryStore): SimulatedStore {
  return {
    name: Store.name,
    open: () => {
      const store = new Store()
      return { store, reopen: async () => store }
    },
  }
}
