// limits.ts: how much is too much (learn.microsoft.com/azure/cosmos-db/concepts-limits).
import { badRequest, Refusal } from './exchange.ts'
import { bytesOf } from './json.ts'

export const limits = {
  itemBytes: 2 * 1024 * 1024,
  batchOperations: 100,
  /** The size of a request bounds a batch. */
  requestBytes: 2 * 1024 * 1024,
  executionMs: 5_000,
  idBytes: 1_023,
  partitionKeyBytes: 2_048,
  nameCharacters: 255,
  patchOperations: 10,
  pageBytes: 4 * 1024 * 1024,
  pageItems: 1_000,
  defaultPageItems: 100,
  leastThroughput: 400,
  /** Of one logical partition, however much its container has. */
  partitionThroughput: 10_000,
  keyLevels: 3,
} as const

export function refuseLongItem(bytes: number): void {
  if (bytes > limits.itemBytes) throw new Refusal(413, `The item has ${bytes} bytes, more than the 2 MB allowed.`)
}

export function refuseLongBatch(body: string): void {
  const bytes = bytesOf(body)
  if (bytes > limits.requestBytes) throw new Refusal(413, `The batch has ${bytes} bytes, more than the 2 MB allowed.`)
}

export function refuseManyOperations(count: number): void {
  if (count === 0) throw badRequest('A batch has at least one operation.')
  if (count > limits.batchOperations) throw badRequest(`A batch of ${count} operations: 100 are allowed.`)
}

/** Ids may be any characters but `/` and `\`. */
export function refuseBadId(id: unknown): asserts id is string {
  if (typeof id !== 'string' || id === '') throw badRequest('The required property id is missing or not a string.')
  if (bytesOf(id) > limits.idBytes) throw badRequest(`An id has at most ${limits.idBytes} bytes.`)
  if (/[/\\]/.test(id)) throw badRequest(`The id ${JSON.stringify(id)} has a character that is not allowed: / or \\.`)
}

export function refuseBadName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw badRequest('The required property id is missing or not a string.')
  if (name.length > limits.nameCharacters) throw badRequest('A name has at most 255 characters.')
  if (/[/\\?#]/.test(name)) throw badRequest(`The name ${JSON.stringify(name)} has a character that is not allowed.`)
}
