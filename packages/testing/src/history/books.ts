// books.ts: what a store must hold after a history, kept by somebody else than the store: from the groups that were
// written and from their results alone. A history begins with an empty store.
import type {
  AcceptedMessage,
  Commit,
  EntityId,
  Group,
  GroupResult,
  HostId,
  IdempotencyKey,
  InboxItem,
  MessageId,
  Registration,
  ShardId,
  StoredMessage,
} from '@interstate/core'
import type { Happened } from './event.ts'
import { type SnapshotFacts, snapshotFacts } from './facts.ts'

/** Where a message is: it waits in an inbox, a committed turn has handled it, or it was given up. */
export type Place = 'waiting' | 'handled' | 'dead'

/** A message that entered a store. */
export interface BookedMessage extends StoredMessage {
  place: Place
  /** Grows in the order in which messages entered inboxes. */
  serial: number
  came: 'from outside' | 'from an entity' | 'back from the dead letters'
}

/** An entity after its last commit. */
export interface BookedEntity {
  readonly version: number
  readonly commit: Commit
  /** Who wrote it. */
  readonly owner: HostId
  readonly facts: SnapshotFacts | undefined
  /** The commit before. */
  readonly before: BookedEntity | undefined
}

interface BookedKey {
  readonly registration: Registration
  reply: string | undefined
}

/** What of a group changed anything. */
export interface Effective {
  readonly accepted: readonly AcceptedMessage[]
  readonly registrations: readonly Registration[]
  readonly commits: readonly Commit[]
}

/** See the file head. */
export class Books {
  readonly epochs: Map<ShardId, number> = new Map()
  /** Who acquired each shard last. */
  readonly owners: Map<ShardId, HostId> = new Map()
  readonly entities: Map<EntityId, BookedEntity> = new Map()
  /** Every message that ever entered a store. */
  readonly messages: Map<MessageId, BookedMessage> = new Map()
  readonly keys: Map<IdempotencyKey, BookedKey> = new Map()
  /** Each owner's latest group. */
  readonly latest: Map<HostId, Group['tag']> = new Map()
  /** Messages whose turns a host told of. */
  readonly told: Set<MessageId> = new Set()
  /** Effects that some commit started, by key. */
  readonly effects: Set<string> = new Set()
  /** Hosts whose shards another one has acquired: what they tell may have happened long before. */
  readonly superseded: Set<string> = new Set()
  /** Keys before it are forgotten. */
  mark: number = 0
  /** The latest time that the clock has shown. */
  clock: number = Number.NEGATIVE_INFINITY
  /** Messages that wait: a map keeps the order in which they came. */
  readonly #waiting = new Map<MessageId, BookedMessage>()
  /** Messages that a key stands for. */
  readonly #registered = new Set<MessageId>()
  readonly #hosts = new Set<string>()
  #serial = 0

  /** What waits, in order. */
  get waiting(): Iterable<BookedMessage> {
    return this.#waiting.values()
  }

  /** Whether a store has heard of a message, or a host has told that it was handled. */
  knows(id: MessageId): boolean {
    return this.messages.has(id) || this.told.has(id) || this.#registered.has(id)
  }

  /** What a written group changes. */
  effective(group: Group, result: GroupResult): Effective {
    const isCommitted = (index: number): boolean => result.results[index]?.outcome === 'committed'
    const commits = group.commits.filter((_, index) => isCommitted(index))
    const isAgain = this.latest.get(group.owner) === group.tag
    const isUndone = group.mode === 'together' && isRefused(result)
    if (isAgain || isUndone) return { accepted: [], registrations: [], commits }
    const taken = new Set(result.taken)
    const late = new Set(result.fenced)
    const stands = ({ key, message, others = [] }: Registration): boolean =>
      !taken.has(key) && ![message, ...others].some((id) => late.has(id))
    const registrations = group.registrations.filter(stands)
    const refused = new Set(
      group.registrations
        .filter((each) => !stands(each))
        .flatMap(({ message, others = [] }) => [message, ...others])
        .concat(result.fenced),
    )
    return { accepted: group.accepted.filter(({ id }) => !refused.has(id)), registrations, commits }
  }

  /** Enters an event. */
  enter(event: Happened): void {
    this.clock = Math.max(this.clock, event.at)
    switch (event.event) {
      case 'acquired':
        for (const { shard, epoch, owner } of event.acquired.leases) {
          this.epochs.set(shard, epoch)
          this.owners.set(shard, owner)
        }
        for (const host of this.#hosts) this.superseded.add(host)
        return
      case 'written':
        this.#write(event.group, this.effective(event.group, event.result))
        return
      case 'requeued':
        if (event.item !== undefined) this.#comeBack(event.item)
        return
      case 'purged':
        this.mark = Math.max(this.mark, event.before)
        for (const [key, { registration }] of this.keys) if (registration.at < this.mark) this.keys.delete(key)
        return
      case 'told':
        this.#hosts.add(event.host)
        if (event.signal.signal === 'started') this.superseded.delete(event.host)
        if (event.signal.signal === 'turn') this.told.add(event.signal.message)
        return
      default:
    }
  }

  #write(group: Group, { accepted, registrations, commits }: Effective): void {
    this.latest.set(group.owner, group.tag)
    for (const registration of registrations) {
      this.keys.set(registration.key, { registration, reply: undefined })
      for (const id of [registration.message, ...(registration.others ?? [])]) this.#registered.add(id)
    }
    for (const message of accepted) this.#add(message, 'from outside')
    for (const commit of commits) this.#commit(commit, group.owner)
  }

  #commit(commit: Commit, owner: HostId): void {
    const before = this.entities.get(commit.entity)
    const facts = snapshotFacts(commit.snapshot)
    for (const key of facts?.effects ?? []) this.effects.add(key)
    const version = (before?.version ?? 0) + 1
    // Only one step back: a history may be long.
    const booked = { version, commit, owner, facts, before: before && { ...before, before: undefined } }
    this.entities.set(commit.entity, booked)
    for (const id of commit.consumed) this.#put(id, 'handled')
    for (const message of commit.outbox) this.#add(message, 'from an entity')
    for (const letter of commit.deadLetters) {
      if (!this.messages.has(letter.id)) this.#add(letter, 'from outside')
      this.#put(letter.id, 'dead')
    }
    for (const { key, reply } of commit.replies) {
      const known = this.keys.get(key)
      if (known !== undefined) known.reply ??= reply
    }
  }

  /** A message whose id waits already is kept once. */
  #add(message: StoredMessage, came: BookedMessage['came']): void {
    if (this.messages.get(message.id)?.place === 'waiting') return
    this.#serial += 1
    const booked: BookedMessage = { ...message, came, place: 'waiting', serial: this.#serial }
    this.messages.set(message.id, booked)
    this.#waiting.set(message.id, booked)
  }

  #put(id: MessageId, place: Place): void {
    const message = this.messages.get(id)
    if (message === undefined) return
    message.place = place
    this.#waiting.delete(id)
  }

  #comeBack({ position: _, ...message }: InboxItem): void {
    this.#put(message.id, 'handled')
    this.#add(message, 'back from the dead letters')
    this.told.delete(message.id)
  }
}

function isRefused({ taken, fenced, results }: GroupResult): boolean {
  if (taken.length > 0 || fenced.length > 0) return true
  return results.some(({ outcome }) => outcome !== 'committed' && outcome !== 'already applied')
}
