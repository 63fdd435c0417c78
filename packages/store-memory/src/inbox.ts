// inbox.ts: messages that wait, in the order in which they will be handled.
import type { EntityId, InboxItem, MessageId, Scope, ShardId, StoredMessage } from '@interstate/core'
import { type Journal, Table } from './journal.ts'

/** See the file head. */
export class Inbox {
  readonly #rows: Table<MessageId, InboxItem>
  readonly #scope: Scope
  /** Never taken back, so no position has two meanings (G6). Of each shard, where the scope is the shard. */
  readonly #last = new Map<ShardId, number>()

  constructor(journal: Journal, scope: Scope) {
    this.#rows = new Table(journal)
    this.#scope = scope
  }

  /** The position given out last. */
  last(shard: ShardId): number {
    return this.#last.get(this.#scope === 'store' ? 0 : shard) ?? 0
  }

  /** Puts a message at the end; one that waits already stays where it is. */
  add({ id, to, shard, body }: StoredMessage): InboxItem {
    const before = this.#rows.get(id)
    if (before !== undefined) return before
    const position = this.last(shard) + 1
    this.#last.set(this.#scope === 'store' ? 0 : shard, position)
    const item = { id, to, shard, body, position }
    this.#rows.set(id, item)
    return item
  }

  has(id: MessageId, to: EntityId): boolean {
    return this.#rows.get(id)?.to === to
  }

  remove(id: MessageId): void {
    this.#rows.delete(id)
  }

  ofShards(shards: readonly ShardId[], after: number, limit: number): readonly InboxItem[] {
    const wanted = new Set(shards)
    return this.#page(({ shard }) => wanted.has(shard), after, limit)
  }

  ofEntity(entity: EntityId, after: number, limit: number): readonly InboxItem[] {
    return this.#page(({ to }) => to === entity, after, limit)
  }

  #page(isWanted: (item: InboxItem) => boolean, after: number, limit: number): readonly InboxItem[] {
    return this.#rows
      .entries()
      .map(([, item]) => item)
      .filter((item) => item.position > after && isWanted(item))
      .sort((one, other) => one.position - other.position)
      .slice(0, limit)
  }
}
