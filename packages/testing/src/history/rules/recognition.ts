// recognition.ts: G7. What comes a second time is recognised, whatever time has passed: a group, a commit, a message, a
// client's key.
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

type Written = Extract<Happened, { event: 'written' }>

/** See the file head. */
export class Recognition implements Rule {
  see(event: Happened, books: Books, report: Report): void {
    if (event.event === 'written') {
      this.#attempts(event, books, report)
      this.#messages(event, books, report)
      this.#registrations(event, books, report)
    }
    if (event.event === 'keys') this.#keys(event, books, report)
  }

  #attempts({ group, result }: Written, books: Books, report: Report): void {
    const isAgain = books.isAgain(group)
    for (const [index, commit] of group.commits.entries()) {
      const outcome = result.results[index]?.outcome
      const isStored = books.entities.get(commit.entity)?.commit.tag === commit.tag
      const about = { entities: [commit.entity] }
      if (outcome === 'committed' && (isAgain || isStored)) {
        report('G7', `The same attempt on ${commit.entity} was committed twice.`, about)
      }
      if (outcome === 'already applied' && !isStored && !isAgain) {
        report('G3', `A commit of ${commit.entity} is said to be applied already, and never was.`, about)
      }
    }
  }

  #messages({ group, result }: Written, books: Books, report: Report): void {
    const { accepted, commits } = books.effective(group, result)
    for (const { id, to } of [...accepted, ...commits.flatMap(({ outbox }) => outbox)]) {
      const place = books.messages.get(id)?.place
      if (place !== 'handled' && place !== 'dead') continue
      const what = `${id} entered the inbox of ${to} again after it was ${place === 'dead' ? 'given up' : 'handled'}.`
      report('G7', what, { messages: [id], entities: [to] })
    }
  }

  #registrations({ group, result }: Written, books: Books, report: Report): void {
    for (const { key, shard, at, message } of books.effective(group, result).registrations) {
      const known = books.key(key, shard)?.registration
      if (known !== undefined) {
        report('G7', `Key ${key} was registered again.`, { messages: [known.message, message] })
      } else if (at < books.mark)
        report('G7', `Key ${key} was registered, and is older than the purge mark.`, { messages: [message] })
    }
  }

  #keys({ asked, shards, states }: Extract<Happened, { event: 'keys' }>, books: Books, report: Report): void {
    for (const [index, key] of asked.entries()) {
      const state = states[index]
      const known = books.key(key, shards?.[index])
      if (known === undefined) {
        const isOld = Number(key.split('~')[0]) < books.mark
        if (isOld && state?.state !== 'purged')
          report('G7', `Key ${key} is older than the purge mark, and is not refused.`)
        if (!isOld && state?.state === 'known') report('G3', `Key ${key} is known, and no group registered it.`)
      } else if (state?.state !== 'known' || state.message !== known.registration.message) {
        report('G7', `Key ${key} was registered, and is not recognised.`, { messages: [known.registration.message] })
      } else if (state.reply !== known.reply) {
        report('G3', `The reply to key ${key} is not the one that was committed first.`, { messages: [state.message] })
      }
    }
  }
}
