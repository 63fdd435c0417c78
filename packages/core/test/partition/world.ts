// world.ts: two entities, and the smallest ways to write to them.
import { type EntityId, entityId, type MessageId, type StoredMessage } from '../../src/index.ts'
import type { EntityConsignment } from '../../src/partition/arrival.ts'
import { commit, type PartitionCommit, type PartitionCommitOutcome } from '../../src/partition/commit.ts'
import { type EntityDocument, versionOf } from '../../src/partition/document.ts'
import { departuresOf } from '../../src/partition/outbox.ts'

export const sender: EntityId = entityId('order', 's')
export const receiver: EntityId = entityId('payment', 'r')

export function messageTo(to: EntityId, id: string, body = ''): StoredMessage {
  return { id: id as MessageId, to, shard: 0, body }
}

/** A commit of an entity on what is stored, that changes nothing but what is given. */
export function commitOn(
  document: EntityDocument | undefined,
  changes: Partial<PartitionCommit> & { readonly entity?: EntityId } = {},
): PartitionCommit {
  const { entity = document?.entity ?? sender, ...rest } = changes
  return {
    at: { entity, shard: 0, incarnation: 'a' },
    epoch: 1,
    expected: versionOf(document),
    tag: `${entity}@${document?.version ?? 0}`,
    snapshot: undefined,
    trouble: undefined,
    wakeAt: undefined,
    unsettled: false,
    consumed: [],
    received: [],
    proofs: [],
    accepted: [],
    registrations: [],
    outbox: [],
    receipts: [],
    closed: [],
    deadLetters: [],
    replies: [],
    ...rest,
  }
}

/** The document after a commit that must succeed. */
export function committed(
  document: EntityDocument | undefined,
  changes: Partial<PartitionCommit> & { readonly entity?: EntityId } = {},
): EntityDocument {
  return documentOf(commit(document, commitOn(document, changes)))
}

export function documentOf(outcome: { readonly outcome: string }): EntityDocument {
  if (!('document' in outcome)) throw new Error(`Nothing was written: ${JSON.stringify(outcome)}`)
  return (outcome as Extract<PartitionCommitOutcome, { readonly outcome: 'committed' }>).document
}

/** The sender after it has sent these messages to the receiver, in one commit. */
export function having(document: EntityDocument | undefined, ...ids: readonly string[]): EntityDocument {
  return committed(document, { outbox: ids.map((id) => messageTo(receiver, id)) })
}

/** What the sender has on its way to the receiver. */
export function consignmentOf(document: EntityDocument, ...ids: readonly string[]): EntityConsignment {
  const whole = departuresOf(document).find(({ to }) => to === receiver)
  if (whole === undefined) throw new Error('Nothing is on its way.')
  return ids.length === 0 ? whole : { ...whole, messages: whole.messages.filter(({ id }) => ids.includes(id)) }
}
