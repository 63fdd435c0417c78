// residents.ts: the entities that are in memory, and which of them want a turn. Bounded: the least used leave.
import {
  type Definition,
  type EntityId,
  InterstateError,
  type LogicalPartition,
  type PlacementRule,
  parseEntityId,
  type ShardId,
  shardOf,
  type Wiring,
} from '@interstate/core'
import { Queue } from './queue.ts'
import { type Item, Resident } from './resident.ts'

/** Turns that go to chains under way before one goes to who waited longer: a loop of messages starves nobody. */
const mostInARow = 32

/** See the file head. */
export class Residents {
  readonly #wiring: Wiring
  readonly #shards: number
  readonly #place: PlacementRule | undefined
  readonly #all = new Map<EntityId, Resident>()
  readonly #ready = new Queue<Resident>()
  /** Those whose messages come from the present group: served first, so that a chain of turns ends in one group. */
  readonly #hot = new Queue<Resident>()
  #hotInARow = 0

  constructor(wiring: Wiring, shards: number, place: PlacementRule | undefined) {
    this.#wiring = wiring
    this.#shards = shards
    this.#place = place
  }

  get size(): number {
    return this.#all.size
  }

  /** The entity, taken into memory without being loaded if it isn't there. */
  get(entity: EntityId): Resident {
    let resident = this.#all.get(entity)
    if (resident === undefined) {
      resident = new Resident(entity, this.shardOf(entity), this.#definitionOf(entity))
      this.#all.set(entity, resident)
    }
    return resident
  }

  find(entity: EntityId): Resident | undefined {
    return this.#all.get(entity)
  }

  /** The shard of an entity; residents know theirs already. */
  shardOf(entity: EntityId): ShardId {
    return this.#all.get(entity)?.shard ?? shardOf(entity, this.#shards, this.#place)
  }

  partition(entity: EntityId): LogicalPartition {
    return { entity, shard: this.shardOf(entity) }
  }

  /**
   * Tries the placement rule, where there is one, on an entity that is to get a message: code of a user may throw here
   * and nowhere later.
   *
   * @throws InterstateError `DEFINITION_INVALID`.
   */
  checkPlace(entity: EntityId): void {
    if (this.#place === undefined) return
    try {
      this.shardOf(entity)
    } catch (cause) {
      if (cause instanceof InterstateError) throw cause
      throw new InterstateError('DEFINITION_INVALID', `The placement rule threw for ${entity}.`, { entity }, { cause })
    }
  }

  /** Notes that an entity wants a turn. `soon`: before those that waited longer, within the bounds of fairness. */
  list(resident: Resident, when: 'in turn' | 'soon' = 'in turn'): void {
    if (resident.listed) return
    if (resident.phase !== 'ready' && resident.phase !== 'unloaded') return
    resident.listed = true
    if (when === 'soon') this.#hot.push(resident)
    else this.#ready.push(resident)
  }

  /** The next entity that wants a turn. */
  next(): Resident | undefined {
    const hot = this.#hotInARow < mostInARow || this.#ready.length === 0 ? this.#hot.shift() : undefined
    this.#hotInARow = hot === undefined ? 0 : this.#hotInARow + 1
    const resident = hot ?? this.#ready.shift()
    if (resident !== undefined) resident.listed = false
    return resident
  }

  get ready(): number {
    return this.#ready.length + this.#hot.length
  }

  /** Entities that want a turn and must be read from the store first. */
  unloaded(): readonly Resident[] {
    const found: Resident[] = []
    for (const resident of this.#listed()) if (resident.phase === 'unloaded') found.push(resident)
    return found
  }

  /** Entities that want a turn and whose messages are in the store only. */
  spilled(): readonly Resident[] {
    const found: Resident[] = []
    for (const resident of this.#listed()) if (resident.spilled && resident.queue.length === 0) found.push(resident)
    return found
  }

  /** Entities that can't take turns although they may be due. */
  stuck(): number {
    let count = 0
    for (const { phase } of this.#all.values()) if (phase === 'held') count += 1
    return count
  }

  /** Entities whose head message is tried again later. */
  waiting(): number {
    let count = 0
    for (const { phase } of this.#all.values()) if (phase === 'waiting') count += 1
    return count
  }

  /** Puts a message into the memory of its entity; `false` where it must wait in the store. */
  deliver(item: Item): boolean {
    const resident = this.get(item.envelope.to)
    if (!resident.takesIntoMemory) {
      resident.spilled = true
      return false
    }
    item.queued = true
    resident.queue.push(item)
    this.list(resident, item.producer === undefined ? 'in turn' : 'soon')
    return true
  }

  /** Lets the least used entities go until `most` are left; one with messages or in trouble stays. */
  evict(most: number, group: number): void {
    if (this.#all.size <= most) return
    let looks = this.#all.size
    // Second chance: what was used lately goes to the end of the map and is looked at last.
    for (const [entity, resident] of this.#all) {
      if (this.#all.size <= most * 0.9 || looks === 0) return
      looks -= 1
      this.#all.delete(entity)
      if (!this.#idle(resident) || resident.usedIn > group - 2) this.#all.set(entity, resident)
    }
  }

  /** Lets one entity go if nothing waits for it. */
  release(resident: Resident): void {
    if (this.#idle(resident)) this.#all.delete(resident.entity)
  }

  /**
   * Lets all entities of shards go, whatever waits for them: another host runs them now.
   * @returns What was in memory of them.
   */
  drop(shards: ReadonlySet<ShardId>): readonly Resident[] {
    const dropped: Resident[] = []
    for (const resident of this.#all.values()) if (shards.has(resident.shard)) dropped.push(resident)
    for (const { entity } of dropped) this.#all.delete(entity)
    for (const list of [this.#ready, this.#hot]) list.keep(({ shard }) => !shards.has(shard))
    return dropped
  }

  #idle({ queue, listed, spilled, phase, state }: Resident): boolean {
    if (queue.length > 0 || listed || spilled || phase === 'waiting' || phase === 'held') return false
    for (const _ in state?.running) return false
    return true
  }

  /** `undefined` also for what is no name of an entity: a row may say anything, and must hold up nobody else. */
  #definitionOf(entity: EntityId): Definition | undefined {
    try {
      return this.#wiring.definitions.get(parseEntityId(entity).type)
    } catch {
      return undefined
    }
  }

  *#listed(): Iterable<Resident> {
    yield* this.#hot
    yield* this.#ready
  }

  all(): Iterable<Resident> {
    return this.#all.values()
  }
}
