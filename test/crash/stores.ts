// stores.ts: where the system is stored, told in one word: the path of a file, or the address of a Redis server.
import type { StoreDriver } from '@interstate/core'

/** A store, and what ends the connection to it. */
export interface OpenStore {
  readonly store: StoreDriver
  readonly disconnect: () => void
}

/** P of a store on Redis: few, so that a host which takes over is soon done. */
const shards = 32

export function isFile(place: string): boolean {
  return !place.startsWith('redis:')
}

/** Opens what is at a place, see the file head. */
export async function openStore(place: string): Promise<OpenStore> {
  // A third of the time to start is loading: a process loads the one store that it uses.
  if (isFile(place)) {
    const { sqliteStore } = await import('@interstate/store-sqlite')
    return { store: sqliteStore({ path: place }), disconnect: () => {} }
  }
  const [{ redisStore }, { Redis }] = await Promise.all([import('@interstate/store-redis'), import('ioredis')])
  // What fails is told by the calls that fail.
  const client = new Redis(place).on('error', () => {})
  return { store: redisStore({ client, shards, durability: 'fsync' }), disconnect: () => client.disconnect() }
}
