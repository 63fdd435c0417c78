// nothing-early.ts: G8. No acknowledgement, no reply and no effect before the commit that it follows from.
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

/** See the file head. */
export class NothingEarly implements Rule {
  see(event: Happened, books: Books, report: Report): void {
    switch (event.event) {
      case 'acknowledged': {
        const { message, unfollowed } = event
        if (unfollowed === true || books.knows(message)) return
        report('G8', `${message} was acknowledged before any store had it.`, { messages: [message] })
        return
      }
      case 'replied': {
        const { key, to } = event
        const known = key === undefined ? [] : books.keysNamed(key)
        if (known.length === 0 || known.some(({ reply }) => reply !== undefined)) return
        const messages = known.map(({ registration }) => registration.message)
        report('G8', `${to} replied to key ${key} before that was committed.`, { messages, entities: [to] })
        return
      }
      case 'told': {
        const { signal } = event
        if (signal.signal !== 'effect-started' || books.effects.has(signal.key)) return
        const what = `Effect "${signal.effect}" of ${signal.entity} started before that was committed.`
        report('G8', what, { entities: [signal.entity] })
        return
      }
      default:
    }
  }
}
