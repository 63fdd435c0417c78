// erase.ts: says whether a document may be deleted for good.
//   X1  Only one that holds nothing: what it would forget is nothing that anybody can still ask for.
//   X2  Only while nobody holds a proof or an attempt for it. Its absence looks the same before its life and after it: what
//       was proved against the first absence would be written into the second.
// A commit that leaves no snapshot needs neither: the document stays, as small as it is, and goes on counting.
import type { EntityDocument } from './document.ts'

/** What a document still holds. */
export type Holding = 'snapshot' | 'inbox' | 'outbox' | 'marks' | 'keys' | 'dead letters'

/** What keeps a document from being erased; empty when nothing does (X1). Whoever erases it answers for X2. */
export function holdingsOf(document: EntityDocument): readonly Holding[] {
  const { snapshot, inbox, outbox, marks, keys, deadLetters } = document
  const holds: Readonly<Record<Holding, boolean>> = {
    snapshot: snapshot !== undefined,
    inbox: inbox.length > 0,
    outbox: Object.values(outbox).some(({ messages }) => messages.length > 0),
    marks: Object.keys(marks).length > 0,
    keys: Object.keys(keys).length > 0,
    'dead letters': deadLetters.length > 0,
  }
  return (Object.keys(holds) as Holding[]).filter((each) => holds[each])
}
