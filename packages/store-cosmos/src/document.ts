// document.ts: what stands in the container, and what may be asked to change it.

/** A logical partition: the values of the key paths, `[/shard, /entity]`. */
export interface Partition {
  readonly shard: number
  readonly entity: string
}

/** One item. */
export interface Document extends Partition {
  readonly id: string
  /**
   * Random for each attempt to change the logical partition, so that whoever reads it knows whose write stands there. The
   * same attempt that is sent twice bears the same one.
   */
  readonly tag: string
  readonly [property: string]: unknown
}

/** A document as it was read. */
export interface Stored {
  readonly document: Document
  /** Changes with each write of the document; what a replace is conditional on. */
  readonly etag: string
}

/** A write that takes place only if the document is as the writer knows it: absent, or of this etag. */
export type ConditionalWrite =
  | { readonly kind: 'create'; readonly document: Document }
  | { readonly kind: 'replace'; readonly document: Document; readonly etag: string }

/** What may stand behind the conditional write of a batch; all or none is done. */
export type FurtherWrite =
  | { readonly kind: 'create' | 'upsert'; readonly document: Document }
  | { readonly kind: 'replace'; readonly document: Document; readonly etag?: string }
  | { readonly kind: 'delete'; readonly id: string; readonly etag?: string }

/** Writes to one logical partition, all or none: the conditional one is first, and its tag tells for all of them. */
export type Batch = readonly [ConditionalWrite, ...FurtherWrite[]]

/** The key paths that a container must have, in this order. */
export const keyPaths: readonly string[] = ['/shard', '/entity']

export function keyOf({ shard, entity }: Partition): [number, string] {
  return [shard, entity]
}

/** Whether a row was written by a store of ours. */
export function isOurs(row: unknown): row is Document {
  if (typeof row !== 'object' || row === null) return false
  const { shard, entity, tag } = row as Record<string, unknown>
  return typeof shard === 'number' && typeof entity === 'string' && typeof tag === 'string'
}
