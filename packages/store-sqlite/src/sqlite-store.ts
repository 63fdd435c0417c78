// sqlite-store.ts: the port, over one file. What each part does is in the file of its name.
import { DatabaseSync } from 'node:sqlite'
import {
  type Acquired,
  type DeadLetter,
  type EntityId,
  type Group,
  type GroupResult,
  type HostId,
  type InboxItem,
  InterstateError,
  type KeyPlace,
  type KeyState,
  type Lease,
  type LogicalPartition,
  type MessageId,
  type Probe,
  type ShardId,
  type StoreDriver,
  type StoredEntity,
  type StoreLimits,
} from '@interstate/core'
import { Attempts } from './attempts.ts'
import { Connection } from './connection.ts'
import { DeadLetters } from './dead-letters.ts'
import { type Due, Entities } from './entities.ts'
import { failure } from './failure.ts'
import { type Durability, openFile, type StoreFile } from './file.ts'
import { Groups, type GroupTables } from './groups.ts'
import { Inbox } from './inbox.ts'
import { Keys } from './keys.ts'
import { Ownership } from './ownership.ts'
import { Positions } from './positions.ts'
import { probeFile } from './probes.ts'

/** What {@link sqliteStore} takes. */
export interface SqliteStoreOptions {
  /** The file. It is created when it is not there; its folder must be. */
  readonly path: string
  /** What an acknowledged write survives. `full` by default. */
  readonly durability?: Durability
  /**
   * P: how many shards the entities are spread over. Fixed when the file is created, 64 by default; another number than
   * the stored one is refused.
   */
  readonly shards?: number
}

/** An open store. */
interface Open extends GroupTables {
  readonly file: StoreFile
  readonly groups: Groups
}

/** See the file head. It opens its file on first use, so that making one can't fail and a failed opening can be repeated. */
export class SqliteStore implements StoreDriver {
  readonly name = 'sqlite'
  readonly scope = 'store'
  readonly limits: StoreLimits = { maxSnapshotBytes: 16 << 20, maxMessageBytes: 4 << 20, maxOutbox: 10_000 }
  readonly #options: SqliteStoreOptions
  readonly #connect: (path: string) => DatabaseSync
  readonly #durability: Durability
  #state: Open | 'new' | 'closed' = 'new'
  #shards: number | undefined

  /** @param connect - Opens the connection; tests give one that fails. */
  constructor(options: SqliteStoreOptions, connect = (path: string): DatabaseSync => new DatabaseSync(path)) {
    this.#options = options
    this.#durability = options.durability ?? 'full'
    this.#connect = connect
  }

  get shards(): number {
    this.#shards ??= this.#open().file.shards
    return this.#shards
  }

  async probe(): Promise<readonly Probe[]> {
    const { connection, file } = this.#open()
    return probeFile(connection, file.path, this.#durability)
  }

  async acquire(owner: HostId, shards: readonly ShardId[]): Promise<Acquired> {
    const { ownership, attempts } = this.#open()
    return ownership.acquire(owner, shards, () => attempts.forgetTheDead(owner))
  }

  async survived(owner: HostId): Promise<void> {
    this.#open().ownership.survived(owner)
  }

  async release(leases: readonly Lease[]): Promise<void> {
    this.#open().ownership.release(leases)
  }

  async write(group: Group): Promise<GroupResult> {
    return this.#open().groups.write(group)
  }

  async load(partitions: readonly LogicalPartition[]): Promise<readonly (StoredEntity | undefined)[]> {
    return this.#read(({ entities }) => entities.load(partitions.map(({ entity }) => entity)))
  }

  async inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#read(({ waiting }) => waiting.ofShards(shards, after, limit))
  }

  async inboxOf({ entity }: LogicalPartition, after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#read(({ waiting }) => waiting.ofEntity(entity, after, limit))
  }

  async due(shards: readonly ShardId[], until: number, limit: number): Promise<readonly Due[]> {
    return this.#read(({ entities }) => entities.due(shards, until, limit))
  }

  async nextDue(shards: readonly ShardId[], after: number): Promise<number | undefined> {
    return this.#read(({ entities }) => entities.nextDue(shards, after))
  }

  async unsettled(
    shards: readonly ShardId[],
    after: EntityId | undefined,
    limit: number,
  ): Promise<readonly EntityId[]> {
    return this.#read(({ entities }) => entities.unsettled(shards, after, limit))
  }

  async keys(keys: readonly KeyPlace[]): Promise<readonly KeyState[]> {
    return this.#read(({ known }) => keys.map(({ key }) => known.state(key)))
  }

  async purge(before: number): Promise<number> {
    return this.#open().known.purge(before)
  }

  async deadLetters(after: MessageId | undefined, limit: number): Promise<readonly DeadLetter[]> {
    return this.#read(({ dead }) => dead.list(after, limit))
  }

  async deadLetter(id: MessageId): Promise<DeadLetter | undefined> {
    return this.#read(({ dead }) => dead.find(id))
  }

  async requeue(id: MessageId): Promise<InboxItem | undefined> {
    const { connection, positions, dead, waiting } = this.#open()
    const letter = connection.read(() => dead.find(id))
    if (letter === undefined) return undefined
    positions.reserve(1)
    return connection.transact(1, () => {
      dead.remove(id)
      waiting.add(letter)
      return waiting.find(id)
    })
  }

  async close(): Promise<void> {
    const open = this.#state
    this.#state = 'closed'
    if (typeof open === 'string') return
    try {
      open.connection.close()
    } finally {
      open.file.lock.release()
    }
  }

  #read<T>(work: (open: Open) => T): T {
    const open = this.#open()
    return open.connection.read(() => work(open))
  }

  #open(): Open {
    if (this.#state === 'closed') throw new InterstateError('STORE_FAILED', 'The store is closed.', {})
    if (this.#state === 'new') this.#state = this.#openNow()
    return this.#state
  }

  #openNow(): Open {
    const { path, shards } = this.#options
    try {
      return prepare(openFile({ path, shards, durability: this.#durability, connect: this.#connect }))
    } catch (error) {
      throw failure(error, path)
    }
  }
}

/** Prepares every statement, once. */
function prepare(file: StoreFile): Open {
  const connection = new Connection(file.db, file.path)
  const positions = new Positions(connection)
  const tables: GroupTables = {
    connection,
    positions,
    attempts: new Attempts(file.db),
    ownership: new Ownership(connection),
    entities: new Entities(file.db),
    waiting: new Inbox(file.db, positions),
    dead: new DeadLetters(file.db),
    known: new Keys(connection),
  }
  return { ...tables, file, groups: new Groups(tables) }
}
