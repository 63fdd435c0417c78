// forget.ts: takes a mark out of a receiver, once no copy of what it covers can be proved new again.
import {
  type DocumentVersion,
  type EntityDocument,
  type EntityMark,
  isSameVersion,
  versionOf,
  written,
} from './document.ts'
import type { Proof } from './proof.ts'

/** How it ended. Only `forgotten` is to be written, on the version that it was made from. */
export type ForgetOutcome =
  | { readonly outcome: 'forgotten'; readonly document: EntityDocument }
  /** There is no mark. */
  | { readonly outcome: 'nothing to forget' }
  /** The sender still holds what the mark covers: it must be trimmed first. */
  | { readonly outcome: 'needed' }
  /** The receiver has changed since the proof was made: load, prove, and come again. */
  | { readonly outcome: 'conflict'; readonly at: DocumentVersion | undefined }

/**
 * Forgets the mark of the lane from the proof's sender: never by a clock, only because the sender holds nothing at or
 * below it. A mark that is forgotten costs the next message of that sender a proof.
 */
export function forget(document: EntityDocument | undefined, proof: Proof): ForgetOutcome {
  if (document?.entity !== proof.to) return { outcome: 'nothing to forget' }
  const mark = document.marks[proof.from]
  if (mark === undefined) return { outcome: 'nothing to forget' }
  if (!isSameVersion(document, proof.at)) return { outcome: 'conflict', at: versionOf(document) }
  if (!isSpent(mark, proof)) return { outcome: 'needed' }
  return { outcome: 'forgotten', document: written(document, { marks: without(document.marks, proof) }) }
}

function isSpent(mark: EntityMark, { front }: Proof): boolean {
  return front?.lane !== mark.lane || front.number > mark.number
}

/** The marks after those that these proofs make superfluous are gone. The version of the proofs is looked at elsewhere. */
export function marksWithoutSpent(marks: EntityDocument['marks'], proofs: readonly Proof[]): EntityDocument['marks'] {
  let after = marks
  for (const proof of proofs) {
    const mark = after[proof.from]
    if (mark !== undefined && isSpent(mark, proof)) after = without(after, proof)
  }
  return after
}

function without(marks: EntityDocument['marks'], { from }: Proof): EntityDocument['marks'] {
  return Object.fromEntries(Object.entries(marks).filter(([sender]) => sender !== from))
}
