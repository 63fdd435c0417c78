// sqlite-store.ts: the embedded store: one file, one owner, one transaction for many turns.
//   Q1  A group is one transaction; nothing of it is acknowledged before its sync (G8).
//   Q2  A commit's first write is the conditional one; in mode `each` it stands in a savepoint of its own (G3, G4, G13).
//   Q3  The outbox row and the inbox row are one row: written with the sender's commit, deleted with the receiver's (G2).
//   Q4  After a failed sync or an I/O error the file is not touched again: what the disk holds is unknown.
import type { DatabaseSync } from 'node:sqlite'
import {
  type Acquired,
  type Commit,
  type CommitResult,
  type DeadLetter,
  type EntityId,
  type Group,
  type GroupResult,
  type HostId,
  type IdempotencyKey,
  type InboxItem,
  InterstateError,
  type KeyState,
  type Lease,
  type MessageId,
  type Probe,
  type Registration,
  type ShardId,
  type StoreDriver,
  type StoredEntity,
  type StoredMessage,
  type StoreLimits,
} from '@interstate/core'
import { failureOf } from './failure.ts'
import { type Durability, openFile } from './open.ts'
import { probeFile } from './probe.ts'
import { Statements } from './statements.ts'

/** What {@link sqliteStore} takes. */
export interface SqliteStoreOptions {
  /** The file. It is made if it isn't there; its folder must exist. */
  readonly path: string
  /**
   * `full` (default): what was acknowledged survives the loss of power. `process-crash-only`: it survives a crash of the
   * process; the loss of power may take the latest commits with it, whole groups from the end backwards.
   */
  readonly durability?: Durability
  /** P, for a new file. Default 64. An existing file keeps its own. */
  readonly shards?: number
}

/** Positions that one opening of the file may give out; the next begins after them, so that none is given twice (G6). */
const positionsPerOpening = 1e9

/** See the file head. */
export class SqliteStore implements StoreDriver {
  readonly name = 'sqlite'
  readonly scope = 'store'
  readonly limits: StoreLimits = { maxSnapshotBytes: 16 << 20, maxMessageBytes: 4 << 20, maxOutbox: 10_000 }
  readonly #options: SqliteStoreOptions
  #database: DatabaseSync | undefined
  #statements: Statements | undefined
  #failure: InterstateError | undefined
  #position = 0
  #shards: number
  readonly #epochs = new Map<ShardId, number>()

  constructor(options: SqliteStoreOptions) {
    this.#options = options
    this.#shards = options.shards ?? 64
  }

  get shards(): number {
    return this.#shards
  }

  async probe(): Promise<readonly Probe[]> {
    return this.#try(() => {
      this.#open()
      return probeFile(
        this.#database as DatabaseSync,
        this.#options.durability ?? 'full',
        this.#shards,
        this.#options.shards,
      )
    })
  }

  async acquire(owner: HostId, shards: readonly ShardId[]): Promise<Acquired> {
    return this.#transaction(
      (sql) => {
        const leases = shards.map((shard): Lease => {
          const epoch = (this.#epochs.get(shard) ?? 0) + 1
          sql.setEpoch.run(shard, epoch, owner)
          return { shard, epoch, owner }
        })
        const crashes = sql.number('crashes') + sql.number('running')
        sql.setMeta.run('running', 1)
        sql.setMeta.run('crashes', crashes)
        return { leases, crashes }
      },
      ({ leases }) => {
        for (const { shard, epoch } of leases) this.#epochs.set(shard, epoch)
      },
    )
  }

  async survived(_owner: HostId): Promise<void> {
    this.#transaction((sql) => void sql.setMeta.run('crashes', 0))
  }

  async release(leases: readonly Lease[]): Promise<void> {
    if (!leases.some(({ shard, epoch }) => this.#epochs.get(shard) === epoch)) return
    this.#transaction((sql) => {
      sql.setMeta.run('running', 0)
      sql.setMeta.run('crashes', 0)
    })
  }

  async write(group: Group): Promise<GroupResult> {
    return this.#try(() => (group.mode === 'together' ? this.#writeTogether(group) : this.#writeEach(group)))
  }

  async load(entities: readonly EntityId[]): Promise<readonly (StoredEntity | undefined)[]> {
    return this.#try((sql) => entities.map((entity) => storedEntity(sql.entity.get(entity))))
  }

  async inbox(shards: readonly ShardId[], after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#try((sql) => sql.inbox.all(after, JSON.stringify(shards), limit) as unknown as InboxItem[])
  }

  async inboxOf(entity: EntityId, after: number, limit: number): Promise<readonly InboxItem[]> {
    return this.#try((sql) => sql.inboxOf.all(entity, after, limit) as unknown as InboxItem[])
  }

  async due(
    shards: readonly ShardId[],
    until: number,
    limit: number,
  ): Promise<readonly { readonly entity: EntityId; readonly wakeAt: number }[]> {
    return this.#try(
      (sql) => sql.due.all(until, JSON.stringify(shards), limit) as { entity: EntityId; wakeAt: number }[],
    )
  }

  async nextDue(shards: readonly ShardId[], after: number): Promise<number | undefined> {
    return this.#try((sql) => (sql.nextDue.get(after, JSON.stringify(shards)) as { at: number } | undefined)?.at)
  }

  async unsettled(
    shards: readonly ShardId[],
    after: EntityId | undefined,
    limit: number,
  ): Promise<readonly EntityId[]> {
    return this.#try((sql) =>
      (sql.unsettled.all(after ?? '', JSON.stringify(shards), limit) as { id: EntityId }[]).map(({ id }) => id),
    )
  }

  async keys(keys: readonly IdempotencyKey[]): Promise<readonly KeyState[]> {
    return this.#try((sql) => {
      const mark = sql.number('purge mark')
      return keys.map((key) => keyState(sql, key, mark))
    })
  }

  async purge(before: number): Promise<number> {
    return this.#transaction((sql) => {
      if (before <= sql.number('purge mark')) return 0
      sql.setMeta.run('purge mark', before)
      return Number(sql.forgetKeys.run(before).changes)
    })
  }

  async deadLetters(after: MessageId | undefined, limit: number): Promise<readonly DeadLetter[]> {
    return this.#try((sql) => sql.deadLetters.all(after ?? '', limit) as unknown as DeadLetter[])
  }

  async deadLetter(id: MessageId): Promise<DeadLetter | undefined> {
    return this.#try((sql) => sql.deadLetter.get(id) as unknown as DeadLetter | undefined)
  }

  async requeue(id: MessageId): Promise<InboxItem | undefined> {
    return this.#transaction((sql) => {
      const letter = sql.deadLetter.get(id) as unknown as DeadLetter | undefined
      if (letter === undefined) return undefined
      sql.forgetDeadLetter.run(id)
      const { to, shard, body } = letter
      return { id, to, shard, body, position: this.#put(sql, letter) }
    })
  }

  async close(): Promise<void> {
    const database = this.#database
    this.#database = undefined
    this.#statements = undefined
    this.#failure ??= new InterstateError('STORE_FAILED', `"${this.#options.path}" is closed.`)
    if (database === undefined) return
    try {
      // Not for safety: a reader of the file finds one file instead of two.
      if (this.#failure.code !== 'STORE_FENCED') database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      database.close()
    }
  }

  /** All or none: the first commit that does not go through takes the others with it. */
  #writeTogether(group: Group): GroupResult {
    return this.#inTransaction((sql) => {
      if (sql.text('latest') === group.tag) return { keep: true, value: alreadyApplied(sql, group) }
      sql.setMeta.run('latest', group.tag)
      const taken = group.registrations.filter((each) => !register(sql, each)).map(({ key }) => key)
      if (taken.length > 0) return { keep: false, value: { taken, results: group.commits.map(() => rolledBack) } }
      for (const message of group.accepted) this.#put(sql, message)
      const results: CommitResult[] = []
      for (const commit of group.commits) {
        const result = this.#commit(sql, commit)
        results.push(result)
        if (result.outcome !== 'committed' && result.outcome !== 'already applied') {
          const all = group.commits.map((_, index) => (index === results.length - 1 ? result : rolledBack))
          return { keep: false, value: { taken: [], results: all } }
        }
      }
      return { keep: true, value: { taken: [], results } }
    })
  }

  /** Each commit in a savepoint of its own: one that does not go through touches no other. */
  #writeEach(group: Group): GroupResult {
    return this.#inTransaction((sql) => {
      if (sql.text('latest') === group.tag) return { keep: true, value: alreadyApplied(sql, group) }
      sql.setMeta.run('latest', group.tag)
      const refused = group.registrations.filter((each) => !register(sql, each))
      const withheld = new Set(refused.flatMap(({ message, others = [] }) => [message, ...others]))
      for (const message of group.accepted) if (!withheld.has(message.id)) this.#put(sql, message)
      const results = group.commits.map((commit) => {
        sql.savepoint.run()
        const result = this.#commit(sql, commit)
        if (result.outcome !== 'committed' && result.outcome !== 'already applied') sql.rollbackToSavepoint.run()
        sql.releaseSavepoint.run()
        return result
      })
      return { keep: true, value: { taken: refused.map(({ key }) => key), results } }
    })
  }

  #commit(sql: Statements, commit: Commit): CommitResult {
    const { lease, entity, consumed, outbox, deadLetters, replies } = commit
    const epoch = this.#epochs.get(lease.shard) ?? 0
    if (epoch !== lease.epoch) return { outcome: 'fenced', epoch }
    if (!save(sql, commit)) return refusal(sql, commit)
    for (const id of consumed) if (sql.consume.run(id).changes !== 1) return { outcome: 'duplicate', message: id }
    for (const message of outbox) this.#put(sql, message)
    for (const { id, to, shard, body, reason } of deadLetters) sql.bury.run(id, to, shard, body, reason)
    for (const { key, reply } of replies) sql.reply.run(reply, key)
    void entity
    return { outcome: 'committed', version: commit.expectedVersion + 1 }
  }

  #put(sql: Statements, { id, to, shard, body }: StoredMessage): number {
    this.#position += 1
    sql.put.run(this.#position, id, to, shard, body)
    return this.#position
  }

  #open(): void {
    if (this.#database !== undefined) return
    const { path, durability = 'full' } = this.#options
    const database = openFile(path, durability)
    this.#database = database
    const sql = new Statements(database)
    this.#statements = sql
    if (sql.number('shards') === 0) sql.setMeta.run('shards', this.#shards)
    this.#shards = sql.number('shards')
    this.#position = sql.number('positions')
    sql.setMeta.run('positions', this.#position + positionsPerOpening)
    for (const { shard, epoch } of sql.epochs.all() as { shard: number; epoch: number }[])
      this.#epochs.set(shard, epoch)
  }

  #transaction<T>(work: (sql: Statements) => T, then?: (value: T) => void): T {
    const value = this.#try(() => this.#inTransaction((sql) => ({ keep: true, value: work(sql) })))
    then?.(value)
    return value
  }

  #inTransaction<T>(work: (sql: Statements) => { readonly keep: boolean; readonly value: T }): T {
    const sql = this.#sql()
    sql.begin.run()
    try {
      const { keep, value } = work(sql)
      if (keep) sql.commit.run()
      else sql.rollback.run()
      return value
    } catch (error) {
      // SQLite ends some transactions by itself, after a full disk for one.
      if (this.#database?.isTransaction === true) sql.rollback.run()
      throw error
    }
  }

  #try<T>(work: (sql: Statements) => T): T {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return work(this.#statements as Statements)
    } catch (error) {
      const failure = failureOf(this.#options.path, error)
      if (failure.code === 'STORE_FENCED') this.#failure = failure
      throw failure
    }
  }

  #sql(): Statements {
    if (this.#statements === undefined)
      throw new InterstateError('STORE_FAILED', 'The store is not open: probe it first.')
    return this.#statements
  }
}

const rolledBack: CommitResult = { outcome: 'rolled back' }

/** The conditional write; `false` when the stored version is another. */
function save(sql: Statements, commit: Commit): boolean {
  const { entity, expectedVersion, tag, snapshot = null, trouble = null, wakeAt = null, lease } = commit
  const unsettled = commit.unsettled ? 1 : 0
  const { changes } =
    expectedVersion === 0
      ? sql.insert.run(entity, lease.shard, tag, snapshot, trouble, wakeAt, unsettled)
      : sql.update.run(expectedVersion + 1, tag, snapshot, trouble, wakeAt, unsettled, entity, expectedVersion)
  return changes === 1
}

function refusal(sql: Statements, { entity, tag }: Commit): CommitResult {
  const row = sql.version.get(entity) as { version: number; tag: string } | undefined
  const version = row?.version ?? 0
  return row?.tag === tag ? { outcome: 'already applied', version } : { outcome: 'conflict', version }
}

function alreadyApplied(sql: Statements, { commits, registrations }: Group): GroupResult {
  const taken = registrations
    .filter(({ key, message }) => (sql.key.get(key) as { message: MessageId } | undefined)?.message !== message)
    .map(({ key }) => key)
  return { taken, results: commits.map((commit) => refusal(sql, commit)) }
}

/** Takes a key; `false` when it is taken by another message or is before the purge mark. */
function register(sql: Statements, { key, at, message, fingerprint }: Registration): boolean {
  if (at < sql.number('purge mark')) return false
  return sql.register.run(key, at, message, fingerprint).changes === 1
}

function keyState(sql: Statements, key: IdempotencyKey, mark: number): KeyState {
  const row = sql.key.get(key) as { message: MessageId; fingerprint: string; reply: string | null } | undefined
  if (row !== undefined)
    return { state: 'known', message: row.message, fingerprint: row.fingerprint, reply: row.reply ?? undefined }
  return Number(key.slice(0, key.indexOf('~'))) < mark ? { state: 'purged' } : { state: 'new' }
}

function storedEntity(row: unknown): StoredEntity | undefined {
  if (row === undefined) return undefined
  const { id, version, tag, snapshot, trouble, wake_at } = row as Record<string, string | number | null>
  return {
    entity: id as EntityId,
    version: version as number,
    tag: tag as string,
    snapshot: (snapshot ?? undefined) as string | undefined,
    trouble: (trouble ?? undefined) as string | undefined,
    wakeAt: (wake_at ?? undefined) as number | undefined,
  }
}
