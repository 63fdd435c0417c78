// conservation.ts: G12. At rest each accepted message is in exactly one place: waiting, handled or dead.
import type { MessageId } from '@interstate/core'
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

/** See the file head. */
export class Conservation implements Rule {
  readonly #acknowledged = new Set<MessageId>()

  see(event: Happened, books: Books, report: Report): void {
    if (event.event === 'acknowledged' && event.unfollowed !== true) this.#acknowledged.add(event.message)
    if (event.event === 'written') this.#buried(event, books, report)
    if (event.event === 'told' && event.signal.signal === 'turn' && event.signal.outcome !== 'stale') {
      const { message, entity } = event.signal
      const place = books.messages.get(message)?.place
      if (place !== undefined && place !== 'handled') {
        const what = `${message} was handled by ${entity}, and is ${place === 'dead' ? 'a dead letter' : place} all the same.`
        report('G12', what, { messages: [message], entities: [entity] })
      }
    }
    if (event.event !== 'requeued') return
    const isDead = books.messages.get(event.id)?.place === 'dead'
    if (isDead === (event.item !== undefined)) return
    const what = isDead ? 'was a dead letter, and could not be requeued' : 'was requeued, and was no dead letter'
    report('G12', `${event.id} ${what}.`, { messages: [event.id] })
  }

  rest(books: Books, report: Report): void {
    for (const message of this.#acknowledged) {
      // A message that its key alone knows was handled in the very group that registered it.
      if (!books.knows(message))
        report('G12', `${message} was acknowledged, and is in no place.`, { messages: [message] })
    }
  }

  #buried({ group, result }: Extract<Happened, { event: 'written' }>, books: Books, report: Report): void {
    for (const { entity, consumed, deadLetters } of books.effective(group, result).commits) {
      for (const { id } of deadLetters) {
        if (books.messages.get(id)?.place !== 'waiting' || consumed.includes(id)) continue
        report('G12', `${id} of ${entity} was given up, and waits all the same.`, {
          messages: [id],
          entities: [entity],
        })
      }
    }
  }
}
