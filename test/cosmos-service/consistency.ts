// consistency.ts: which state a read may see (learn.microsoft.com/azure/cosmos-db/consistency-levels).
//   strong              the last committed write
//   bounded staleness   the last one in the write region; elsewhere the state of at most the bound ago
//   session             with a token: at least what the token has seen; without one like eventual
//   consistent prefix, eventual   the state of a drawn while ago, the same for all items of a transaction
import { badRequest, notImplemented, Refusal } from './exchange.ts'
import type { Storage } from './storage.ts'
import { seenLsn } from './tokens.ts'

export const levels = ['Strong', 'BoundedStaleness', 'Session', 'ConsistentPrefix', 'Eventual'] as const
export type ConsistencyLevel = (typeof levels)[number]

/** What decides about one read. */
export interface ReadRequest {
  readonly account: ConsistencyLevel
  readonly header: string | undefined
  readonly token: string | undefined
  readonly isWriteRegion: boolean
  /** Of the replica that happens to answer. */
  readonly lagMs: number
  /** See `maxIntervalInSeconds` of the account. */
  readonly boundMs: number
}

/** The level of a request: that of the account or a weaker one. */
export function levelOf(account: ConsistencyLevel, header: string | undefined): ConsistencyLevel {
  if (header === undefined) return account
  const level = levels.find((candidate) => candidate === header)
  if (level === undefined) throw badRequest(`${JSON.stringify(header)} is not a consistency level.`)
  if (levels.indexOf(level) < levels.indexOf(account)) {
    throw badRequest(`The consistency level ${level} is stronger than the account's, ${account}.`)
  }
  return level
}

/** The LSN that a read sees. */
export function visibleLsn(storage: Storage, read: ReadRequest, now: number): number {
  const level = levelOf(read.account, read.header)
  const lagging = (lagMs: number): number => storage.lsnAt(now - lagMs)
  switch (level) {
    case 'Strong':
      return storage.lsn
    case 'BoundedStaleness':
      return read.isWriteRegion ? storage.lsn : lagging(Math.min(read.lagMs, read.boundMs))
    case 'Session':
      return read.token === undefined
        ? lagging(read.lagMs)
        : Math.max(lagging(read.lagMs), available(storage, read.token))
    case 'ConsistentPrefix':
    case 'Eventual':
      return lagging(read.lagMs)
    default:
      return level satisfies never
  }
}

/** Reads at these levels ask two replicas and cost twice (learn.microsoft.com/azure/cosmos-db/request-units). */
export function readFactor(account: ConsistencyLevel, header: string | undefined): number {
  const level = levelOf(account, header)
  return level === 'Strong' || level === 'BoundedStaleness' ? 2 : 1
}

export function sessionLost(): Refusal {
  return new Refusal(404, 'The read session is not available for the input session token.', { substatus: 1002 })
}

/** Some replica has what the token has seen, unless history was lost. */
function available(storage: Storage, token: string): number {
  if (token.includes(',')) throw notImplemented('session tokens of several partition key ranges.')
  const lsn = seenLsn(token)
  if (lsn > storage.lsn) throw sessionLost()
  return lsn
}
