// notes.ts: what clients wrote down of what they were told. Kept outside of the store.
import { type Files, linesOf } from './files.ts'

/** See the file head. */
export interface Notes {
  /** Hands that were acknowledged, with the places that were said to them in replies. */
  readonly hands: ReadonlyMap<number, ReadonlySet<string>>
  /** Hands that were acknowledged and not known when they were sent again. */
  readonly forgotten: readonly number[]
  /** Signatures that were acknowledged, by guest; one entry for each life. */
  readonly signatures: ReadonlyMap<string, ReadonlySet<number>>
}

/** Reads what child.ts has noted. */
export function readNotes({ notes }: Pick<Files, 'notes'>): Notes {
  const hands = new Map<number, Set<string>>()
  const signatures = new Map<string, Set<number>>()
  const forgotten: number[] = []
  for (const line of linesOf(notes)) {
    const [kind, what = '', detail] = line.split(' ')
    if (kind === 'life') signatures.set(what, new Set())
    if (kind === 'sign') signatures.get(what)?.add(Number(detail))
    if (kind === 'forgotten') forgotten.push(Number(what))
    if (kind === 'hand') {
      const places = hands.get(Number(what)) ?? new Set()
      hands.set(Number(what), detail === undefined ? places : places.add(detail))
    }
  }
  return { hands, forgotten, signatures }
}
