// arrival.ts: what a receiver makes of messages of a lane: new, duplicate, or a sign that something is missing.
//   A1  What the mark of a lane covers is a duplicate, for good (G7).
//   A2  Only what follows the mark is new, and only if its chain fits (G6, G15).
//   A3  On a lane without a mark only the head of what the sender holds is new, by proof of origin; what the sender no
//       longer holds is a duplicate.
import type { EntityId } from '../address.ts'
import { chainAfter } from '../lane.ts'
import type { LanePlace } from '../ports/lanes.ts'
import {
  type Departing,
  type DocumentVersion,
  type EntityDocument,
  type EntityMark,
  isSameVersion,
  type LaneId,
} from './document.ts'
import type { Proof } from './proof.ts'

/** Messages that follow each other in a lane between two entities; at least one. */
export interface EntityConsignment {
  readonly from: EntityId
  readonly to: EntityId
  readonly lane: LaneId
  readonly messages: readonly Departing[]
}

/** That a receiver durably has a lane up to here. What a sender trims by. */
export interface Receipt extends EntityMark {
  readonly from: EntityId
  readonly to: EntityId
}

/** Why nothing of a consignment is taken in. */
export type ArrivalRefusal =
  /** The receiver has all of it. No receipt where only the sender could tell: it has trimmed it already. */
  | { readonly outcome: 'duplicate'; readonly receipt: Receipt | undefined }
  /** The receiver misses what comes after `after`. */
  | { readonly outcome: 'gap'; readonly after: number }
  /** Sender and receiver have different histories (G15). */
  | { readonly outcome: 'broken'; readonly finding: string }
  /** First contact on this lane: load, prove, and come again. */
  | { readonly outcome: 'needs proof' }
  /** The receiver has changed since the proof was made: load, prove, and come again. */
  | { readonly outcome: 'conflict'; readonly at: DocumentVersion | undefined }

/** What a consignment brings. */
export type Arrival = { readonly outcome: 'new'; readonly messages: readonly Departing[] } | ArrivalRefusal

/** What a receiver knows when a consignment comes. */
export interface Receiving {
  readonly at: DocumentVersion | undefined
  readonly marks: EntityDocument['marks']
}

/**
 * Judges a consignment; see the file head. A proof is looked at where there is no mark for the lane, and where something
 * is missing: what the sender no longer holds will never come.
 */
export function judge(receiving: Receiving, consignment: EntityConsignment, proof?: Proof | undefined): Arrival {
  const mark = receiving.marks[consignment.from]
  const known = mark?.lane === consignment.lane ? judgeByMark(consignment, mark) : undefined
  if (known !== undefined && known.outcome !== 'gap') return known
  if (proof === undefined || proof.from !== consignment.from || proof.to !== consignment.to) {
    return known ?? { outcome: 'needs proof' }
  }
  if (!isSameVersion(receiving.at, proof.at)) return known ?? { outcome: 'conflict', at: receiving.at }
  if (known === undefined) return judgeByProof(consignment, proof, mark)
  const { front } = proof
  return front?.lane === consignment.lane && front.number > known.after + 1 ? broken(consignment.from, front) : known
}

function judgeByMark({ from, to, messages }: EntityConsignment, mark: EntityMark): Arrival {
  const fresh = messages.filter(({ number }) => number > mark.number)
  const last = messages.find(({ number }) => number === mark.number)
  if (last !== undefined && last.chain !== mark.chain) return broken(from, last)
  const [first] = fresh
  if (first === undefined) return { outcome: 'duplicate', receipt: { from, to, ...mark } }
  if (first.number > mark.number + 1) return { outcome: 'gap', after: mark.number }
  return judgeChain(from, fresh, chainAfter(mark.chain, first.id))
}

function judgeByProof(consignment: EntityConsignment, { front }: Proof, mark: EntityMark | undefined): Arrival {
  const { from, lane, messages } = consignment
  if (front?.lane !== lane) return { outcome: 'duplicate', receipt: undefined }
  if (mark !== undefined && isLaterLane(mark.lane, lane)) return broken(from, front)
  const [first, ...rest] = messages.filter(({ number }) => number >= front.number)
  if (first === undefined) return { outcome: 'duplicate', receipt: undefined }
  if (first.number > front.number) return { outcome: 'gap', after: front.number - 1 }
  return judgeChain(from, [first, ...rest], front.chain)
}

/** @param expected - The chain that the first message must have. */
function judgeChain(from: EntityId, messages: readonly Departing[], expected: string): Arrival {
  let [before] = messages
  for (const message of messages) {
    if (message !== before && message.number !== (before as Departing).number + 1) {
      return { outcome: 'gap', after: (before as Departing).number }
    }
    const fits = message === before ? expected : chainAfter((before as Departing).chain, message.id)
    if (message.chain !== fits) return broken(from, message)
    before = message
  }
  return { outcome: 'new', messages }
}

function broken(from: EntityId, { number }: LanePlace): Arrival {
  return { outcome: 'broken', finding: `${from} has another history at ${number} than its receiver was told.` }
}

/** A sender that begins a lane before one that it began in the same life has gone back in time. */
function isLaterLane(one: LaneId, other: LaneId): boolean {
  const [life, version] = splitLane(one)
  const [otherLife, otherVersion] = splitLane(other)
  return life === otherLife && version > otherVersion
}

function splitLane(lane: LaneId): readonly [incarnation: string, version: number] {
  const dot = lane.lastIndexOf('.')
  return [lane.slice(0, dot), Number(lane.slice(dot + 1))]
}

/** The marks after new messages. */
export function marksAfter(
  marks: EntityDocument['marks'],
  { from, lane }: EntityConsignment,
  messages: readonly Departing[],
): EntityDocument['marks'] {
  const { number, chain } = messages.at(-1) as Departing
  return { ...marks, [from]: { lane, number, chain } }
}
