// limits.ts: what one write may be (learn.microsoft.com/azure/cosmos-db/concepts-limits), refused before it is sent.
import { InterstateError } from '@interstate/core'
import type { Batch, Document } from './document.ts'

/** Operations of one batch. */
export const maxOperations = 100

/** 2 MB for an item and for a batch, less what the service and the client add to either: etags, dates, a frame. */
export const maxBytes: number = 2 * 1024 * 1024 - 4 * 1024

/** What the client and the service write around each operation of a batch. */
const frameBytes = 128

/** @throws InterstateError `LIMIT_EXCEEDED`, and nothing was written. */
export function refuseLong(document: Document): void {
  const bytes = bytesOf(document)
  if (bytes > maxBytes) throw tooMuch(`${document.id} of ${document.entity} has ${bytes} bytes`, bytes, maxBytes)
}

/** @throws InterstateError `LIMIT_EXCEEDED`, and nothing was written. */
export function refuseLongBatch(batch: Batch): void {
  const { entity } = batch[0].document
  if (batch.length > maxOperations) {
    throw tooMuch(`A batch for ${entity} has ${batch.length} operations`, batch.length, maxOperations)
  }
  const bytes = batch.reduce((sum, write) => sum + frameBytes + ('document' in write ? bytesOf(write.document) : 0), 0)
  if (bytes > maxBytes) throw tooMuch(`A batch for ${entity} has ${bytes} bytes`, bytes, maxBytes)
}

function bytesOf(document: Document): number {
  const text = JSON.stringify(document)
  // The client writes these two as six characters each, where they have three bytes.
  const escaped = text.match(/[\u2028\u2029]/g)?.length ?? 0
  return Buffer.byteLength(text) + escaped * 3
}

function tooMuch(what: string, found: number, limit: number): InterstateError {
  return new InterstateError('LIMIT_EXCEEDED', `${what}; Cosmos DB takes ${limit}.`, { found, limit })
}
