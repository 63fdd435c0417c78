// order.ts: G6. What one entity sent to another is handled in the order in which its commits sent it.
import type { EntityId, MessageId } from '@interstate/core'
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

/** Where in the turns of its sender a message was sent. */
interface Sent {
  readonly turn: number
  readonly index: number
}
interface Last extends Sent {
  readonly message: MessageId
}
type TurnSignal = Extract<Extract<Happened, { event: 'told' }>['signal'], { signal: 'turn' }>

/**
 * See the file head. It goes by what hosts tell: a message's cause names the turn that sent it, its id the place in that
 * turn. Messages whose sender's turn was never told, or told when another host had taken over, are left out, and so are
 * those that a person put back.
 */
export class Order implements Rule {
  /** Turns told, in their order. */
  readonly #turns = new Map<MessageId, { readonly turn: number; readonly entity: EntityId }>()
  /** Of delayed messages: the firing that sends them. */
  readonly #delayed = new Map<string, MessageId>()
  /** By sender and receiver. */
  readonly #last = new Map<string, Last>()
  readonly #requeued = new Set<MessageId>()

  see(event: Happened, books: Books, report: Report): void {
    if (event.event === 'requeued') this.#requeued.add(event.id)
    if (event.event === 'written') this.#noteDelayed(event, books)
    if (event.event !== 'told' || event.signal.signal !== 'turn') return
    const { signal } = event
    if (signal.outcome === 'stale' || books.tellsLate(event.host, signal.entity)) return
    this.#judge(signal, report)
    this.#turns.set(signal.message, { turn: this.#turns.size, entity: signal.entity })
  }

  #judge({ entity, message, kind, causationId }: TurnSignal, report: Report): void {
    if (kind === 'timeout' || kind === 'result' || this.#requeued.has(message)) return
    const firing = this.#delayed.get(message)
    const sender = this.#turns.get(firing ?? causationId)
    if (sender === undefined || causationId === message) return
    const sent: Last = { turn: sender.turn, index: firing === undefined ? placeOf(message) : 0, message }
    const pair = `${sender.entity} ${entity}`
    const last = this.#last.get(pair)
    if (last !== undefined && !isAfter(sent, last)) {
      const what = `${entity} handled ${message} after ${last.message}, which ${sender.entity} had sent later.`
      report('G6', what, { messages: [last.message, message], entities: [sender.entity, entity] })
    }
    this.#last.set(pair, sent)
  }

  #noteDelayed({ group, result }: Extract<Happened, { event: 'written' }>, books: Books): void {
    for (const { entity } of books.effective(group, result).commits) {
      for (const [name, { sends, generation }] of books.entities.get(entity)?.facts?.timers ?? []) {
        if (sends !== undefined) this.#delayed.set(sends, `${entity}#${name}#${generation}` as MessageId)
      }
    }
  }
}

/** Its number among all that its turn put out. */
function placeOf(message: MessageId): number {
  return Number(message.slice(message.lastIndexOf('-') + 1))
}

function isAfter(one: Sent, other: Sent): boolean {
  return one.turn > other.turn || (one.turn === other.turn && one.index > other.index)
}
