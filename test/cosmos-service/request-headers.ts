// request-headers.ts: the headers that mean something, or safely nothing, to this model; any other is refused.
import { notImplemented, type ServiceRequest } from './exchange.ts'

/** Read by a rule. */
const read = [
  'x-ms-date',
  'x-ms-consistency-level',
  'x-ms-session-token',
  'x-ms-continuation',
  'x-ms-max-item-count',
  'x-ms-documentdb-partitionkey',
  'x-ms-documentdb-partitionkeyrangeid',
  'x-ms-documentdb-is-upsert',
  'x-ms-documentdb-isquery',
  'x-ms-cosmos-is-query-plan-request',
  'x-ms-cosmos-is-batch-request',
  'x-ms-cosmos-batch-atomic',
  'x-ms-offer-throughput',
  'x-ms-activity-id',
]

/** Sent by the client with every request; they change nothing that a caller could see here. */
const harmless = [
  // Matters with several write regions, which are not modelled.
  'x-ms-cosmos-allow-tentative-writes',
  'x-ms-version',
  'x-ms-useragent',
  'x-ms-client-request-id',
  'x-ms-documentdb-responsecontinuationtokenlimitinkb',
  'x-ms-documentdb-query-enablecrosspartition',
  'x-ms-documentdb-query-parallelizecrosspartitionquery',
  'x-ms-cosmos-sdk-supportedcapabilities',
  'x-ms-cosmos-correlated-activityid',
  'x-ms-cosmos-supported-query-features',
  'x-ms-cosmos-query-version',
]

export function refuseUnknownHeaders({ headers }: ServiceRequest): void {
  for (const name of Object.keys(headers)) {
    if (name.startsWith('x-ms-') && !read.includes(name) && !harmless.includes(name)) {
      throw notImplemented(`the header ${name}: ${headers[name]}.`)
    }
  }
}
