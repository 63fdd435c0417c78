// context.ts: what every rule about items may look at while it answers one request.
import type { ConsistencyLevel } from './consistency.ts'
import { readFactor, visibleLsn } from './consistency.ts'
import type { Container } from './container.ts'
import type { ServiceRequest } from './exchange.ts'
import type { PartitionKey } from './partition-key.ts'

/** What an account is set to. */
export interface AccountSettings {
  readonly name: string
  readonly consistency: ConsistencyLevel
  /** The first one takes the writes. */
  readonly regions: readonly [string, ...string[]]
  readonly multipleWriteRegions: boolean
  /** Of bounded staleness. */
  readonly maxStalenessSeconds: number
}

/** See the file head. */
export interface Context {
  readonly request: ServiceRequest
  readonly container: Container
  readonly account: AccountSettings
  readonly now: number
  /** Of the replica that answers this request. */
  readonly lagMs: number
  /** Counts the writes of the whole account: no etag and no resource id comes twice. */
  readonly nextWrite: () => number
  /** Adds to what the request costs. */
  readonly charge: (units: number) => void
}

/** The LSN that this request reads at. */
export function lsnFor({ request, container, account, now, lagMs }: Context): number {
  const { headers, region } = request
  const read = {
    account: account.consistency,
    header: headers['x-ms-consistency-level'],
    token: headers['x-ms-session-token'],
    isWriteRegion: region === undefined || region === account.regions[0],
    lagMs,
    boundMs: account.maxStalenessSeconds * 1_000,
  }
  return visibleLsn(container.storage, read, now)
}

export function factorOf({ request, account }: Context): number {
  return readFactor(account.consistency, request.headers['x-ms-consistency-level'])
}

/** Whether an operation is about one logical partition: its key, or `undefined`. */
export type Scope = PartitionKey | undefined
