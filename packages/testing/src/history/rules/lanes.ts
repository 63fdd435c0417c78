// lanes.ts: G2, G3, G6, G7. What goes from shard to shard arrives once, in order, and is kept until it has arrived.
import type { Consignment, Delivery, LanePlace, MessageId, Placed, ShardId } from '@interstate/core'
import { type BookedLane, placeAfter } from '../booked-lanes.ts'
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

type Of<E extends Happened['event']> = Extract<Happened, { event: E }>

/** See the file head. Says nothing of a store whose one write covers sender and receiver. */
export class Lanes implements Rule {
  see(event: Happened, books: Books, report: Report): void {
    switch (event.event) {
      case 'written':
        if (books.scope !== 'store') this.#numbers(event, books, report)
        break
      case 'delivered':
        for (const [index, consignment] of event.consignments.entries()) {
          this.#delivery(consignment, event.deliveries[index], books, report)
        }
        break
      case 'trimmed':
        this.#trimmed(event, books, report)
        break
      case 'departures':
        this.#departures(event, books, report)
        break
      default:
    }
  }

  rest(books: Books, report: Report): void {
    for (const lane of books.lanes.all()) {
      const lost = messagesAfter(lane, lane.mark.number)
      if (lost.length > 0) report('G2', `${lost.join(', ')} went from ${ends(lane)}, and never arrived.`, about(lost))
    }
  }

  /** A message has the number that comes next in its lane. */
  #numbers({ group, result }: Of<'written'>, books: Books, report: Report): void {
    const last = new Map<string, LanePlace>()
    const look = (id: MessageId, from: ShardId, to: ShardId, placed: Placed | undefined): void => {
      if (from === to) return
      const lane = `${from}>${to}`
      const next = placeAfter(last.get(lane) ?? books.lanes.get(from, to).sent, id)
      last.set(lane, next)
      if (placed === undefined) return
      if ('number' in placed && placed.number === next.number && placed.chain === next.chain) return
      const got = 'number' in placed ? `number ${placed.number}` : `position ${placed.position}`
      report('G6', `${id} got ${got} from ${ends({ from, to })}, where ${next.number} came next.`, about([id]))
    }
    const { accepted, commits } = books.effective(group, result)
    for (const message of accepted) {
      const { id, shard, entry = shard } = message
      look(id, entry, shard, result.placed?.[group.accepted.indexOf(message)])
    }
    for (const commit of commits) {
      const outcome = result.results[group.commits.indexOf(commit)]
      const placed = outcome?.outcome === 'committed' ? outcome.placed : undefined
      for (const [index, { id, shard }] of commit.outbox.entries()) {
        look(id, commit.lease.shard, shard, placed?.[index])
      }
    }
  }

  #delivery({ from, to, messages }: Consignment, delivery: Delivery | undefined, books: Books, report: Report): void {
    const lane = books.lanes.get(from, to)
    const { number: before } = lane.mark
    const first = messages[0]?.number ?? 0
    if (delivery?.outcome === 'gap') {
      if (first > before + 1 && delivery.mark === before) return
      const what = `Shard ${to} says that it has ${delivery.mark} messages from shard ${from}; it was handed ${before}.`
      report('G7', what)
      return
    }
    if (delivery?.outcome !== 'delivered') return
    if (first > before + 1) {
      const what = `${messages[0]?.id} was accepted under number ${first} from ${ends(lane)}, where ${before + 1} was missing.`
      report('G6', what, about(messages.slice(0, 1).map(({ id }) => id)))
    }
    const fresh = messages.filter(({ number }) => number > before)
    for (const { id, number } of fresh) {
      if (lane.messages.get(number) === id) continue
      report('G3', `${id} came under number ${number} from ${ends(lane)}, and was never sent so.`, about([id]))
    }
    this.#accepted(
      fresh.map(({ id }) => id),
      delivery.accepted.map(({ id }) => id),
      report,
    )
    const mark = fresh.at(-1)?.number ?? before
    if (delivery.mark !== mark) report('G7', `The mark from ${ends(lane)} is ${delivery.mark} instead of ${mark}.`)
  }

  #accepted(fresh: readonly MessageId[], accepted: readonly MessageId[], report: Report): void {
    for (const id of fresh) if (!accepted.includes(id)) report('G2', `${id} was taken, and not accepted.`, about([id]))
    for (const id of accepted) if (!fresh.includes(id)) report('G7', `${id} was accepted again.`, about([id]))
    const shared = accepted.filter((id) => fresh.includes(id))
    const wrong = shared.find((id, index) => id !== fresh.filter((each) => accepted.includes(each))[index])
    if (wrong !== undefined) report('G6', `${wrong} was accepted in another order than it was sent in.`, about([wrong]))
  }

  #trimmed({ ends: trims }: Of<'trimmed'>, books: Books, report: Report): void {
    for (const { from, to, number } of trims) {
      const lane = books.lanes.get(from, to)
      const lost = messagesAfter(lane, lane.mark.number).slice(0, Math.max(0, number - lane.mark.number))
      if (lost.length === 0) continue
      report('G2', `${lost.join(', ')} left ${ends(lane)}, which does not have it.`, about(lost))
    }
  }

  #departures({ shards, limit, found }: Of<'departures'>, books: Books, report: Report): void {
    let count = 0
    for (const { from, to, messages } of found) {
      const lane = books.lanes.get(from, to)
      count += messages.length
      for (const [index, { id, number }] of messages.entries()) {
        if (lane.messages.get(number) !== id) {
          report(
            'G3',
            `${id} is in the lane from ${ends(lane)} under number ${number}, and was not sent so.`,
            about([id]),
          )
        } else if (number !== (messages[0]?.number ?? 0) + index) {
          report('G6', `${id} stands in another order than it was sent in.`, about([id]))
        }
      }
    }
    if (count >= limit) return
    const shown = new Set(found.flatMap(({ messages }) => messages.map(({ id }) => id)))
    for (const lane of books.lanes.all()) {
      if (!shards.includes(lane.from)) continue
      const lost = [...lane.messages.values()].filter((id) => !shown.has(id))
      if (lost.length > 0)
        report('G2', `${lost.join(', ')} went from ${ends(lane)}, and is not on its way.`, about(lost))
    }
  }
}

function messagesAfter({ messages }: BookedLane, after: number): readonly MessageId[] {
  return [...messages].filter(([number]) => number > after).map(([, id]) => id)
}

function ends({ from, to }: Pick<BookedLane, 'from' | 'to'>): string {
  return `shard ${from} to shard ${to}`
}

function about(messages: readonly MessageId[]): { readonly messages: readonly MessageId[] } {
  return { messages }
}
