// client.ts: the container that the user hands over, by the few calls that are made of it.
// Typed by what the answers of @azure/cosmos 4.10 really carry, which is less than its types promise.
import type { Document } from './document.ts'

/** What every call takes. */
export interface CallOptions {
  readonly abortSignal: AbortSignal
  /** Said with every read: the client may have been given a weaker one. */
  readonly consistencyLevel?: ReadLevel
  readonly accessCondition?: { readonly type: string; readonly condition: string }
  readonly contentResponseOnWriteEnabled?: boolean
}

/** The levels at which a read sees the last write; of bounded staleness that holds in the write region. */
export type ReadLevel = 'Strong' | 'BoundedStaleness'

/** What comes back for one item. A read of an absent one does not throw: its status is 404, as for a lost session. */
export interface CosmosAnswer {
  readonly statusCode: number
  readonly substatus?: number | undefined
  readonly etag?: string | undefined
  readonly headers: object
  readonly resource?: unknown
}

/** What comes back for a batch; its `code` is 207 where nothing was done. */
export interface CosmosBatchAnswer {
  readonly code?: number | undefined
  readonly headers: object
  readonly result?: readonly { readonly statusCode: number; readonly eTag?: string | undefined }[] | undefined
}

/** What comes back for a page of a query. */
export interface CosmosPage {
  readonly resources: readonly unknown[]
  readonly continuationToken: string
  /** Its headers are private, and lack how often the client has repeated. */
  readonly requestCharge: number
}

/** What a container says of itself. */
export interface CosmosDefinition {
  readonly partitionKey?: { readonly paths: readonly string[] } | undefined
  readonly defaultTtl?: number | undefined
  readonly indexingPolicy?: CosmosIndexing | undefined
}

/** What a container indexes. */
export interface CosmosIndexing {
  readonly indexingMode?: string | undefined
  readonly includedPaths?: readonly { readonly path: string }[] | undefined
  readonly excludedPaths?: readonly { readonly path: string }[] | undefined
}

/** `CosmosClient`, as far as probes need it. */
export interface CosmosAccount {
  getDatabaseAccount(options?: { readonly abortSignal?: AbortSignal }): Promise<{
    readonly resource?:
      | {
          readonly consistencyPolicy: string
          readonly enableMultipleWritableLocations: boolean
          readonly writableLocations: readonly { readonly name: string }[]
          readonly readableLocations: readonly { readonly name: string }[]
        }
      | undefined
    readonly headers: object
  }>
  getReadEndpoint(): Promise<string>
  getWriteEndpoint(): Promise<string>
}

/** What the store takes: `Container` of @azure/cosmos. */
export interface CosmosContainer {
  readonly id: string
  readonly database: { readonly id: string; readonly client: CosmosAccount }
  readonly items: CosmosItems
  item(id: string, partitionKey: (string | number)[]): CosmosItem
  read(options?: { readonly abortSignal?: AbortSignal }): Promise<{
    readonly resource?: CosmosDefinition | undefined
    readonly headers: object
  }>
}

/** `Items` of @azure/cosmos. */
export interface CosmosItems {
  create(document: Document, options: CallOptions): Promise<CosmosAnswer>
  batch(operations: unknown[], partitionKey: (string | number)[], options: CallOptions): Promise<CosmosBatchAnswer>
  query(
    query: { query: string; parameters: { name: string; value: string | number }[] },
    options: CallOptions & { readonly maxItemCount: number; readonly continuationToken?: string },
  ): { fetchNext(): Promise<CosmosPage> }
}

/** `Item` of @azure/cosmos. */
export interface CosmosItem {
  read(options: CallOptions): Promise<CosmosAnswer>
  replace(document: Document, options: CallOptions): Promise<CosmosAnswer>
  delete(options: CallOptions): Promise<{ readonly headers: object }>
}
