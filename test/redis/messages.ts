// messages.ts: what a host's process and its parent say to each other.
import type { ShardId } from '@interstate/core'

/** Where Redis is, for a process: one server, or the nodes of a cluster. */
export type Place = { readonly port: number } | { readonly ports: readonly number[] }

/** What a host's process is told at its start. */
export interface Orders {
  readonly redis: Place
  readonly prefix: string
  readonly shards: number
  readonly durability: 'memory' | 'fsync' | 'replicated'
  readonly detectMs: number
  readonly lookMs: number
  /** Where the carrier keeps its ledger. */
  readonly ledger: string
  /** How far its wall clock is off at first. */
  readonly skewMs: number
  /** Of its ioredis client. */
  readonly client: Readonly<Record<string, unknown>>
}

/** What it is asked. */
export type Request =
  /** Sends a hand and waits for its reply. */
  | { readonly ask: number; readonly call: number; readonly timeoutMs: number }
  /** Blocks its event loop. */
  | { readonly spinMs: number }
  /** Sets its wall clock forward, or back. */
  | { readonly stepMs: number }
  /** Steps on a mine. */
  | { readonly mine: string }

/** What it says. Moments are of the wall clock that all processes of a machine share. */
export type Word =
  | { readonly word: 'started'; readonly at: number }
  | { readonly word: 'answer'; readonly call: number; readonly place: number }
  | {
      readonly word: 'failure'
      readonly call: number
      readonly code: string
      readonly retryable: boolean
      readonly text: string
    }
  | { readonly word: 'taken' | 'dropped' | 'lost'; readonly at: number; readonly shards: readonly ShardId[] }
  /** Something that nobody wishes for: a letter given up, an entity that stands still, the end of the host. */
  | { readonly word: 'trouble'; readonly what: string }
