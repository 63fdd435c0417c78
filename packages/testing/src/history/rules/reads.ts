// reads.ts: G2, G3, G6, G12. What a store gives to read is what the books hold: all of each commit and nothing else.
import type { EntityId, InboxItem, MessageId, ShardId } from '@interstate/core'
import type { BookedMessage, Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

type Of<E extends Happened['event']> = Extract<Happened, { event: E }>

/** See the file head. */
export class Reads implements Rule {
  see(event: Happened, books: Books, report: Report): void {
    switch (event.event) {
      case 'loaded':
        this.#loaded(event, books, report)
        break
      case 'inbox':
        this.#inbox(event, books, report)
        break
      case 'due':
        this.#due(event, books, report)
        break
      case 'unsettled':
        this.#unsettled(event, books, report)
        break
      case 'dead letters':
        this.#deadLetters(event, books, report)
        break
      default:
    }
  }

  #loaded({ asked, rows }: Of<'loaded'>, books: Books, report: Report): void {
    for (const [index, entity] of asked.entries()) {
      const row = rows[index]
      const booked = books.entities.get(entity)
      const entities = [entity]
      if ((row?.version ?? 0) !== (booked?.version ?? 0)) {
        report('G3', `${entity} is at version ${row?.version ?? 0}; ${booked?.version ?? 0} were committed.`, {
          entities,
        })
        continue
      }
      const { tag, snapshot, trouble, wakeAt } = booked?.commit ?? {}
      const differs = [
        row?.tag !== tag && 'tag',
        row?.snapshot !== snapshot && 'snapshot',
        row?.trouble !== trouble && 'trouble',
        row?.wakeAt !== wakeAt && 'wake-up',
      ].filter((each) => each !== false)
      if (differs.length === 0) continue
      report('G3', `The ${differs.join(', ')} of ${entity} is not what its last commit wrote.`, { entities })
    }
  }

  #inbox({ of, after, limit, items }: Of<'inbox'>, books: Books, report: Report): void {
    const passed = this.#passed(of, after, books)
    if (passed === undefined) return
    const isOf = inboxOf(of)
    const waiting = [...books.waiting].filter((message) => isOf(message) && message.serial > passed)
    // Several inboxes by shards have no order among each other: then it is not known which of them a full page shows.
    const isMixed = books.scope !== 'store' && typeof of !== 'string' && of.length > 1
    if (isMixed && items.length >= limit) return
    if (isMixed) waiting.sort((one, other) => one.shard - other.shard)
    const expected = waiting.slice(0, limit)
    const shown = new Set(items.map(({ id }) => id))
    for (const message of expected) if (!shown.has(message.id)) lost(message, report)
    this.#unexpected(items, waiting, books, report)
    const known = new Set(waiting.map(({ id }) => id))
    const shownInOrder = isMixed ? items.toSorted((one, other) => one.shard - other.shard) : items
    const inOrder = shownInOrder.filter(({ id }) => known.has(id)).map(({ id }) => id)
    const ordered = expected.filter(({ id }) => shown.has(id)).map(({ id }) => id)
    const wrong = inOrder.findIndex((id, index) => ordered[index] !== undefined && ordered[index] !== id)
    if (wrong < 0) return
    const messages = [inOrder[wrong], ordered[wrong]] as MessageId[]
    report('G6', `The inbox gives ${messages[0]} before ${messages[1]}, which came first.`, { messages })
  }

  #unexpected(items: readonly InboxItem[], waiting: readonly BookedMessage[], books: Books, report: Report): void {
    const known = new Set(waiting.map(({ id }) => id))
    for (const { id, to, body } of items) {
      const about = { messages: [id], entities: [to] }
      const place = books.messages.get(id)?.place
      if (place === undefined) report('G3', `${id} waits, and no committed group brought it.`, about)
      else if (!known.has(id))
        report('G12', `${id} waits, and is ${place === 'dead' ? 'a dead letter' : place} too.`, about)
      else if (books.messages.get(id)?.body !== body)
        report('G3', `${id} waits with another body than it was sent with.`, about)
    }
  }

  #due({ until, limit, shards, due }: Of<'due'>, books: Books, report: Report): void {
    const wanted = new Set(shards)
    const shown = new Map(due.map(({ entity, wakeAt }) => [entity, wakeAt]))
    for (const [entity, { commit }] of books.entities) {
      const { wakeAt, lease } = commit
      const isDue = wakeAt !== undefined && wakeAt <= until && wanted.has(lease.shard)
      if (shown.has(entity) && shown.get(entity) !== wakeAt) {
        report('G3', `${entity} is due at ${shown.get(entity)}; its last commit said ${wakeAt ?? 'never'}.`, {
          entities: [entity],
        })
      }
      if (isDue && !shown.has(entity) && due.length < limit) {
        report('G3', `${entity} is due, and the index of wake-ups does not know.`, { entities: [entity] })
      }
    }
  }

  #unsettled({ shards, after, limit, entities: shown }: Of<'unsettled'>, books: Books, report: Report): void {
    const wanted = new Set(shards)
    for (const [entity, { commit }] of books.entities) {
      if (!wanted.has(commit.lease.shard) || (after !== undefined && entity <= after)) continue
      if (commit.unsettled === shown.includes(entity)) continue
      if (commit.unsettled && shown.length >= limit) continue
      const what = commit.unsettled ? 'unsettled, and is not shown so' : 'settled, and is shown as unsettled'
      report('G3', `${entity} is ${what}.`, { entities: [entity] })
    }
  }

  #deadLetters({ after, limit, letters }: Of<'dead letters'>, books: Books, report: Report): void {
    const shown = new Set(letters.map(({ id }) => id))
    for (const { id, to, place } of books.messages.values()) {
      const about = { messages: [id], entities: [to] }
      if (shown.has(id) && place !== 'dead') report('G12', `${id} is a dead letter, and is ${place} too.`, about)
      const isMissing =
        place === 'dead' && !shown.has(id) && letters.length < limit && (after === undefined || id > after)
      if (isMissing) report('G12', `${id} was given up, and is no dead letter.`, about)
    }
    for (const { id, to } of letters) {
      if (!books.messages.has(id))
        report('G3', `${id} is a dead letter, and no commit gave it up.`, { messages: [id], entities: [to] })
    }
  }

  /** The serial number up to which a position stands; `undefined` where that is not known. */
  #passed(of: readonly ShardId[] | EntityId, after: number, books: Books): number | undefined {
    if (after === 0) return 0
    const shard = typeof of === 'string' ? shardOf(of, books) : of[0]
    return shard === undefined ? undefined : books.serialAt(shard, after)
  }
}

function lost({ id, to, came }: BookedMessage, report: Report): void {
  const about = { messages: [id], entities: [to] }
  if (came === 'from an entity') report('G2', `${id} was sent to ${to}, and is not in its inbox.`, about)
  else report('G12', `${id} came ${came} to ${to}, is not handled, and is not in its inbox.`, about)
}

/** Where an entity is, as far as a message says so. */
function shardOf(entity: EntityId, { messages }: Books): ShardId | undefined {
  for (const { to, shard } of messages.values()) if (to === entity) return shard
  return undefined
}

function inboxOf(of: readonly ShardId[] | EntityId): (message: BookedMessage) => boolean {
  if (typeof of === 'string') return ({ to }) => to === of
  const shards = new Set(of)
  return ({ shard }) => shards.has(shard)
}
