// failure.ts: what a failed call says of the request: done with for good, to be sent later, or nobody knows.
// By learn.microsoft.com/azure/cosmos-db/conceptual-resilient-sdk-applications and /rest/api/cosmos-db/http-status-codes-for-cosmosdb.
//   F1  Only what the service says it has not processed counts as not done: 410, 429, 449, 503. 408, 500, 502, 504, a
//       dropped socket, a timeout and whatever is not known here leave a write unknown.
//   F2  404 means absent only without a substatus: 1002 is a session that this replica has not got, 1003 a container
//       that is gone.
//   F3  Of an error of the client nothing is kept but words and numbers: it carries the request, and with it the
//       signature or the token that signed it.
import { type ErrorCode, InterstateError } from '@interstate/core'

/** What an error says, freed from everything else that it carries. */
export interface Failure {
  /** Of HTTP; `undefined` where no answer came. */
  readonly status: number | undefined
  readonly substatus: number | undefined
  /** Of Node or the client: `ECONNRESET`, `TimeoutError`. */
  readonly code: string | undefined
  readonly text: string
  readonly activityId: string | undefined
  /** How long the service wants to be left alone. */
  readonly retryAfterMs: number | undefined
  readonly requestUnits: number
}

/**
 * `refused`: not done, and not to be sent again. `later`: not done now. `throttled`: like that, and nobody else is to send
 * anything either. `unknown`: it may have been done.
 */
export type Fate = 'refused' | 'later' | 'throttled' | 'unknown'

const fates: Readonly<Record<number, Fate>> = {
  408: 'unknown',
  410: 'later',
  429: 'throttled',
  449: 'later',
  500: 'unknown',
  502: 'unknown',
  503: 'later',
  504: 'unknown',
}

/** The connection was never made, so nothing was sent over it. */
const unsent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']

/** Substatus codes of 403 that pass: a region that does not take writes (any more), one that has left the account. */
const movedRegions = [3, 1_008]
const partitionFull = 1_014
const sessionNotAvailable = 1_002
const containerGone = 1_003

/** See {@link Fate}. */
export function fateOf({ status, substatus, code }: Failure): Fate {
  if (status === undefined) return code !== undefined && unsent.includes(code) ? 'later' : 'unknown'
  const known = fates[status]
  if (known !== undefined) return known
  if (status === 403 && movedRegions.includes(substatus ?? 0)) return 'later'
  if (status === 404 && substatus === sessionNotAvailable) return 'later'
  return status >= 400 && status < 500 ? 'refused' : status === 501 ? 'refused' : 'unknown'
}

/** Reads a failure out of whatever the client threw. */
export function failureOf(error: unknown): Failure {
  // A batch hides what happened behind an error of its own, without a code.
  const told = error instanceof Error && numberOrText(error, 'code') === undefined ? (error.cause ?? error) : error
  const code = numberOrText(told, 'code')
  const headers = headersOf(told)
  const message = told instanceof Error ? told.message : String(told)
  return {
    status: typeof code === 'number' && code >= 100 && code < 600 ? code : undefined,
    substatus: numberIn(told, 'substatus'),
    code: typeof code === 'string' ? code : told instanceof Error ? told.name : undefined,
    text: withoutSecrets(message).slice(0, longestText).replace(/\.$/, ''),
    activityId: textIn(told, 'activityId'),
    retryAfterMs: numberIn(told, 'retryAfterInMs') ?? headerNumber(headers, 'x-ms-retry-after-ms'),
    requestUnits: headerNumber(headers, 'x-ms-request-charge') ?? 0,
  }
}

/** A failure that an answer says by its status alone. */
export function failureBy(status: number, substatus: number | undefined, headers: object): Failure {
  return {
    status,
    substatus,
    code: undefined,
    text: `status ${status}${substatus === undefined ? '' : `, substatus ${substatus}`}`,
    activityId: undefined,
    retryAfterMs: headerNumber(headers, 'x-ms-retry-after-ms'),
    requestUnits: headerNumber(headers, 'x-ms-request-charge') ?? 0,
  }
}

/** What a failure means to whoever called, when nothing was done. */
export function refusal(failure: Failure): InterstateError {
  const [code, what, details] = meaningOf(failure)
  return new InterstateError(code, `${what} Cosmos DB said: ${failure.text}.`, details, { cause: tellable(failure) })
}

/** What a failure means to whoever called, when nobody knows whether a write was done. */
export function uncertain(failure: Failure): InterstateError {
  const what = `Cosmos DB did not say what became of a write: ${failure.text}.`
  return new InterstateError('STORE_UNCERTAIN', what, numbersOf(failure), { cause: tellable(failure) })
}

function meaningOf(failure: Failure): [code: ErrorCode, what: string, details: Record<string, unknown>] {
  const { status, substatus } = failure
  const numbers = numbersOf(failure)
  if (status === 401 || (status === 403 && substatus !== partitionFull && !movedRegions.includes(substatus ?? 0))) {
    const what = 'The client was given a key or a role that the account does not let in.'
    return ['STORE_UNFIT', what, { probe: 'credentials', ...numbers }]
  }
  if (status === 404 && substatus === containerGone) {
    return ['STORE_UNFIT', 'The container is not there.', { probe: 'container', ...numbers }]
  }
  if (status === 400 && substatus === 1_001) {
    const what = 'The container has other partition key paths than /shard and /entity.'
    return ['STORE_UNFIT', what, { probe: 'partition key', ...numbers }]
  }
  if (status === 403 && substatus === partitionFull) return ['STORE_FULL', 'A logical partition holds 20 GB.', numbers]
  if (status === 413) return ['LIMIT_EXCEEDED', 'A write was too large.', numbers]
  return ['STORE_FAILED', 'The request was not carried out.', numbers]
}

function numbersOf({ status, substatus, code, activityId }: Failure): Record<string, unknown> {
  const all = { status, substatus, code: status === undefined ? code : undefined, activityId }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** The cause that a person reads: see F3. */
function tellable(failure: Failure): Error {
  return Object.assign(new Error(failure.text), { name: 'CosmosFailure', ...numbersOf(failure) })
}

const longestText = 500

/** Nothing that opens an account belongs into a text, whoever wrote it there. */
function withoutSecrets(text: string): string {
  return text
    .replaceAll(/type(=|%3d)(master|resource|aad)(&|%26)ver\S*/gi, '(signature)')
    .replaceAll(/(AccountKey=|sig=|Bearer )[^\s;"'&]+/gi, '$1(secret)')
    .replaceAll(/[A-Za-z0-9+/_-]{40,}={0,2}/g, '(secret)')
}

export function headerNumber(headers: object | undefined, name: string): number | undefined {
  const value = (headers as Record<string, unknown> | undefined)?.[name]
  if (value === undefined || value === null || value === '') return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

function headersOf(error: unknown): object | undefined {
  const headers = (error as { headers?: unknown } | null | undefined)?.headers
  return typeof headers === 'object' && headers !== null ? headers : undefined
}

function valueIn(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined
}

function numberOrText(error: unknown, name: string): number | string | undefined {
  const value = valueIn(error, name)
  return typeof value === 'number' || typeof value === 'string' ? value : undefined
}

function numberIn(error: unknown, name: string): number | undefined {
  const value = valueIn(error, name)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function textIn(error: unknown, name: string): string | undefined {
  const value = valueIn(error, name)
  return typeof value === 'string' ? value : undefined
}
