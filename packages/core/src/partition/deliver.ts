// deliver.ts: puts what a lane brings into the inbox of its receiver.
// Anybody may deliver, with or without a lease, late and often: the mark and the proof say what is new.
import { type ArrivalRefusal, type EntityConsignment, judge, marksAfter, type Receipt } from './arrival.ts'
import {
  type Birthplace,
  type EntityDocument,
  type EntityMark,
  unwritten,
  versionOf,
  type Waiting,
  written,
} from './document.ts'
import { enqueued } from './inbox.ts'
import type { Proof } from './proof.ts'

/** One handing over. */
export interface EntityDelivery {
  readonly to: Birthplace
  readonly consignment: EntityConsignment
  /** For a lane that the receiver has no mark of. */
  readonly proof?: Proof | undefined
}

/** How it ended: a value, not an exception. Only `delivered` is to be written, on the version that it was made from. */
export type DeliveryOutcome =
  | {
      readonly outcome: 'delivered'
      readonly document: EntityDocument
      readonly receipt: Receipt
      /** What was new, as it waits now. */
      readonly accepted: readonly Waiting[]
    }
  | ArrivalRefusal

/** See the file head. */
export function deliver(document: EntityDocument | undefined, delivery: EntityDelivery): DeliveryOutcome {
  const { consignment, proof } = delivery
  const before = document ?? unwritten(delivery.to)
  const arrival = judge({ at: versionOf(document), marks: before.marks }, consignment, proof)
  if (arrival.outcome !== 'new') return arrival
  const { placed, ...line } = enqueued(before, arrival.messages)
  const marks = marksAfter(before.marks, consignment, arrival.messages)
  const { from, to } = consignment
  return {
    outcome: 'delivered',
    document: written(before, { ...line, marks }),
    receipt: { from, to, ...(marks[from] as EntityMark) },
    accepted: placed,
  }
}
