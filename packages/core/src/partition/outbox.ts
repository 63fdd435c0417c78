// outbox.ts: the sender's ends of lanes: messages get their numbers here, and leave when their receivers have them.
//   O1  Numbers have no gaps; the chain is over all ids of the lane so far.
//   O2  What is trimmed the receiver has durably: a receipt says so, and its chain must fit (G2, G15).
//   O3  A lane is forgotten only when nothing is left in it. The next message begins another, under another id.
import type { EntityId } from '../address.ts'
import { chainAfter, emptyChain } from '../lane.ts'
import type { StoredMessage } from '../ports/store.ts'
import type { EntityConsignment, Receipt } from './arrival.ts'
import type { DocumentVersion, EntityDocument, EntityLane, LaneId } from './document.ts'

type Outbox = EntityDocument['outbox']

/** What came of receipts: the lanes after them, or a lane that its receiver knows otherwise. */
export type Trimmed =
  | { readonly outcome: 'trimmed'; readonly outbox: Outbox }
  | { readonly outcome: 'broken'; readonly finding: string }

/** Forgets what receivers have. A receipt for another lane than the present one is late and says nothing. */
export function trimmedBy(outbox: Outbox, receipts: readonly Receipt[]): Trimmed {
  let after = outbox
  for (const receipt of receipts) {
    const lane = after[receipt.to]
    if (lane?.lane !== receipt.lane) continue
    if (!fits(lane, receipt)) {
      return { outcome: 'broken', finding: `${receipt.to} has another history at ${receipt.number} than it was told.` }
    }
    const messages = lane.messages.filter(({ number }) => number > receipt.number)
    if (messages.length < lane.messages.length) after = { ...after, [receipt.to]: { ...lane, messages } }
  }
  return { outcome: 'trimmed', outbox: after }
}

/** Whether the sender has sent what its receiver has. Of what was trimmed it knows no more. */
function fits(lane: EntityLane, { number, chain }: Receipt): boolean {
  if (number >= lane.number) return number === lane.number && chain === lane.chain
  return lane.messages.every((message) => message.number !== number || message.chain === chain)
}

/** Forgets lanes; one that holds a message stays. */
export function closedTo(outbox: Outbox, receivers: readonly EntityId[]): Outbox {
  const gone = new Set(receivers.filter((to) => outbox[to]?.messages.length === 0))
  return gone.size === 0
    ? outbox
    : Object.fromEntries(Object.entries(outbox).filter(([to]) => !gone.has(to as EntityId)))
}

/** Puts messages at the ends of their lanes. A lane that isn't there begins with the version that this write makes. */
export function sentFrom(outbox: Outbox, messages: readonly StoredMessage[], born: DocumentVersion): Outbox {
  if (messages.length === 0) return outbox
  const after: Record<EntityId, EntityLane> = { ...outbox }
  for (const { id, to, shard, body } of messages) {
    const lane = after[to] ?? { lane: laneId(born), shard, number: 0, chain: emptyChain, messages: [] }
    const place = { number: lane.number + 1, chain: chainAfter(lane.chain, id) }
    after[to] = { ...lane, ...place, messages: [...lane.messages, { id, body, ...place }] }
  }
  return after
}

function laneId({ incarnation, version }: DocumentVersion): LaneId {
  return `${incarnation}.${version}`
}

/** All that a document has on its way, a consignment for each receiver. */
export function departuresOf(document: Pick<EntityDocument, 'entity' | 'outbox'>): readonly EntityConsignment[] {
  return Object.entries(document.outbox)
    .filter(([, { messages }]) => messages.length > 0)
    .map(([to, { lane, messages }]) => ({ from: document.entity, to: to as EntityId, lane, messages }))
}
