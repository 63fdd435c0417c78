// views.ts: what one node of a cluster thinks of all of them (CLUSTER NODES).

/** A node as another one, or itself, sees it. */
export interface Seen {
  readonly id: string
  readonly flags: readonly string[]
  /** Whom it follows; `-` for a primary. */
  readonly primary: string
  readonly epoch: number
  /** Its slots, first and last of each range. Open ones, on their way, belong to where they are. */
  readonly ranges: readonly (readonly [number, number])[]
}

export function parseView(text: string): readonly Seen[] {
  return text.split('\n').flatMap((line) => {
    const [id, , flags, primary, , , epoch, , ...slots] = line.trim().split(' ')
    if (id === undefined || flags === undefined || primary === undefined) return []
    const ranges = slots.filter((slot) => !slot.startsWith('[')).map(rangeOf)
    return [{ id, flags: flags.split(','), primary, epoch: Number(epoch), ranges }]
  })
}

/** The part of a view that says who has which slots: nodes agree when it is the same. */
export function ownersIn(view: readonly Seen[]): string {
  const owners = view.filter(({ ranges }) => ranges.length > 0)
  return owners
    .map(({ id, ranges }) => `${id} ${ranges.join(' ')}`)
    .sort()
    .join('\n')
}

export function slotsOf({ ranges }: Seen): readonly number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index))
}

export function hasSlot({ ranges }: Seen, slot: number): boolean {
  return ranges.some(([first, last]) => first <= slot && slot <= last)
}

function rangeOf(text: string): readonly [number, number] {
  const [first = '', last = first] = text.split('-')
  return [Number(first), Number(last)]
}
