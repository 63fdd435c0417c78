// shown.ts: what the README shows, run by shown.test.ts.

import { randomUUID } from 'node:crypto'
import { CosmosClient, type CosmosClientOptions } from '@azure/cosmos'
import type { CosmosContainer } from '../src/client.ts'
import { Documents, type Written } from '../src/documents.ts'
import { probesOf, refuseUnfit } from '../src/probes.ts'

// #region client
export function connect(endpoint: string, secret: Pick<CosmosClientOptions, 'key' | 'aadCredentials'>): CosmosClient {
  // Either the key, or { aadCredentials: new DefaultAzureCredential() } of @azure/identity.
  const connectionPolicy = { retryOptions: { maxRetryAttemptCount: 0 } }
  return new CosmosClient({ endpoint, ...secret, connectionPolicy } as CosmosClientOptions)
}
// #endregion

// #region documents
export async function open(container: CosmosContainer): Promise<Documents> {
  const indexed = ['shard', 'due']
  const documents = new Documents({ container, indexed })
  // Reads ask for the account's level from here on.
  refuseUnfit(await probesOf({ container, documents, indexed, draw: randomUUID }))
  return documents
}

export async function count(documents: Documents): Promise<Written> {
  const place = { shard: 17, entity: 'order/42' }
  const read = await documents.read(place, 'head')
  if (read.outcome === 'absent') {
    return documents.write({ kind: 'create', document: { ...place, id: 'head', tag: randomUUID(), n: 1 } })
  }
  const { document, etag } = read
  return documents.write({
    kind: 'replace',
    document: { ...document, tag: randomUUID(), n: Number(document.n) + 1 },
    etag,
  })
}
// #endregion
