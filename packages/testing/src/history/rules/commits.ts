// commits.ts: G1, G3, G4. A commit follows the version it was made from, consumes what is there, and comes whole.
import type {
  AcceptedMessage,
  Commit,
  EntityId,
  GroupResult,
  MessageId,
  ShardId,
  StoredMessage,
} from '@interstate/core'
import type { Books, Place } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

/** See the file head. */
export class Commits implements Rule {
  see(event: Happened, books: Books, report: Report): void {
    if (event.event !== 'written') return
    const { group, result } = event
    if (group.mode === 'together') this.#whole(group.commits, result, report)
    const { accepted, commits } = books.effective(group, result)
    const story = new Story(books, accepted)
    for (const commit of commits) {
      this.#follows(commit, story, result.results[group.commits.indexOf(commit)], report)
      this.#consumes(commit, story, report)
      story.add(commit)
    }
  }

  #whole(commits: readonly Commit[], { results, taken, fenced }: GroupResult, report: Report): void {
    const written = commits.filter((_, index) => results[index]?.outcome === 'committed')
    const isWhole =
      taken.length === 0 &&
      fenced.length === 0 &&
      results.every(({ outcome }) => outcome === 'committed' || outcome === 'already applied')
    if (isWhole || written.length === 0) return
    const entities = written.map(({ entity }) => entity)
    report('G3', `Of a group written together a part stands: ${entities.join(', ')}.`, { entities })
  }

  #follows(
    { entity, expectedVersion }: Commit,
    story: Story,
    result: GroupResult['results'][number] | undefined,
    report: Report,
  ): void {
    const version = story.version(entity)
    if (expectedVersion !== version) {
      const what = `${entity} has two successors of version ${expectedVersion}: it was at ${version} when the second was committed.`
      report('G4', what, { entities: [entity] })
    } else if (result?.outcome === 'committed' && result.version !== version + 1) {
      report('G4', `${entity} went from version ${version} to ${result.version}.`, { entities: [entity] })
    }
  }

  #consumes({ entity, consumed }: Commit, story: Story, report: Report): void {
    for (const [index, id] of consumed.entries()) {
      const about = { messages: [id], entities: [entity] }
      const place = consumed.indexOf(id) < index ? 'handled' : story.place(id, entity)
      if (place === 'waiting') continue
      if (place === undefined) report('G1', `${entity} consumed ${id}, which never waited for it.`, about)
      else if (place === 'travelling') report('G1', `${entity} consumed ${id}, which had not arrived.`, about)
      else if (place === 'handled') report('G1', `${entity} consumed ${id}, which a turn had consumed before.`, about)
      else report('G1', `${entity} consumed ${id}, which is a dead letter.`, about)
    }
  }
}

/** The books as a group goes on: commits of one group may build on each other. */
class Story {
  readonly #books: Books
  readonly #versions = new Map<EntityId, number>()
  readonly #places = new Map<MessageId, { readonly place: Place; readonly to: EntityId }>()

  constructor(books: Books, accepted: readonly AcceptedMessage[]) {
    this.#books = books
    for (const message of accepted) this.#send(message, message.entry ?? message.shard)
  }

  version(entity: EntityId): number {
    return this.#versions.get(entity) ?? this.#books.entities.get(entity)?.version ?? 0
  }

  place(id: MessageId, entity: EntityId): Place | undefined {
    const found = this.#places.get(id) ?? this.#books.messages.get(id)
    return found?.to === entity ? found.place : undefined
  }

  add({ entity, lease, consumed, outbox, deadLetters }: Commit): void {
    this.#versions.set(entity, this.version(entity) + 1)
    for (const id of consumed) this.#places.set(id, { place: 'handled', to: entity })
    for (const message of outbox) this.#send(message, lease.shard)
    for (const { id, to } of deadLetters) this.#places.set(id, { place: 'dead', to })
  }

  #send(message: StoredMessage, from: ShardId): void {
    const place = this.#books.travels(message, from) ? 'travelling' : 'waiting'
    this.#places.set(message.id, { place, to: message.to })
  }
}
