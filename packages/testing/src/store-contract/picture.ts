// picture.ts: all that a store shows, so that "changes nothing" is one comparison.

import type { DeadLetter, EntityId, InboxItem, KeyPlace, KeyState, StoreDriver, StoredEntity } from '@interstate/core'
import { partitionsOf } from '@interstate/core'
import { inboxOver } from './hand.ts'

/** See the file head. */
export interface Picture {
  readonly entities: readonly (StoredEntity | undefined)[]
  readonly inbox: readonly InboxItem[]
  readonly due: readonly { readonly entity: EntityId; readonly wakeAt: number }[]
  readonly unsettled: readonly EntityId[]
  readonly deadLetters: readonly DeadLetter[]
  readonly keys: readonly KeyState[]
}

const all = 100_000

/** What the store shows of these entities and keys, and everything else that it can list. */
export async function picture(
  store: StoreDriver,
  entities: readonly EntityId[],
  keys: readonly KeyPlace[] = [],
): Promise<Picture> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard)
  return {
    entities: await store.load(partitionsOf(entities, store.shards)),
    inbox: await inboxOver(store, shards),
    due: await store.due(shards, Number.MAX_SAFE_INTEGER, all),
    unsettled: await store.unsettled(shards, undefined, all),
    deadLetters: await store.deadLetters(undefined, all),
    keys: await store.keys(keys),
  }
}
