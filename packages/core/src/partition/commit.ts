// commit.ts: everything that turns of one entity change, in one write of its document (G3).
//   D1  Checked as a whole before anything changes: who writes, on which version, then what it takes in.
//   D2  A message leaves the inbox, or its lane's mark moves past it, in the write that has its effect and in no other (G1).
//   D3  What is taken straight from a lane overtakes nothing that waits (G6).
import type { EntityId, MessageId } from '../address.ts'
import type { IdempotencyKey } from '../idempotency.ts'
import type { Commit, StoredMessage } from '../ports/store.ts'
import { type ArrivalRefusal, type EntityConsignment, judge, marksAfter, type Receipt } from './arrival.ts'
import { type Attempt, type AttemptRefusal, refusalOf } from './attempt.ts'
import {
  type Birthplace,
  type DocumentVersion,
  type EntityDocument,
  isSameVersion,
  unwritten,
  versionOf,
  written,
} from './document.ts'
import { marksWithoutSpent } from './forget.ts'
import { enqueued } from './inbox.ts'
import { type KeyEntry, registered, replied, takenKeys } from './keys.ts'
import { closedTo, sentFrom, trimmedBy } from './outbox.ts'
import type { Proof } from './proof.ts'

/** See the file head. */
export interface PartitionCommit
  extends Attempt,
    Pick<Commit, 'snapshot' | 'trouble' | 'wakeAt' | 'unsettled' | 'consumed' | 'deadLetters' | 'replies'> {
  readonly at: Birthplace
  /** Messages from outside that enter with this commit and wait. */
  readonly accepted: readonly StoredMessage[]
  /** Keys of messages that enter, whether they wait or are handled in this very commit. */
  readonly registrations: readonly KeyEntry[]
  /** Taken straight from lanes and handled in this very commit. */
  readonly received: readonly EntityConsignment[]
  /** For lanes in `received` without a mark, and for marks that are to go (`forget` in forget.ts). */
  readonly proofs: readonly Proof[]
  /** Messages that leave with this commit. Those to the entity itself go to the end of its inbox. */
  readonly outbox: readonly StoredMessage[]
  /** What receivers durably have: it leaves the outbox (G2). */
  readonly receipts: readonly Receipt[]
  /** Lanes to forget, where nothing is left in them. */
  readonly closed: readonly EntityId[]
}

/** How a commit ended: a value, not an exception. Only `committed` is to be written, on the version that was expected. */
export type PartitionCommitOutcome =
  | { readonly outcome: 'committed'; readonly document: EntityDocument }
  | AttemptRefusal
  /** A consumed message is no longer in the inbox, or a received one came before: it had its effect. */
  | { readonly outcome: 'duplicate'; readonly message: MessageId }
  /** Something waits that is not consumed: a message from a lane would overtake it. */
  | { readonly outcome: 'overtakes'; readonly message: MessageId }
  | { readonly outcome: 'taken'; readonly keys: readonly IdempotencyKey[] }
  | Exclude<ArrivalRefusal, { readonly outcome: 'duplicate' }>

/** See the file head. */
export function commit(document: EntityDocument | undefined, commit: PartitionCommit): PartitionCommitOutcome {
  const before = document ?? unwritten(commit.at)
  const refusal = refusalOf(document, commit) ?? staleProof(document, commit) ?? consumption(before, commit)
  if (refusal !== undefined) return refusal
  const taken = takenKeys(document, commit.registrations)
  if (taken.length > 0) return { outcome: 'taken', keys: taken }
  const arrived = arrivals(before.marks, commit)
  if (arrived.outcome !== 'new') return arrived
  const trimmed = trimmedBy(before.outbox, commit.receipts)
  if (trimmed.outcome === 'broken') return trimmed
  return { outcome: 'committed', document: after(before, commit, arrived.marks, trimmed.outbox) }
}

/** A proof for another version than the expected one says nothing; then its host must look again. */
function staleProof(
  document: DocumentVersion | undefined,
  { at, proofs }: PartitionCommit,
): Extract<AttemptRefusal, { readonly outcome: 'conflict' }> | undefined {
  const stale = proofs.some((proof) => proof.to !== at.entity || !isSameVersion(proof.at, document))
  return stale ? { outcome: 'conflict', at: versionOf(document) } : undefined
}

function consumption(
  { inbox }: EntityDocument,
  { consumed, received }: PartitionCommit,
): Extract<PartitionCommitOutcome, { readonly message: MessageId }> | undefined {
  const left = new Set(inbox.map(({ id }) => id))
  for (const message of consumed) if (!left.delete(message)) return { outcome: 'duplicate', message }
  const [message] = left
  return received.length > 0 && message !== undefined ? { outcome: 'overtakes', message } : undefined
}

type Arrivals =
  | { readonly outcome: 'new'; readonly marks: EntityDocument['marks'] }
  | Exclude<PartitionCommitOutcome, { readonly outcome: 'committed' }>

/** A turn has handled all that it received: a duplicate among it, and the turn is void. */
function arrivals(before: EntityDocument['marks'], commit: PartitionCommit): Arrivals {
  let marks = before
  for (const consignment of commit.received) {
    const proof = commit.proofs.find(({ from }) => from === consignment.from)
    const arrival = judge({ at: commit.expected, marks }, consignment, proof)
    const first = consignment.messages[0]?.id as MessageId
    if (arrival.outcome === 'duplicate') return { outcome: 'duplicate', message: first }
    if (arrival.outcome !== 'new') return arrival
    if (arrival.messages.length < consignment.messages.length) return { outcome: 'duplicate', message: first }
    marks = marksAfter(marks, consignment, arrival.messages)
  }
  // A proof speaks of marks as they were loaded. What this commit receives may have been sent after the proof was made.
  const received = new Set(commit.received.map(({ from }) => from))
  const spare = commit.proofs.filter(({ from }) => !received.has(from))
  return { outcome: 'new', marks: marksWithoutSpent(marks, spare) }
}

function after(
  before: EntityDocument,
  commit: PartitionCommit,
  marks: EntityDocument['marks'],
  trimmed: EntityDocument['outbox'],
): EntityDocument {
  const { snapshot, trouble, wakeAt, unsettled, epoch, tag, consumed, accepted, outbox, deadLetters, replies } = commit
  const gone = new Set(consumed)
  const waiting = before.inbox.filter(({ id }) => !gone.has(id))
  const toItself = outbox.filter(({ to }) => to === before.entity)
  const toOthers = outbox.filter(({ to }) => to !== before.entity)
  const { position, inbox } = enqueued({ position: before.position, inbox: waiting }, [...accepted, ...toItself])
  const born = { incarnation: before.incarnation, version: before.version + 1 }
  return written(before, {
    ...{ snapshot, trouble, wakeAt, unsettled, epoch, tag, position, inbox, marks },
    outbox: sentFrom(closedTo(trimmed, commit.closed), toOthers, born),
    keys: replied(registered(before.keys, commit.registrations), replies),
    deadLetters: [...before.deadLetters, ...deadLetters.map(({ id, body, reason }) => ({ id, body, reason }))],
  })
}
