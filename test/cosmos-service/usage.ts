// usage.ts: what was asked of a service and what it cost, for benches and tests.
import type { ServiceRequest, ServiceResponse } from './exchange.ts'
import { bytesOf } from './json.ts'

/** See the file head. Requests that never arrived are not in it. */
export class Usage {
  requests = 0
  requestUnits = 0
  bytesIn = 0
  bytesOut = 0
  /** How many requests each status answered. */
  readonly statuses = new Map<number, number>()

  note({ body }: ServiceRequest, { status, headers, body: answered }: ServiceResponse): void {
    this.requests += 1
    this.requestUnits += Number(headers['x-ms-request-charge'])
    this.bytesIn += bytesOf(body)
    this.bytesOut += bytesOf(answered)
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
  }

  reset(): void {
    this.requests = 0
    this.requestUnits = 0
    this.bytesIn = 0
    this.bytesOut = 0
    this.statuses.clear()
  }
}
