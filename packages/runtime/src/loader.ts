// loader.ts: brings entities and their waiting messages from the store into memory, never more than fits.
import {
  decodeEnvelope,
  decodeSnapshot,
  type EntityId,
  type InboxItem,
  InterstateError,
  type MessageId,
  type StoreDriver,
  type StoredEntity,
  type Trouble,
} from '@interstate/core'
import { type Item, type Resident, storedItem, UnreadableItem } from './resident.ts'
import type { Residents } from './residents.ts'
import type { SignalListener } from './signals.ts'

/** Messages of one entity that are read at once. */
const pageOfOne = 256
/** Messages of the old backlog that are read at once, and the most that are in memory before more are read. */
const pageOfAll = 2_048

/** See the file head. */
export class Loader {
  readonly #store: StoreDriver
  readonly #residents: Residents
  readonly #tell: SignalListener
  /** The position up to which the old backlog has been read. */
  #position = 0
  #backlog = true

  constructor(store: StoreDriver, residents: Residents, tell: SignalListener) {
    this.#store = store
    this.#residents = residents
    this.#tell = tell
  }

  /** Whether messages of former times still wait in the store, unread. New ones must queue up behind them there. */
  get backlog(): boolean {
    return this.#backlog
  }

  /** Reads the next of the backlog once little is left to do. */
  async readBacklog(): Promise<void> {
    if (!this.#backlog || this.#residents.ready > pageOfAll / 2) return
    const rows = await this.#store.inbox([...this.#residents.leases.keys()], this.#position, pageOfAll)
    for (const row of rows) this.#receive(row)
    this.#position = rows.at(-1)?.position ?? this.#position
    this.#backlog = rows.length === pageOfAll
  }

  /** Reads what waits for entities that wanted a turn and whose messages were left in the store. */
  async readSpilled(wanted: readonly Resident[]): Promise<void> {
    for (const resident of wanted) {
      const rows = await this.#store.inboxOf(resident, 0, pageOfOne)
      resident.spilled = rows.length === pageOfOne
      for (const row of rows) {
        const item = itemOf(row)
        item.queued = true
        resident.queue.push(item)
      }
      if (resident.queue.length > 0) this.#residents.list(resident)
    }
  }

  /** A message that was put into the inbox by another hand: a requeued dead letter. */
  receive(row: InboxItem): void {
    if (!this.#backlog) this.#receive(row)
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

  #receive(row: InboxItem): void {
    this.#residents.deliver(itemOf(row))
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
function itemOf(row: InboxItem): Item {
  try {
    const envelope = decodeEnvelope(row.body)
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
