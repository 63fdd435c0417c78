// size.ts: how large a document is, and which bodies should stand in items of their own.
import { Buffer } from 'node:buffer'
import type { EntityId } from '../address.ts'
import type { Body, EntityDocument } from './document.ts'

/** What a store wants of a document. */
export interface DocumentLimits {
  /** A body above this stands in an item of its own: otherwise every write of the document pays for it again. */
  readonly bodyBytes: number
  /** Above this, further bodies leave the document, largest first. */
  readonly documentBytes: number
}

/** Where a body is. */
export type BodyPlace =
  | { readonly in: 'inbox'; readonly position: number }
  | { readonly in: 'outbox'; readonly to: EntityId; readonly number: number }
  | { readonly in: 'dead letters'; readonly index: number }

/** What is to leave a document. */
export interface Spill {
  readonly bodies: readonly BodyPlace[]
  /** Of the document without them. Above `documentBytes` it can't be written: its snapshot or its lanes are too large. */
  readonly bytes: number
}

/** The bytes of the document's JSON, as it would be written. */
export function documentBytes(document: EntityDocument): number {
  return bytesOf(document)
}

/** Decides what leaves a document; see {@link DocumentLimits}. What was spilled before stays where it is. */
export function spillOf(document: EntityDocument, limits: DocumentLimits): Spill {
  const bodies: BodyPlace[] = []
  let bytes = documentBytes(document)
  for (const { place, size, saved } of textsOf(document).sort((one, other) => other.size - one.size)) {
    if (saved <= 0 || (size <= limits.bodyBytes && bytes <= limits.documentBytes)) continue
    bodies.push(place)
    bytes -= saved
  }
  return { bodies, bytes }
}

interface Text {
  readonly place: BodyPlace
  readonly size: number
  /** What the document loses with it: less than the body, for a note of its size stays behind. */
  readonly saved: number
}

/** Bodies that stand in the document itself. */
function textsOf({ inbox, outbox, deadLetters }: EntityDocument): Text[] {
  const found: Text[] = []
  const look = (place: BodyPlace, body: Body): void => {
    if (typeof body !== 'string') return
    const size = Buffer.byteLength(body)
    found.push({ place, size, saved: bytesOf(body) - bytesOf({ bytes: size }) })
  }
  for (const { position, body } of inbox) look({ in: 'inbox', position }, body)
  for (const [to, { messages }] of Object.entries(outbox)) {
    for (const { number, body } of messages) look({ in: 'outbox', to: to as EntityId, number }, body)
  }
  for (const [index, { body }] of deadLetters.entries()) look({ in: 'dead letters', index }, body)
  return found
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
