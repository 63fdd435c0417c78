// Important customers on their own machine: a rule puts their entities into one shard, a host pins it.
import { createHost, type Host } from '@interstate/runtime'
import { redisStore } from '@interstate/store-redis'
import type { Redis } from 'ioredis'
import { stock } from '../tutorial/stock.ts'

// #region place
const important = new Set(['stock/phoenix', 'stock/dragon'])
/** The same on every host, and for as long as the store lives: it says where entities are. */
const place = (entity: string): number | undefined => (important.has(entity) ? 7 : undefined)

export function startHost(client: Redis, role: 'important' | 'usual'): Promise<Host> {
  return createHost({
    entities: [stock],
    store: redisStore({ client, prefix: 'shop' }),
    place,
    // Weight 0: no shard but the pinned one. If this host dies, another runs it.
    cluster: role === 'important' ? { pins: [7], weight: 0 } : {},
  })
}
// #endregion
