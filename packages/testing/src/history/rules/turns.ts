// turns.ts: G1, G4, G8 from what hosts tell of turns. A state has taken as many turns as were told of it, and each
// message had one.
import type { EntityId, MessageId } from '@interstate/core'
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

/** See the file head. Says nothing where no host was listened to. */
export class Turns implements Rule {
  /** Turns told of each entity, ever. */
  readonly #told = new Map<EntityId, number>()
  /** Of these, since its last commit. */
  readonly #since = new Map<EntityId, number>()
  readonly #had = new Set<MessageId>()
  #isListening = false

  see(event: Happened, books: Books, report: Report): void {
    if (event.event === 'told') {
      this.#isListening = true
      if (event.signal.signal === 'turn') this.#turn(event.signal, books, report)
    }
    if (event.event === 'requeued') this.#had.delete(event.id)
    if (event.event !== 'written') return
    const { commits } = books.effective(event.group, event.result)
    for (const { entity } of commits) {
      const last = books.entities.get(entity)
      // A host that died, or lost its shards, has told nothing; one that goes on has told all.
      if (last?.owner === event.group.owner) this.#compare(entity, books, report)
      this.#since.set(entity, 0)
    }
  }

  rest(books: Books, report: Report): void {
    for (const [entity, { owner, commit }] of books.entities) {
      if (books.owners.get(commit.lease.shard) === owner) this.#compare(entity, books, report)
    }
  }

  #turn(
    { entity, message, outcome }: { readonly entity: EntityId; readonly message: MessageId; readonly outcome: string },
    books: Books,
    report: Report,
  ): void {
    // A firing that came too early, or too late, is looked at again and counts for nothing.
    if (outcome === 'stale') return
    const about = { messages: [message], entities: [entity] }
    if (this.#had.has(message)) report('G1', `${entity} handled ${message} twice.`, about)
    this.#had.add(message)
    if (outcome !== 'handled' && outcome !== 'sent') return
    this.#since.set(entity, (this.#since.get(entity) ?? 0) + 1)
    const told = (this.#told.get(entity) ?? 0) + 1
    this.#told.set(entity, told)
    const taken = books.entities.get(entity)?.facts?.turns ?? 0
    if (told > taken) report('G8', `${message} of ${entity} was told to be handled before that was committed.`, about)
  }

  /** Holds the last commit of an entity against what was told of it afterwards. */
  #compare(entity: EntityId, books: Books, report: Report): void {
    const last = books.entities.get(entity)
    if (!this.#isListening || last?.facts === undefined) return
    const taken = last.facts.turns - (last.before?.facts?.turns ?? 0)
    const told = this.#since.get(entity) ?? 0
    if (told >= taken) return
    const what = `${entity} came to version ${last.version} by ${taken} turns, and ${told} were told: it was not computed from what version ${last.version - 1} stored.`
    report('G4', what, { entities: [entity] })
  }
}
