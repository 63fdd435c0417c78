// A host on a Redis Cluster.
import { createHost, type Host } from '@interstate/runtime'
import { redisStore } from '@interstate/store-redis'
import { Cluster } from 'ioredis'
import { stock } from '../tutorial/stock.ts'

// #region cluster
export async function startOnCluster(node: { readonly host: string; readonly port: number }): Promise<Host> {
  // Looks for failovers also while nothing is sent.
  const client = new Cluster([node], { slotsRefreshInterval: 1_000 })
  return createHost({ entities: [stock], store: redisStore({ client }) })
}
// #endregion
