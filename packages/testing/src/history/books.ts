// books.ts: what a store must hold after a history, kept by somebody else than the store: from the groups that were
// written and from their results alone. A history begins with an empty store.
import type {
  AcceptedMessage,
  Commit,
  Consignment,
  Delivery,
  EntityId,
  Group,
  GroupResult,
  HostId,
  IdempotencyKey,
  InboxItem,
  MessageId,
  Placed,
  Registration,
  Scope,
  ShardId,
  StoredMessage,
} from '@interstate/core'
import { BookedLanes } from './booked-lanes.ts'
import type { Happened } from './event.ts'
import { type SnapshotFacts, snapshotFacts } from './facts.ts'

/** Where a message is: on its way to another shard, in an inbox, handled by a committed turn, or given up. */
export type Place = 'travelling' | 'waiting' | 'handled' | 'dead'

/** A message that entered a store. */
export interface BookedMessage extends StoredMessage {
  place: Place
  /** Grows in the order in which messages entered inboxes; 0 for one that is on its way. */
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
  /** What one write of the store covers. */
  scope: Scope = 'store'
  readonly lanes: BookedLanes = new BookedLanes()
  readonly epochs: Map<ShardId, number> = new Map()
  /** Who acquired each shard last. */
  readonly owners: Map<ShardId, HostId> = new Map()
  readonly entities: Map<EntityId, BookedEntity> = new Map()
  /** Every message that ever entered a store. */
  readonly messages: Map<MessageId, BookedMessage> = new Map()
  /** Each owner's latest group. */
  readonly #latest = new Map<HostId, { readonly tag: string; readonly parts: readonly number[] }>()
  /** Messages whose turns a host told of. */
  readonly told: Set<MessageId> = new Set()
  /** Effects that some commit started, by key. */
  readonly effects: Set<string> = new Set()
  /** Keys before it are forgotten. */
  mark: number = 0
  /** The latest time that the clock has shown. */
  clock: number = Number.NEGATIVE_INFINITY
  readonly #keys = new Map<string, BookedKey>()
  /** Serials by position, as far as it was told. By shards a position is one of its shard. */
  readonly #serials = new Map<string, number>()
  /** Messages that wait: a map keeps the order in which they came. */
  readonly #waiting = new Map<MessageId, BookedMessage>()
  /** Messages that a key stands for. */
  readonly #registered = new Set<MessageId>()
  /** Shards of each host that somebody has acquired since it was seen to have told all. */
  readonly #passedOn = new Map<string, Set<ShardId>>()
  #serial = 0

  /** What waits, in order. */
  get waiting(): Iterable<BookedMessage> {
    return this.#waiting.values()
  }

  /** Whether a store has heard of a message, or a host has told that it was handled. */
  knows(id: MessageId): boolean {
    return this.messages.has(id) || this.told.has(id) || this.#registered.has(id)
  }

  /** What is known of a key, where it was looked for. */
  key(key: IdempotencyKey, shard: ShardId | undefined): BookedKey | undefined {
    return this.#keys.get(this.#keyPlace(key, shard))
  }

  /** The same, wherever the key is known: by shards one key may stand for several calls. */
  keysNamed(key: IdempotencyKey): readonly BookedKey[] {
    return [...this.#keys.values()].filter(({ registration }) => registration.key === key)
  }

  /** Whether what a host tells of an entity may have happened long before: another one runs its shard now. */
  tellsLate(host: string, entity: EntityId): boolean {
    const shard = this.entities.get(entity)?.commit.lease.shard
    return shard !== undefined && this.#passedOn.get(host)?.has(shard) === true
  }

  /** The serial of the message that was put into an inbox under a position; `undefined` where that was never told. */
  serialAt(shard: ShardId, position: number): number | undefined {
    return this.#serials.get(this.#positionName(shard, position))
  }

  /** Whether a message goes along a lane. */
  travels({ shard }: StoredMessage, from: ShardId): boolean {
    return this.scope !== 'store' && shard !== from
  }

  /** Whether this is the latest group of its owner, or a part of it, that was written before. */
  isAgain({ owner, tag, part = 0 }: Group): boolean {
    const latest = this.#latest.get(owner)
    return latest?.tag === tag && latest.parts.includes(part)
  }

  /** What a written group changes. */
  effective(group: Group, result: GroupResult): Effective {
    const isCommitted = (index: number): boolean => result.results[index]?.outcome === 'committed'
    const commits = group.commits.filter((_, index) => isCommitted(index))
    const isAgain = this.isAgain(group)
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
        this.scope = event.scope ?? 'store'
        for (const { shard, epoch, owner } of event.acquired.leases) {
          this.epochs.set(shard, epoch)
          this.owners.set(shard, owner)
        }
        for (const shards of this.#passedOn.values()) for (const { shard } of event.acquired.leases) shards.add(shard)
        return
      case 'written':
        this.#write(event.group, this.effective(event.group, event.result))
        this.#place(event.group, event.result)
        return
      case 'inbox':
        for (const item of event.items) this.#stands(item.id, item.shard, item.position)
        return
      case 'requeued':
        if (event.item !== undefined) this.#comeBack(event.item)
        return
      case 'purged':
        this.mark = Math.max(this.mark, event.before)
        for (const [place, { registration }] of this.#keys) if (registration.at < this.mark) this.#keys.delete(place)
        return
      case 'delivered':
        for (const [index, consignment] of event.consignments.entries()) {
          this.#deliver(consignment, event.deliveries[index])
        }
        return
      case 'trimmed':
        for (const { from, to, number } of event.ends) this.lanes.trim(from, to, number)
        return
      case 'rebased':
        for (const head of event.ends.heads) this.lanes.rebaseHead(head)
        for (const mark of event.ends.marks) this.lanes.rebaseMark(mark)
        return
      case 'told':
        this.#told(event)
        return
      default:
    }
  }

  #told({ host, signal }: Extract<Happened, { event: 'told' }>): void {
    const { signal: kind } = signal
    // It takes shards between its groups: what it did before it has told.
    const hasToldAll = kind === 'started' || kind === 'shards-taken'
    if (hasToldAll || !this.#passedOn.has(host)) this.#passedOn.set(host, new Set())
    if (kind === 'turn') this.told.add(signal.message)
  }

  #write(group: Group, { accepted, registrations, commits }: Effective): void {
    const { owner, tag, part = 0 } = group
    const latest = this.#latest.get(owner)
    this.#latest.set(owner, { tag, parts: [...(latest?.tag === tag ? latest.parts : []), part] })
    for (const registration of registrations) {
      this.#keys.set(this.#keyPlace(registration.key, registration.shard), { registration, reply: undefined })
      for (const id of [registration.message, ...(registration.others ?? [])]) this.#registered.add(id)
    }
    for (const message of accepted) this.#send(message, message.entry ?? message.shard, 'from outside')
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
    for (const message of commit.outbox) this.#send(message, commit.lease.shard, 'from an entity')
    for (const letter of commit.deadLetters) {
      if (!this.messages.has(letter.id)) this.#add(letter, 'from outside')
      this.#put(letter.id, 'dead')
    }
    for (const { key, reply } of commit.replies) {
      const known = this.key(key, commit.lease.shard)
      if (known !== undefined) known.reply ??= reply
    }
  }

  #send(message: StoredMessage, from: ShardId, came: BookedMessage['came']): void {
    if (!this.travels(message, from)) {
      this.#add(message, came)
      return
    }
    this.lanes.send(message.id, from, message.shard)
    if (this.messages.get(message.id)?.place !== 'waiting') {
      this.messages.set(message.id, { ...message, came, place: 'travelling', serial: 0 })
    }
  }

  /** What the mark covers has arrived before. */
  #deliver({ from, to, messages }: Consignment, delivery: Delivery | undefined): void {
    if (delivery?.outcome !== 'delivered') return
    const { number: before } = this.lanes.get(from, to).mark
    for (const message of messages) {
      if (message.number <= before) continue
      const { number: _, chain: __, ...stored } = message
      this.#add(stored, this.messages.get(message.id)?.came ?? 'from an entity')
      this.lanes.deliver(from, to, message)
    }
    for (const { id, shard, position } of delivery.accepted) this.#stands(id, shard, position)
  }

  #place({ accepted, commits }: Group, { placed, results }: GroupResult): void {
    for (const [index, { id, shard }] of accepted.entries()) this.#stands(id, shard, placed?.[index])
    for (const [index, { outbox }] of commits.entries()) {
      const outcome = results[index]
      if (outcome?.outcome !== 'committed') continue
      for (const [each, { id, shard }] of outbox.entries()) this.#stands(id, shard, outcome.placed?.[each])
    }
  }

  #stands(id: MessageId, shard: ShardId, at: Placed | number | undefined): void {
    const position = typeof at === 'number' ? at : at !== undefined && 'position' in at ? at.position : undefined
    const serial = this.messages.get(id)?.serial
    if (position !== undefined && serial !== undefined) this.#serials.set(this.#positionName(shard, position), serial)
  }

  #positionName(shard: ShardId, position: number): string {
    return this.scope === 'store' ? `${position}` : `${shard}:${position}`
  }

  #keyPlace(key: IdempotencyKey, shard: ShardId | undefined): string {
    return this.scope === 'store' ? key : `${shard}:${key}`
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
