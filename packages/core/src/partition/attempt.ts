// attempt.ts: whether a write of an owner may be made, has been made, or comes too late.
import { type DocumentVersion, type EntityDocument, isSameVersion, versionOf } from './document.ts'

/** What every write of an owner carries. An owner starts no other on the same entity before it knows how this one ended. */
export interface Attempt {
  readonly epoch: number
  /** What was loaded; `undefined` when there was no document. */
  readonly expected: DocumentVersion | undefined
  /** Random per attempt, and the same when the attempt is repeated. */
  readonly tag: string
}

/** Why an attempt is not written now. */
export type AttemptRefusal =
  /** The same attempt was written before. */
  | { readonly outcome: 'already applied'; readonly version: number }
  /** A newer epoch has written here. Whether this attempt was written before that is not known any more. */
  | { readonly outcome: 'fenced'; readonly epoch: number }
  /** Somebody else wrote first: this attempt was not written, and never will be. */
  | { readonly outcome: 'conflict'; readonly at: DocumentVersion | undefined }

/**
 * Checks an attempt: tag, then fence, then version.
 *
 * The fence comes before the version on purpose. Only an owner of a newer epoch can have overwritten the tag of an
 * attempt, so what is neither applied nor fenced is in conflict for certain, and may be decided again.
 */
export function refusalOf(document: EntityDocument | undefined, attempt: Attempt): AttemptRefusal | undefined {
  const { epoch, expected, tag } = attempt
  if (document?.tag === tag) return { outcome: 'already applied', version: document.version }
  if (document !== undefined && epoch < document.epoch) return { outcome: 'fenced', epoch: document.epoch }
  if (!isSameVersion(document, expected)) return { outcome: 'conflict', at: versionOf(document) }
  return undefined
}
