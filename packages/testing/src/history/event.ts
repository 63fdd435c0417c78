// event.ts: what is told of a running system, so that somebody who knows nothing else can judge it.
import type {
  Acquired,
  Consignment,
  DeadLetter,
  Delivery,
  EntityId,
  Group,
  GroupResult,
  HostId,
  IdempotencyKey,
  InboxItem,
  KeyState,
  LaneEnd,
  Lanes,
  Lease,
  MessageId,
  PlainObject,
  Scope,
  ShardId,
  StoredEntity,
} from '@interstate/core'
import type { Signal } from '@interstate/runtime'

/**
 * One thing that happened. Where it happened inside a store, `recording` tells it, when the store has answered; what a
 * host tells comes from `listening`, what a client is told from `calling`.
 */
export type HistoryEvent =
  | {
      readonly event: 'acquired'
      readonly owner: HostId
      readonly acquired: Acquired
      /** Of the store: who acquires first says how all the rest is to be read. Absent: `store`. */
      readonly scope?: Scope | undefined
    }
  | { readonly event: 'released'; readonly leases: readonly Lease[] }
  /** A group was written, or refused: the result tells. */
  | { readonly event: 'written'; readonly group: Group; readonly result: GroupResult }
  /** Entities were read. */
  | {
      readonly event: 'loaded'
      readonly asked: readonly EntityId[]
      readonly rows: readonly (StoredEntity | undefined)[]
    }
  /** Inboxes of shards were read, or the inbox of one entity. */
  | {
      readonly event: 'inbox'
      readonly of: readonly number[] | EntityId
      readonly after: number
      readonly limit: number
      readonly items: readonly InboxItem[]
    }
  /** Entities that are due were read. */
  | {
      readonly event: 'due'
      readonly until: number
      readonly limit: number
      readonly shards: readonly number[]
      readonly due: readonly { readonly entity: EntityId; readonly wakeAt: number }[]
    }
  /** Unsettled entities were read. */
  | {
      readonly event: 'unsettled'
      readonly shards: readonly number[]
      readonly after: EntityId | undefined
      readonly limit: number
      readonly entities: readonly EntityId[]
    }
  | {
      readonly event: 'keys'
      readonly asked: readonly IdempotencyKey[]
      /** Where each key was looked for; absent where that is everywhere. */
      readonly shards?: readonly ShardId[] | undefined
      readonly states: readonly KeyState[]
    }
  /** Lanes from shards were read: what was sent along them and was not trimmed. */
  | {
      readonly event: 'departures'
      readonly shards: readonly ShardId[]
      readonly limit: number
      readonly found: readonly Consignment[]
    }
  /** Consignments were handed over, or refused: each delivery tells. */
  | {
      readonly event: 'delivered'
      readonly consignments: readonly Consignment[]
      readonly deliveries: readonly Delivery[]
    }
  /** Senders forgot what they had sent, up to a number in each lane. */
  | { readonly event: 'trimmed'; readonly ends: readonly Omit<LaneEnd, 'chain'>[] }
  /** A person set ends of lanes after history was lost. */
  | { readonly event: 'rebased'; readonly ends: Parameters<Lanes['rebase']>[0] }
  | { readonly event: 'purged'; readonly before: number }
  /** All dead letters after an id were read. */
  | {
      readonly event: 'dead letters'
      readonly after: MessageId | undefined
      readonly limit: number
      readonly letters: readonly DeadLetter[]
    }
  | { readonly event: 'requeued'; readonly id: MessageId; readonly item: InboxItem | undefined }
  /** A client heard that its call is accepted. */
  | {
      readonly event: 'acknowledged'
      readonly call: 'send' | 'publish' | 'ask'
      readonly message: MessageId
      readonly duplicate: boolean
      readonly key?: IdempotencyKey | undefined
      /** It went to nobody: no entity follows the event. */
      readonly unfollowed?: boolean | undefined
    }
  /** A client was given a reply: `undefined` when its command was handled without one. */
  | {
      readonly event: 'replied'
      readonly to: EntityId
      readonly key: IdempotencyKey | undefined
      readonly reply: PlainObject | undefined
    }
  /** A host told something. */
  | { readonly event: 'told'; readonly host: string; readonly signal: Signal }
  /** A process came or went. `killed`: without a word. */
  | { readonly event: 'process'; readonly host: string; readonly became: 'started' | 'stopped' | 'killed' }

/** An event and when it happened, in milliseconds since 1970 by the clock of the system. */
export type Happened = HistoryEvent & { readonly at: number }
