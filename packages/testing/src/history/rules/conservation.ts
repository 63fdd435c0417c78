// conservation.ts: G12. At rest each accepted message is in exactly one place: waiting, handled or dead.
import type { IdempotencyKey, MessageId } from '@interstate/core'
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

/** See the file head. */
export class Conservation implements Rule {
  readonly #acknowledged = new Map<MessageId, IdempotencyKey | undefined>()

  see(event: Happened, books: Books, report: Report): void {
    if (event.event === 'acknowledged' && event.unfollowed !== true) this.#acknowledged.set(event.message, event.key)
    if (event.event === 'told' && event.signal.signal === 'turn' && event.signal.outcome !== 'stale') {
      const { message, entity } = event.signal
      const place = books.messages.get(message)?.place
      if (place === 'waiting' || place === 'dead') {
        const what = `${message} was handled by ${entity}, and is ${place === 'dead' ? 'a dead letter' : 'waiting'} all the same.`
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
    for (const [message, key] of this.#acknowledged) {
      if (books.messages.has(message) || books.told.has(message)) continue
      // A key that is known stands for a message that was handled together with it, and may have been told to nobody.
      if (key !== undefined && books.keys.get(key)?.registration.message === message) continue
      report('G12', `${message} was acknowledged, and is in no place.`, { messages: [message] })
    }
  }
}
