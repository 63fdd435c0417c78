// groups.ts: writes a group in one transaction.
//   W1  The conditional write comes first: a commit on the wrong version has changed nothing when it is refused (G4).
//   W2  Every consumed message is deleted, and must have been there (G1).
//   W3  A commit that is refused after its first write goes back to its savepoint, alone (G13).
//   W4  What is accepted is fenced in the same transaction as what is committed (G5).
import type { StatementSync } from 'node:sqlite'
import type { Commit, CommitResult, Group, GroupResult, MessageId, Registration } from '@interstate/core'
import type { Attempts } from './attempts.ts'
import type { Connection } from './connection.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Entities } from './entities.ts'
import type { Inbox } from './inbox.ts'
import type { Keys } from './keys.ts'
import type { Ownership } from './ownership.ts'
import type { Positions } from './positions.ts'

/** The tables that a group is written to. */
export interface GroupTables {
  readonly connection: Connection
  readonly positions: Positions
  readonly attempts: Attempts
  readonly ownership: Ownership
  readonly entities: Entities
  readonly waiting: Inbox
  readonly dead: DeadLetters
  readonly known: Keys
}

/** See the file head. */
export class Groups {
  readonly #tables: GroupTables
  readonly #savepoint: StatementSync
  readonly #backToSavepoint: StatementSync
  readonly #release: StatementSync

  constructor(tables: GroupTables) {
    const { db } = tables.connection
    this.#tables = tables
    this.#savepoint = db.prepare('SAVEPOINT undo')
    this.#backToSavepoint = db.prepare('ROLLBACK TO undo')
    this.#release = db.prepare('RELEASE undo')
  }

  write(group: Group): GroupResult {
    const { connection, positions, attempts } = this.#tables
    const before = connection.read(() => attempts.again(group))
    if (before !== undefined) return before
    const { messages, pages } = measure(group)
    positions.reserve(messages)
    const [result, attempt] = connection.transact(pages, () => {
      const written = group.mode === 'together' ? this.#together(group) : this.#each(group)
      return [written, attempts.write(group, written)] as const
    })
    attempts.keep(attempt)
    return result
  }

  #each(group: Group): GroupResult {
    const late = this.#late(group)
    const taken = this.#register(group.registrations.filter(({ message }) => !late.has(message)))
    const refused = new Set(taken.flatMap(({ message, others = [] }) => [message, ...others]))
    for (const message of group.accepted) {
      if (!late.has(message.id) && !refused.has(message.id)) this.#tables.waiting.add(message)
    }
    return {
      taken: taken.map(({ key }) => key),
      fenced: idsOf(group).filter((id) => late.has(id)),
      results: group.commits.map((commit) => this.#alone(commit)),
    }
  }

  #together(group: Group): GroupResult {
    const late = this.#late(group)
    const fenced = idsOf(group).filter((id) => late.has(id))
    if (fenced.length > 0) return { taken: [], fenced, results: group.commits.map(() => ({ outcome: 'rolled back' })) }
    this.#savepoint.run()
    const taken = this.#register(group.registrations).map(({ key }) => key)
    if (taken.length > 0) return this.#takeBack(group, taken)
    for (const message of group.accepted) this.#tables.waiting.add(message)
    const results: CommitResult[] = []
    for (const commit of group.commits) {
      const result = this.#commit(commit)
      // What comes after it may have built on what failed, so it isn't tried.
      if (!isWritten(result)) return this.#takeBack(group, taken, result, results.length)
      results.push(result)
    }
    this.#release.run()
    return { taken, fenced, results }
  }

  /** Undoes a group of mode `together`; `failed` is the commit that is to blame. */
  #takeBack(group: Group, taken: GroupResult['taken'], result?: CommitResult, failed?: number): GroupResult {
    this.#undo()
    const results = group.commits.map((_, index): CommitResult => {
      return result !== undefined && index === failed ? result : { outcome: 'rolled back' }
    })
    return { taken, fenced: [], results }
  }

  /** A commit of mode `each`. Only one that consumes something can fail after it has written something. */
  #alone(commit: Commit): CommitResult {
    if (commit.consumed.length === 0) return this.#commit(commit)
    this.#savepoint.run()
    const result = this.#commit(commit)
    if (isWritten(result)) this.#release.run()
    else this.#undo()
    return result
  }

  #undo(): void {
    this.#backToSavepoint.run()
    this.#release.run()
  }

  #commit(commit: Commit): CommitResult {
    const { ownership, entities, waiting, dead, known } = this.#tables
    const { entity, lease, expectedVersion } = commit
    const epoch = ownership.epoch(lease.shard)
    if (epoch !== lease.epoch) return this.#applied(commit) ?? { outcome: 'fenced', epoch }
    if (!entities.replace(commit)) {
      return this.#applied(commit) ?? { outcome: 'conflict', version: entities.version(entity).version }
    }
    for (const id of commit.consumed) if (!waiting.remove(id, entity)) return { outcome: 'duplicate', message: id }
    for (const message of commit.outbox) waiting.add(message)
    for (const letter of commit.deadLetters) dead.add(letter)
    for (const { key, reply } of commit.replies) known.reply(key, reply)
    return { outcome: 'committed', version: expectedVersion + 1 }
  }

  /** The same attempt again. It is said of a fenced one too: what was written stays written, whoever owns the shard now. */
  #applied({ entity, tag: attempt }: Commit): CommitResult | undefined {
    const { version, tag } = this.#tables.entities.version(entity)
    return tag === attempt ? { outcome: 'already applied', version } : undefined
  }

  /** Accepted messages whose lease has passed on, and what shares a registration with one: an event goes to all or none. */
  #late({ accepted, registrations }: Group): ReadonlySet<MessageId> {
    const { ownership } = this.#tables
    const late = new Set<MessageId>()
    for (const { id, lease } of accepted) {
      if (lease !== undefined && ownership.epoch(lease.shard) !== lease.epoch) late.add(id)
    }
    if (late.size === 0) return late
    for (const { message, others = [] } of registrations) {
      const call = [message, ...others]
      if (call.some((id) => late.has(id))) for (const id of call) late.add(id)
    }
    return late
  }

  /** Gives those that could not be registered. */
  #register(registrations: readonly Registration[]): readonly Registration[] {
    return registrations.filter((registration) => !this.#tables.known.register(registration))
  }
}

function idsOf({ accepted }: Group): readonly MessageId[] {
  return accepted.map(({ id }) => id)
}

function isWritten({ outcome }: CommitResult): boolean {
  return outcome === 'committed' || outcome === 'already applied'
}

const pageBytes = 4_096
/** A message has a row and an entry in each of two indexes. */
const pagesOfMessage = 3

/** How many messages a group brings, and about how many pages it changes. */
function measure({ accepted, registrations, commits }: Group): { readonly messages: number; readonly pages: number } {
  let messages = accepted.length
  let removed = 0
  let bytes = 0
  for (const { body } of accepted) bytes += body.length
  for (const { snapshot, consumed, outbox, deadLetters } of commits) {
    messages += outbox.length
    removed += consumed.length
    bytes += snapshot?.length ?? 0
    for (const { body } of outbox) bytes += body.length
    for (const { body } of deadLetters) bytes += body.length
  }
  const rows = 1 + commits.length + registrations.length + pagesOfMessage * (messages + removed)
  return { messages, pages: rows + Math.ceil(bytes / pageBytes) }
}
