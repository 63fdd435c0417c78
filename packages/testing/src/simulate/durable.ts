// durable.ts: what is durable at a moment of a run, seen from the writes that the store has done.
import {
  type Commit,
  type Definition,
  decodeEnvelope,
  decodeSnapshot,
  type EntityId,
  type Envelope,
  type Group,
  type GroupResult,
  type MessageId,
  type PlainObject,
  parseEntityId,
  type StoredMessage,
  type Trouble,
} from '@interstate/core'
import type { Change } from '../failure/story.ts'
import { type EntityView, type Moment, viewOf } from '../world/view.ts'

interface Row {
  readonly tag: string
  readonly view: EntityView | undefined
  readonly trouble: Trouble | undefined
  readonly wakeAt: number | undefined
}

/** What one write changed. */
export interface Written {
  readonly group: Group
  /** Commits that were written now, and what they made of their entities. */
  readonly changes: readonly (Change & { readonly commit: Commit; readonly entity: EntityId })[]
}

/** See the file head. */
export class Durable implements Moment {
  readonly outside: PlainObject
  readonly #definitions: ReadonlyMap<string, Definition>
  readonly #rows = new Map<EntityId, Row>()
  readonly #byType = new Map<string, readonly EntityView[]>()
  readonly #waiting = new Map<MessageId, StoredMessage>()
  /** Texts until somebody asks: of most messages nobody does. */
  readonly #envelopes = new Map<MessageId, Envelope | string>()
  /** Every group that was looked at: one that is repeated changes nothing more. */
  readonly #groups = new Set<string>()

  constructor(definitions: readonly Definition[], outside: PlainObject) {
    this.#definitions = new Map(definitions.map((each) => [each.name, each]))
    this.outside = outside
  }

  entity(id: EntityId): EntityView | undefined {
    return this.#rows.get(id)?.view
  }

  entitiesOf(type: string): readonly EntityView[] {
    const known = this.#byType.get(type)
    if (known !== undefined) return known
    const views = [...this.#rows.values()].flatMap(({ view }) =>
      view !== undefined && parseEntityId(view.entity).type === type ? [view] : [],
    )
    views.sort((one, other) => (one.entity < other.entity ? -1 : 1))
    this.#byType.set(type, views)
    return views
  }

  get underWay(): readonly Envelope[] {
    return [...this.#waiting.keys()].flatMap((id) => this.envelope(id) ?? [])
  }

  /** Whether an entity takes nothing for now: it is parked, or what stands at its head is tried again later. */
  stands(entity: EntityId, now: number): boolean {
    const { parkedAt, retryAt } = this.#rows.get(entity)?.trouble ?? {}
    return parkedAt !== undefined || (retryAt !== undefined && retryAt > now)
  }

  /** Whether a message is on its way to somebody who takes it. */
  isWaiting(now: number, isHeld: (entity: EntityId) => boolean): boolean {
    for (const { to } of this.#waiting.values()) if (!isHeld(to) && !this.stands(to, now)) return true
    return false
  }

  /** A message that was in an inbox once. */
  envelope(id: MessageId): Envelope | undefined {
    const known = this.#envelopes.get(id)
    if (typeof known !== 'string') return known
    const envelope = decodeEnvelope(known)
    this.#envelopes.set(id, envelope)
    return envelope
  }

  /** When the next entity wants a turn without a message. One that is parked may want it for ever. */
  nextWakeUp(after: number): number | undefined {
    let first: number | undefined
    for (const { wakeAt } of this.#rows.values()) {
      if (wakeAt !== undefined && wakeAt > after && (first === undefined || wakeAt < first)) first = wakeAt
    }
    return first
  }

  /** Takes over what a write has changed. */
  write(group: Group, { taken, fenced, results }: GroupResult): Written {
    const refused = new Set<string>(taken)
    const late = new Set(fenced)
    const isWhole = results.every(({ outcome }) => outcome === 'committed' || outcome === 'already applied')
    const attempt = `${group.tag} ${group.part ?? 0}`
    if (this.#groups.has(attempt)) return { group, changes: [] }
    if (group.mode === 'together' && (!isWhole || taken.length > 0 || late.size > 0)) return { group, changes: [] }
    this.#groups.add(attempt)
    const notTaken = new Set(
      group.registrations
        .filter(({ key }) => refused.has(key))
        .flatMap(({ message, others = [] }) => [message, ...others]),
    )
    for (const message of group.accepted) {
      if (!late.has(message.id) && !notTaken.has(message.id)) this.#add(message)
    }
    const changes = group.commits.flatMap((commit, index) => {
      const outcome = results[index]?.outcome
      if (outcome !== 'committed' && outcome !== 'already applied') return []
      return this.#rows.get(commit.entity)?.tag === commit.tag ? [] : [this.#commit(commit)]
    })
    return { group, changes }
  }

  #commit(commit: Commit): Written['changes'][number] {
    const { entity, snapshot, tag, wakeAt } = commit
    const { type } = parseEntityId(entity)
    const definition = this.#definitions.get(type) as Definition
    const before = this.#rows.get(entity)?.view
    const trouble = commit.trouble === undefined ? undefined : (JSON.parse(commit.trouble) as Trouble)
    const parked = trouble?.parkedAt !== undefined
    const after = snapshot === undefined ? undefined : viewOf(decodeSnapshot(definition, entity, snapshot), parked)
    this.#rows.set(entity, { tag, view: after, trouble, wakeAt })
    this.#byType.delete(type)
    for (const id of commit.consumed) this.#waiting.delete(id)
    for (const { id } of commit.deadLetters) this.#waiting.delete(id)
    for (const message of commit.outbox) this.#add(message)
    return { entity, before, after, commit }
  }

  #add(message: StoredMessage): void {
    this.#waiting.set(message.id, message)
    if (!this.#envelopes.has(message.id)) this.#envelopes.set(message.id, message.body)
  }
}
