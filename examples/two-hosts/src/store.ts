// store.ts: the store that the hosts share.
import type { StoreDriver } from '@interstate/core'
import { redisStore } from '@interstate/store-redis'
import { Redis } from 'ioredis'

/** P: few, so that all of them fit into one line of the table. */
export const shards = 32

/** Where it is. */
export interface Place {
  readonly url: string
  readonly prefix: string
}

/** A store, and what ends its connection. */
export function openStore({ url, prefix }: Place): { readonly store: StoreDriver; readonly disconnect: () => void } {
  const client = new Redis(url).on('error', () => {})
  const store = redisStore({ client, prefix, shards, connectTimeoutMs: 3_000 })
  return { store, disconnect: () => client.disconnect() }
}

/** Deletes all keys of it. */
export async function clearStore({ url, prefix }: Place): Promise<void> {
  const client = new Redis(url)
  for await (const keys of client.scanStream({ match: `{${prefix}:*`, count: 1_000 })) {
    if (keys.length > 0) await client.unlink(...(keys as string[]))
  }
  client.disconnect()
}
