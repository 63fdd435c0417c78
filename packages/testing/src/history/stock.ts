// stock.ts: reads all that a store holds, so that a history ends with what is really there.

import type { StoreDriver } from '@interstate/core'
import { partitionsOf } from '@interstate/core'
import type { History } from './history.ts'

/** More than any history of a test writes. */
const all = 1_000_000

/**
 * Takes stock of a store at the end of a history: reads every inbox, every entity that was written, every dead letter,
 * every lane.
 *
 * @param store - From `recording`, so that the history hears what is there.
 */
export async function takeStock(store: StoreDriver, history: History): Promise<void> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard)
  const groups = history.events.flatMap((event) => (event.event === 'written' ? [event.group] : []))
  const entities = new Set(groups.flatMap(({ commits }) => commits.map(({ entity }) => entity)))
  await store.load(partitionsOf([...entities], store.shards))
  await store.inbox(shards, 0, all)
  await store.due(shards, Number.MAX_SAFE_INTEGER, all)
  await store.unsettled(shards, undefined, all)
  await store.deadLetters(undefined, all)
  await store.lanes?.departures(shards, all)
}
