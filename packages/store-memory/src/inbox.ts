// inbox.ts: messages that wait, in the order in which they will be handled.
import type { EntityId, InboxItem, MessageId, ShardId, StoredMessage } from '@interstate/core'
import { type Journal, Table } from './journal.ts'

/** See the file head. */
export class Inbox {
  readonly #rows: Table<MessageId, InboxItem>
  /** Never taken back, so no position has two meanings (G6). */
  #last = 0

  constructor(journal: Journal) {
    this.#rows = new Table(journal)
  }

  /** Puts a message at the end; one that waits already stays where it is. */
  add({ id, to, shard, body }: StoredMessage): InboxItem {
    const before = this.#rows.get(id)
    if (before !== undefined) return before
    this.#last += 1
    const item = { id, to, shard, body, position: this.#last }
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
