// document.ts: all that is stored for one entity where one write covers one entity. A persisted format.
import type { EntityId, MessageId } from '../address.ts'
import type { IdempotencyKey } from '../idempotency.ts'
import type { LanePlace } from '../ports/lanes.ts'
import type { LogicalPartition, ShardId } from '../routing.ts'

/**
 * Names a lane for good: `<incarnation>.<version>` of the sender's document as it was when the lane was begun, so no lane
 * comes twice between the same two entities.
 */
export type LaneId = string

/** One state of a document, among all there ever were under its name. The incarnation is drawn with the document. */
export interface DocumentVersion {
  readonly incarnation: string
  /** Counts every write, deliveries and trims too. */
  readonly version: number
}

/** The text of a message, or its size where it stands in an item of its own. */
export type Body = string | { readonly bytes: number }

/** A message that waits to be handled. */
export interface Waiting {
  readonly id: MessageId
  /** From 1, without gaps in what this document ever took in. */
  readonly position: number
  readonly body: Body
}

/** A message that was sent and that its receiver is not yet known to have. */
export interface Departing extends LanePlace {
  readonly id: MessageId
  readonly body: Body
}

/** The sender's end of a lane: number and chain are those of the last message sent. */
export interface EntityLane extends LanePlace {
  readonly lane: LaneId
  readonly shard: ShardId
  /** What is not trimmed, oldest first. */
  readonly messages: readonly Departing[]
}

/** The receiver's end of a lane: everything up to here is a duplicate (G7). */
export interface EntityMark extends LanePlace {
  readonly lane: LaneId
}

/** What a client's idempotency key stands for. */
export interface KnownKey {
  readonly message: MessageId
  readonly fingerprint: string
  readonly reply?: string
}

/** A message given up and kept for a person. */
export interface PartitionDeadLetter {
  readonly id: MessageId
  readonly body: Body
  readonly reason: string
}

/** The document of one entity. Plain JSON. */
export interface EntityDocument extends LogicalPartition, DocumentVersion {
  /** The newest epoch that wrote here: older ones are fenced (G5). */
  readonly epoch: number
  /** Of the last write of an owner. Deliveries and trims leave it alone, so an owner can still ask for its own. */
  readonly tag: string
  readonly snapshot: string | undefined
  readonly trouble: string | undefined
  readonly wakeAt: number | undefined
  readonly unsettled: boolean
  /** The position given out last. */
  readonly position: number
  readonly inbox: readonly Waiting[]
  /** By receiver. */
  readonly outbox: Readonly<Record<EntityId, EntityLane>>
  /** By sender. */
  readonly marks: Readonly<Record<EntityId, EntityMark>>
  readonly keys: Readonly<Record<IdempotencyKey, KnownKey>>
  /** Keys from before this time are forgotten, and refused: milliseconds since 1970. */
  readonly purged: number
  readonly deadLetters: readonly PartitionDeadLetter[]
}

/** Where a document is to be, and the incarnation that it gets if this write creates it. */
export interface Birthplace extends LogicalPartition {
  readonly incarnation: string
}

/** The document that a first write starts from. It was never stored: its version is 0. */
export function unwritten({ entity, shard, incarnation }: Birthplace): EntityDocument {
  return {
    entity,
    shard,
    incarnation,
    version: 0,
    epoch: 0,
    tag: '',
    snapshot: undefined,
    trouble: undefined,
    wakeAt: undefined,
    unsettled: false,
    position: 0,
    inbox: [],
    outbox: {},
    marks: {},
    keys: {},
    purged: 0,
    deadLetters: [],
  }
}

/** What a write is conditional on; `undefined` for a document that isn't there. */
export function versionOf(document: DocumentVersion | undefined): DocumentVersion | undefined {
  return document === undefined ? undefined : { incarnation: document.incarnation, version: document.version }
}

/** Whether nothing was written between two looks at a document. */
export function isSameVersion(one: DocumentVersion | undefined, other: DocumentVersion | undefined): boolean {
  return one?.incarnation === other?.incarnation && one?.version === other?.version
}

/** The document one write later. */
export function written(document: EntityDocument, changes: Partial<EntityDocument>): EntityDocument {
  return { ...document, ...changes, version: document.version + 1 }
}
