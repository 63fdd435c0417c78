// stage.ts: fresh stores on servers that a whole file shares: each has a prefix of its own.
import type { StoreDriver } from '@interstate/core'
import type { OpenStore } from '@interstate/testing/stores'
import type { RedisClient } from '../src/index.ts'
import { RedisStore, type RedisStoreOptions } from '../src/redis-store.ts'
import type { Scripts } from '../src/scripts/index.ts'

let drawn = 0

/** A prefix that nobody else has on these servers. */
export function freshPrefix(): string {
  drawn += 1
  return `test-${process.pid}-${drawn}`
}

/** Anything that makes clients, and ends them. */
export interface Clients {
  client(): RedisClient & { disconnect(): void }
}

/** What a store is tested with beside its client. */
export type StageOptions = Omit<RedisStoreOptions, 'client' | 'shards' | 'prefix'>

/** Opens fresh stores; one that is opened again has a new client, as a process that starts anew. */
export function opening(servers: () => Clients, options: StageOptions = {}, broken: Partial<Scripts> = {}): OpenStore {
  return ({ shards }) => {
    const prefix = freshPrefix()
    let client = servers().client()
    const open = (): StoreDriver => new RedisStore({ ...options, client, prefix, shards }, broken)
    let store = open()
    const close = async (): Promise<void> => {
      await store.close()
      client.disconnect()
    }
    const reopen = async (): Promise<StoreDriver> => {
      await close()
      client = servers().client()
      store = open()
      return store
    }
    return { store, reopen, close }
  }
}
