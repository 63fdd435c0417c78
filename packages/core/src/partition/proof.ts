// proof.ts: what a sender holds for a receiver, seen after the receiver was loaded.
//   P1  The receiver is loaded first. What the sender holds after that, this version of the receiver has not handled, or
//       the write on that version fails.
//   P2  The sender is read strongly. The document that a commit of the sender has just written is such a reading too: a
//       host that loaded the receiver before that commit was sent needs no other.
//   P3  A receiver that isn't there has no version. A proof for it is right as long as no document is ever erased while
//       somebody holds one (erase.ts).
import type { EntityId } from '../address.ts'
import type { LanePlace } from '../ports/lanes.ts'
import type { DocumentVersion, EntityDocument, LaneId } from './document.ts'

/** The first message that a sender has not trimmed. */
export interface LaneFront extends LanePlace {
  readonly lane: LaneId
}

/** See the file head. Plain data; worth nothing once its receiver has another version. */
export interface Proof {
  readonly from: EntityId
  readonly to: EntityId
  /** The receiver as it was loaded; `undefined` when there was none. */
  readonly at: DocumentVersion | undefined
  /** `undefined` when the sender holds nothing for it. */
  readonly front: LaneFront | undefined
}

/**
 * Makes a proof of origin.
 *
 * @param receiver - As loaded before the sender was looked at (P1).
 * @param from - The sender.
 * @param sender - Its document, read or written after that (P2); `undefined` when there is none.
 */
export function prove(
  receiver: { readonly entity: EntityId; readonly at: DocumentVersion | undefined },
  from: EntityId,
  sender: Pick<EntityDocument, 'outbox'> | undefined,
): Proof {
  const { entity: to, at } = receiver
  const lane = sender?.outbox[to]
  const [head] = lane?.messages ?? []
  if (lane === undefined || head === undefined) return { from, to, at, front: undefined }
  return { from, to, at, front: { lane: lane.lane, number: head.number, chain: head.chain } }
}
