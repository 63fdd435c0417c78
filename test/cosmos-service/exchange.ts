// exchange.ts: what goes into the service and what comes out, and how it says no.
import type { Json } from './json.ts'

/** A request as it arrives, whichever way it came. Names of headers are in lower case. */
export interface ServiceRequest {
  readonly method: string
  /** Path and query as sent: still encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Name of the region that the endpoint belongs to; absent: the write region. */
  readonly region?: string
  /** Where the service was reached, if that is where all of its regions are. */
  readonly origin?: string
}

/** What the service says to it. */
export interface ServiceResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a rule answers before it is written down as a response. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
}

/** Names of the codes that a body carries beside the status. */
const names: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'RequestTimeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'PreconditionFailed',
  413: 'RequestEntityTooLarge',
  424: 'FailedDependency',
  429: 'TooManyRequests',
  449: 'RetryWith',
  500: 'InternalServerError',
  501: 'NotImplemented',
  503: 'ServiceUnavailable',
}

/** An answer that a rule gives from anywhere within it: nothing was changed. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly substatus: number | undefined
  readonly headers: Readonly<Record<string, string>>
  /** What looking before refusing cost. */
  readonly charge: number

  constructor(
    status: number,
    text: string,
    more: { substatus?: number; headers?: Readonly<Record<string, string>>; charge?: number } = {},
  ) {
    super(text)
    this.status = status
    this.substatus = more.substatus
    this.headers = more.headers ?? {}
    this.charge = more.charge ?? 0
  }

  get answer(): Answer {
    return {
      status: this.status,
      headers: {
        ...this.headers,
        'x-ms-request-charge': String(this.charge),
        ...(this.substatus === undefined ? {} : { 'x-ms-substatus': String(this.substatus) }),
      },
      body: { code: names[this.status] ?? String(this.status), message: this.message },
    }
  }
}

/** What this model does not know, it says: a test that leans on it must not pass by luck. */
export function notImplemented(what: string): Refusal {
  return new Refusal(501, `Not implemented by this model of the service: ${what}`)
}

export function badRequest(text: string, substatus?: number): Refusal {
  return new Refusal(400, text, substatus === undefined ? {} : { substatus })
}
