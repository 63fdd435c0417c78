// loader.ts: brings entities and their waiting messages from the store into memory, never more than fits.
import {
  decodeEnvelope,
  decodeSnapshot,
  type EntityId,
  type Halt,
  type InboxItem,
  InterstateError,
  type MessageId,
  type ShardId,
  type StoreDriver,
  type StoredEntity,
  type Tail,
  type Trouble,
} from '@interstate/core'
import type { Arrived } from './courier.ts'
import { type Item, type Resident, storedItem, UnreadableItem } from './resident.ts'
import type { Residents } from './residents.ts'
import type { SignalListener } from './signals.ts'

/** Messages of one entity that are read at once. */
const pageOfOne = 256
/** Messages of the old backlog that are read at once, and the most that are in memory before more are read. */
const pageOfAll = 2_048
/** Messages that are read at once of each of many inboxes. */
const leastPage = 64

/** How far inboxes have been read. One for all shards where one host is the only one that writes to them. */
interface Reading {
  readonly shards: readonly ShardId[]
  /** Up to here everything is in memory, or known to wait in the store. */
  position: number
  /** The store may have more. Messages that come now queue up behind it there. */
  isBehind: boolean
}

/** See the file head. */
export class Loader {
  readonly #store: StoreDriver
  readonly #residents: Residents
  readonly #tell: SignalListener
  readonly #readings = new Map<ShardId, Reading>()
  readonly #behind = new Set<Reading>()

  constructor(store: StoreDriver, residents: Residents, tell: SignalListener) {
    this.#store = store
    this.#residents = residents
    this.#tell = tell
  }

  /** Begins to read the inboxes of shards. */
  open(shards: readonly ShardId[]): void {
    const parts = this.#store.scope === 'store' ? [shards] : shards.map((shard) => [shard])
    for (const part of parts) {
      const reading = { shards: part, position: 0, isBehind: true }
      for (const shard of part) this.#readings.set(shard, reading)
      this.#behind.add(reading)
    }
  }

  close(shards: Iterable<ShardId>): void {
    for (const shard of shards) {
      const reading = this.#readings.get(shard)
      if (reading !== undefined) this.#behind.delete(reading)
      this.#readings.delete(shard)
    }
  }

  /** Whether messages still wait in the store, unread. New ones must queue up behind them there. */
  get backlog(): boolean {
    return this.#behind.size > 0
  }

  /** Whether new messages of a shard may go into memory, because all before them are there or in a spilled inbox. */
  isCurrent(shard: ShardId): boolean {
    return this.#readings.get(shard)?.isBehind === false
  }

  /** Notes that the store may have messages of a shard that nobody told this host of. */
  look(shard: ShardId): void {
    const reading = this.#readings.get(shard)
    if (reading === undefined) return
    reading.isBehind = true
    this.#behind.add(reading)
  }

  /**
   * The same, if its inbox has come further than is known here.
   * @returns What is wrong where it has come less far: positions don't go back (G15).
   */
  noteTail({ shard, position }: Tail): Halt | undefined {
    const reading = this.#readings.get(shard)
    if (reading === undefined) return undefined
    if (position > reading.position) this.look(shard)
    if (position >= reading.position) return undefined
    return { shard, finding: `its inbox has come to ${position} and was at ${reading.position} before` }
  }

  /**
   * Notes a message that was put into an inbox.
   * @returns Whether it may go into memory; if not, it is there already or will be read in its turn (G6).
   */
  follows(shard: ShardId, position: number): boolean {
    const reading = this.#readings.get(shard)
    if (reading === undefined || reading.isBehind || position <= reading.position) return false
    if (position > reading.position + 1) {
      this.look(shard)
      return false
    }
    reading.position = position
    return true
  }

  /**
   * Reads the next of what waits unread, once little is left to do.
   * @returns Whether an inbox was read to its end.
   */
  async readBacklog(): Promise<boolean> {
    if (this.#behind.size === 0 || this.#residents.ready > pageOfAll / 2) return false
    const behind = [...this.#behind]
    const limit = Math.max(leastPage, Math.floor(pageOfAll / behind.length))
    const tails = await this.#tails(behind)
    const pages = await Promise.all(behind.map(({ shards, position }) => this.#store.inbox(shards, position, limit)))
    for (const [index, reading] of behind.entries()) {
      const rows = pages[index] as readonly InboxItem[]
      for (const row of rows) this.#residents.deliver(itemOf(row))
      reading.position = rows.at(-1)?.position ?? reading.position
      if (rows.length === limit) continue
      // What stood last may have been handled and be gone: the next position is one more all the same.
      reading.position = Math.max(reading.position, tails.get(reading.shards[0] as ShardId) ?? 0)
      reading.isBehind = false
      this.#behind.delete(reading)
    }
    return behind.some(({ isBehind }) => !isBehind)
  }

  /** Reads what waits for entities that wanted a turn and whose messages were left in the store. */
  async readSpilled(wanted: readonly Resident[]): Promise<void> {
    for (const resident of wanted) {
      if (!this.isCurrent(resident.shard)) continue
      const rows = await this.#store.inboxOf(resident, 0, pageOfOne)
      resident.spilled = rows.length === pageOfOne
      for (const row of rows) {
        if (this.#isNews(row)) continue
        const item = itemOf(row)
        item.queued = true
        resident.queue.push(item)
      }
      if (resident.queue.length > 0) this.#residents.list(resident)
    }
  }

  /** A message that was put into the inbox by another hand: a requeued dead letter. */
  receive(row: Arrived): void {
    const mayEnter = this.#store.scope === 'store' ? !this.backlog : this.follows(row.shard, row.position)
    if (mayEnter) this.#residents.deliver(itemOf(row))
  }

  /** A message in the inbox of an entity, wherever it stands there. */
  async find(entity: EntityId, message: MessageId): Promise<Item | undefined> {
    for (let after = 0; ; ) {
      const rows = await this.#store.inboxOf(this.#residents.partition(entity), after, pageOfOne)
      const row = rows.find(({ id }) => id === message)
      if (row !== undefined) return itemOf(row)
      if (rows.length < pageOfOne) return undefined
      after = rows.at(-1)?.position ?? after
    }
  }

  /** Reads entities. One that can't be read is held, and no other is touched. */
  readonly load = async (wanted: readonly Resident[]): Promise<void> => {
    const rows = await this.#store.load(wanted)
    for (const [index, resident] of wanted.entries()) this.#restore(resident, rows[index])
  }

  /** Positions of shards before their inboxes are read; none where only this host writes to them. */
  async #tails(readings: readonly Reading[]): Promise<ReadonlyMap<ShardId, number>> {
    if (this.#store.lanes === undefined) return new Map()
    const tails = await this.#store.lanes.tails(readings.flatMap(({ shards }) => shards))
    return new Map(tails.map(({ shard, position }) => [shard, position]))
  }

  /** Whether a message came by another hand and has not been noticed: it will be read in its turn. */
  #isNews({ shard, position }: InboxItem): boolean {
    const reading = this.#readings.get(shard)
    if (this.#store.scope === 'store' || reading === undefined || position <= reading.position) return false
    this.look(shard)
    return true
  }

  #restore(resident: Resident, row: StoredEntity | undefined): void {
    resident.version = row?.version ?? 0
    resident.wakeAt = row?.wakeAt
    try {
      const { definition, entity } = resident
      if (definition === undefined)
        throw new InterstateError('ENTITY_UNKNOWN', `${entity} is not hosted here.`, { entity })
      resident.state = row?.snapshot === undefined ? undefined : decodeSnapshot(definition, entity, row.snapshot)
      resident.trouble = row?.trouble === undefined ? undefined : (JSON.parse(row.trouble) as Trouble)
      resident.phase = phaseOf(resident.trouble)
    } catch (cause) {
      const error =
        cause instanceof InterstateError
          ? cause
          : new InterstateError('SNAPSHOT_UNREADABLE', `${resident.entity} can't be read.`, {}, { cause })
      resident.phase = 'held'
      resident.error = error
      this.#tell({ signal: 'held', entity: resident.entity, error })
    }
  }
}

/** A row as a message; one that can't be read keeps its place, to be put away in its turn. */
function itemOf(row: Arrived): Item {
  try {
    const envelope = row.envelope ?? decodeEnvelope(row.body)
    if (envelope.id === row.id && envelope.to === row.to) return storedItem(envelope)
    throw new InterstateError('MESSAGE_UNREADABLE', `The message in row "${row.id}" is another.`, { id: row.id })
  } catch (error) {
    return new UnreadableItem(row, error as InterstateError)
  }
}

function phaseOf(trouble: Trouble | undefined): Resident['phase'] {
  if (trouble?.parkedAt !== undefined) return 'parked'
  return trouble?.retryAt === undefined ? 'ready' : 'waiting'
}
