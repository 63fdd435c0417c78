// rest.ts: what of a store's work is still under way, as its port tells it. No host is asked.
import { partitionsOf, type ShardId, type StoreDriver } from '@interstate/core'

/**
 * What is still under way: empty when the system is at rest (G16).
 *
 * @param halted - Shards that stand still. What others have for them waits in lanes.
 */
export async function restOf(store: StoreDriver, halted: ReadonlySet<ShardId> = new Set()): Promise<readonly string[]> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard).filter((shard) => !halted.has(shard))
  const [waiting, tails, due, unsettled, dead] = await Promise.all([
    store.inbox(shards, 0, 5),
    halted.size === 0 ? (store.lanes?.tails(shards) ?? []) : [],
    store.nextDue(shards, 0),
    store.unsettled(shards, undefined, 5),
    store.deadLetters(undefined, 5),
  ])
  const stuck = await store.load(partitionsOf(unsettled, store.shards))
  return [
    ...waiting.map(({ to, body }) => `waiting for ${to}: ${body}`),
    ...tails.flatMap(({ shard, departing }) =>
      departing === 0 ? [] : [`${departing} in the lanes of shard ${shard}`],
    ),
    ...(due === undefined ? [] : [`a timer at ${due}`]),
    ...stuck.map((row) => `${row?.entity} is unsettled: ${row?.trouble ?? row?.snapshot}`),
    ...dead.map(({ to, reason }) => `a dead letter of ${to}: ${reason}`),
  ]
}
