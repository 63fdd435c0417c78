// inbox.ts: puts messages at the end of the line, under positions without gaps.
import type { MessageId } from '../address.ts'
import type { Body, EntityDocument, Waiting } from './document.ts'

/** See the file head. A message that waits already stays where it is. */
export function enqueued(
  { position, inbox }: Pick<EntityDocument, 'position' | 'inbox'>,
  messages: readonly { readonly id: MessageId; readonly body: Body }[],
): Pick<EntityDocument, 'position' | 'inbox'> & { readonly placed: readonly Waiting[] } {
  const waiting = new Map(inbox.map((item) => [item.id, item]))
  let last = position
  const placed = messages.map(({ id, body }) => {
    const before = waiting.get(id)
    if (before !== undefined) return before
    last += 1
    const item = { id, position: last, body }
    waiting.set(id, item)
    return item
  })
  return { position: last, inbox: [...waiting.values()], placed }
}
