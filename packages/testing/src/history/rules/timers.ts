// timers.ts: G9. Each generation of a timer fires at most once, never before it is due, and not when it was cancelled.
import type { EntityId, MessageId } from '@interstate/core'
import type { BookedEntity, Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { TimerFacts } from '../facts.ts'
import type { Report, Rule } from '../rule.ts'

interface Armed extends TimerFacts {
  /** The version in which it was gone: it had fired, or was cancelled. */
  gone: number | undefined
}

type TurnSignal = Extract<Extract<Happened, { event: 'told' }>['signal'], { signal: 'turn' }>

/** When a firing is told. */
interface When {
  /** The latest time that the clock has shown. */
  readonly clock: number
  /** By a host that another one has taken over from: it may have happened long before. */
  readonly isLate: boolean
}

/** See the file head. Knows the firings that hosts told of. */
export class Timers implements Rule {
  readonly #armed = new Map<MessageId, Armed>()
  readonly #fired = new Set<MessageId>()

  see(event: Happened, books: Books, report: Report): void {
    if (event.event === 'told') {
      const { signal } = event
      if (signal.signal !== 'turn' || signal.kind !== 'timeout') return
      // The log speaks before the books do: a commit is noted when it is next looked at.
      if (signal.outcome !== 'handled' && signal.outcome !== 'sent') return
      this.#note(signal.entity, books.entities.get(signal.entity))
      const clock = Math.max(books.clock, event.at)
      this.#fire(signal, { clock, isLate: books.tellsLate(event.host, signal.entity) }, books, report)
    }
    if (event.event !== 'written') return
    for (const { entity } of event.group.commits) this.#note(entity, books.entities.get(entity))
  }

  #fire(signal: TurnSignal, { clock, isLate }: When, books: Books, report: Report): void {
    const { message: id, entity } = signal
    const about = { messages: [id], entities: [entity] }
    const timer = this.#armed.get(id)
    if (this.#fired.has(id)) report('G9', `${id} fired twice.`, about)
    this.#fired.add(id)
    if (timer === undefined) {
      report('G9', `${id} fired, and no commit had armed it.`, about)
      return
    }
    if (timer.due > clock) report('G9', `${id} fired ${timer.due - clock} ms before it was due.`, about)
    const last = books.entities.get(entity)
    if (timer.gone !== undefined && !isLate && last !== undefined && timer.gone < last.version) {
      report('G9', `${id} fired after it was cancelled.`, about)
    }
  }

  #note(entity: EntityId, booked: BookedEntity | undefined): void {
    if (booked === undefined) return
    const now = booked.facts?.timers ?? new Map<string, TimerFacts>()
    for (const [name, timer] of now) {
      const id = firing(entity, name, timer)
      if (!this.#armed.has(id)) this.#armed.set(id, { ...timer, gone: undefined })
    }
    for (const [name, timer] of booked.before?.facts?.timers ?? []) {
      const armed = this.#armed.get(firing(entity, name, timer))
      if (armed !== undefined && now.get(name)?.generation !== timer.generation) armed.gone ??= booked.version
    }
  }
}

function firing(entity: EntityId, name: string, { generation }: TimerFacts): MessageId {
  return `${entity}#${name}#${generation}` as MessageId
}
