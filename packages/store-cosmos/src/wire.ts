// wire.ts: one request, sent once, and what came of it as a value.
// Owns: how a call is said to the client, how long its answer is waited for, what is charged for it.
// Not here: whether it is sent again (documents.ts), when it may be sent (gate.ts).
import { InterstateError } from '@interstate/core'
import { type Kind, Ledger } from './charges.ts'
import type { CallOptions, CosmosAnswer, CosmosBatchAnswer, CosmosContainer, CosmosPage, ReadLevel } from './client.ts'
import { type Clock, within } from './clock.ts'
import {
  type Batch,
  type ConditionalWrite,
  type Document,
  type FurtherWrite,
  isOurs,
  keyOf,
  type Partition,
  type Stored,
} from './document.ts'
import { type Failure, failureBy, failureOf, fateOf, headerNumber, refusal } from './failure.ts'
import type { QueryText } from './query.ts'

/** What came of one request. */
export type Answer<T> =
  /** `isCrowded`: the client has sat out a 429 by itself before. */
  | { readonly outcome: 'ok'; readonly value: T; readonly isCrowded?: boolean }
  | { readonly outcome: 'absent' }
  /** Of a batch: what the operation at that index was told. All others were not done either. */
  | { readonly outcome: 'conflict'; readonly status: number; readonly culprit: number }
  /** Not done. `throttled`: nobody is to send anything for that long. */
  | { readonly outcome: 'later' | 'throttled'; readonly retryAfterMs: number; readonly failure: Failure }
  | { readonly outcome: 'unknown'; readonly failure: Failure }
  /** Not done, and it never will be. */
  | { readonly outcome: 'refused'; readonly error: InterstateError; readonly failure: Failure }

/** Rows of a query, and where the next page begins. */
export interface Page {
  readonly documents: readonly Document[]
  /** `undefined`: this was the last page. */
  readonly continuation: string | undefined
}

/** See the file head. */
export interface WireOptions {
  /** How long an answer is waited for. */
  readonly attemptMs: number
}

/** A 429 without a time is taken at its word this long. */
const retryAfterMs = 100
const leastMs = 5

/** An answer, and the headers that say what it cost. */
interface Heard<T> {
  readonly answer: Answer<T>
  readonly headers: object
}

/** See the file head. */
export class Wire {
  readonly container: CosmosContainer
  readonly ledger: Ledger = new Ledger()
  /** Said with every read. */
  level: ReadLevel = 'Strong'
  readonly #clock: Clock
  readonly #options: WireOptions

  constructor(container: CosmosContainer, clock: Clock, options: WireOptions) {
    this.container = container
    this.#clock = clock
    this.#options = options
  }

  /** Absent is only what the service says to be so: F2. */
  read(kind: Kind, partition: Partition, id: string): Promise<Answer<Stored>> {
    return this.ask(kind, async (options) => {
      const item = this.container.item(id, keyOf(partition))
      const answer = await item.read({ ...options, consistencyLevel: this.level })
      return { answer: readingOf(answer), headers: answer.headers }
    })
  }

  /** Gives the etag. */
  write(write: ConditionalWrite): Promise<Answer<string>> {
    return this.ask(write.kind, async (options) => {
      const { document } = write
      const { etag, headers } =
        write.kind === 'create'
          ? await this.container.items.create(document, options)
          : await this.container
              .item(document.id, keyOf(document))
              .replace(document, { ...options, accessCondition: { type: 'IfMatch', condition: write.etag } })
      return { answer: etag === undefined ? unreadable('no etag') : { outcome: 'ok', value: etag }, headers }
    })
  }

  /** Gives the etag of the document that is written first. */
  batch(batch: Batch): Promise<Answer<string>> {
    return this.ask('batch', async (options) => {
      // The client rewrites what it is given: these serve one attempt.
      const operations = batch.map(operationOf)
      const minimal = { ...options, contentResponseOnWriteEnabled: false }
      const answer = await this.container.items.batch(operations, keyOf(batch[0].document), minimal)
      return { answer: batchOf(answer, batch), headers: answer.headers }
    })
  }

  query(kind: Kind, { text, parameters, most, continuation }: QueryText): Promise<Answer<Page>> {
    return this.ask(kind, async (options) => {
      const query = { query: text, parameters: parameters.map((parameter) => ({ ...parameter })) }
      const page = await this.container.items
        .query(query, {
          ...options,
          consistencyLevel: this.level,
          maxItemCount: most,
          ...(continuation === undefined ? {} : { continuationToken: continuation }),
        })
        .fetchNext()
      return { answer: { outcome: 'ok', value: pageOf(page) }, headers: { 'x-ms-request-charge': page.requestCharge } }
    })
  }

  /** Makes any call, once. */
  async ask<T>(kind: Kind, call: (options: CallOptions) => Promise<Heard<T>>): Promise<Answer<T>> {
    const { attemptMs } = this.#options
    const abort = new AbortController()
    try {
      const late = (): Error => new Error(`no answer within ${attemptMs} ms`)
      const { answer, headers } = await within(this.#clock, attemptMs, call({ abortSignal: abort.signal }), late)
      // Attempts that the client made by itself, which it only does after a 429.
      const repeated = headerNumber(headers, 'x-ms-throttle-retry-count') ?? 0
      const requestUnits = headerNumber(headers, 'x-ms-request-charge') ?? 0
      this.ledger.note(kind, { requests: 1 + repeated, throttled: repeated, requestUnits })
      return answer.outcome === 'ok' && repeated > 0 ? { ...answer, isCrowded: true } : answer
    } catch (error) {
      if (error instanceof InterstateError) throw error
      const failure = failureOf(error)
      const { status, requestUnits } = failure
      const unheard = status === undefined ? 1 : 0
      this.ledger.note(kind, { requests: 1, throttled: status === 429 ? 1 : 0, unheard, requestUnits })
      return answerBy(failure, kind)
    } finally {
      // Whatever of it is still under way, nobody waits for it.
      abort.abort()
    }
  }
}

function readingOf(answer: CosmosAnswer): Answer<Stored> {
  const { statusCode, substatus, headers, resource, etag } = answer
  if (statusCode === 404 && !substatus) return { outcome: 'absent' }
  if (statusCode >= 400) return answerBy(failureBy(statusCode, substatus, headers), 'read')
  if (etag === undefined) return unreadable('no etag')
  return { outcome: 'ok', value: { document: ours(resource), etag } }
}

function pageOf({ resources, continuationToken }: CosmosPage): Page {
  return { documents: (resources ?? []).map(ours), continuation: continuationToken || undefined }
}

/** @throws InterstateError `STORE_FOREIGN`. */
function ours(row: unknown): Document {
  if (isOurs(row)) return row
  const id = String((row as { id?: unknown } | undefined)?.id)
  throw new InterstateError('STORE_FOREIGN', `The container has a document ${JSON.stringify(id)} without a tag.`, {
    id,
  })
}

/** What a failure says, by the kind of call where the same status means different things. */
function answerBy<T>(failure: Failure, kind: Kind): Answer<T> {
  const { status, substatus } = failure
  if (status === 404 && !substatus && kind !== 'create' && kind !== 'batch') return { outcome: 'absent' }
  if (status === 409 || status === 412) return { outcome: 'conflict', status, culprit: 0 }
  const fate = fateOf(failure)
  switch (fate) {
    case 'refused':
      return { outcome: 'refused', error: refusal(failure), failure }
    case 'throttled':
      return { outcome: 'throttled', retryAfterMs: Math.max(failure.retryAfterMs ?? retryAfterMs, leastMs), failure }
    case 'later':
      return { outcome: 'later', retryAfterMs: failure.retryAfterMs ?? 0, failure }
    case 'unknown':
      return { outcome: 'unknown', failure }
    default:
      return fate satisfies never
  }
}

/** The first that was refused decides (207); all others were told 424. */
function batchOf({ code, result, headers }: CosmosBatchAnswer, batch: Batch): Answer<string> {
  const culprit = result?.findIndex(({ statusCode }) => statusCode >= 400 && statusCode !== 424) ?? -1
  const status = result?.[culprit]?.statusCode
  if (status === 404 || status === 409 || status === 412) {
    if (status === 404 && culprit === 0 && batch[0].kind === 'replace') return { outcome: 'absent' }
    return { outcome: 'conflict', status, culprit }
  }
  if (status !== undefined) return answerBy(failureBy(status, undefined, headers), 'batch')
  const etag = result?.[0]?.eTag
  const isDone = code === 200 && result?.length === batch.length && result.every(({ statusCode }) => statusCode < 300)
  return isDone && etag !== undefined ? { outcome: 'ok', value: etag } : unreadable(`code ${code} without a reason`)
}

/** An answer that says nothing is none. */
function unreadable<T>(why: string): Answer<T> {
  return { outcome: 'unknown', failure: failureOf(new Error(`an answer that says nothing: ${why}`)) }
}

function operationOf(write: ConditionalWrite | FurtherWrite): object {
  switch (write.kind) {
    case 'create':
      return { operationType: 'Create', resourceBody: write.document }
    case 'upsert':
      return { operationType: 'Upsert', resourceBody: write.document }
    case 'replace': {
      const { document, etag } = write
      return { operationType: 'Replace', id: document.id, resourceBody: document, ...conditionOf(etag) }
    }
    case 'delete':
      // The client's types leave out the etag of a delete; it sends it, and the service honours it.
      return { operationType: 'Delete', id: write.id, ...conditionOf(write.etag) }
    default:
      return write satisfies never
  }
}

function conditionOf(etag: string | undefined): { ifMatch?: string } {
  return etag === undefined ? {} : { ifMatch: etag }
}
