// rest.ts: what of a store's work is still under way, as its port tells it. No host is asked.
import { partitionsOf, type ShardId, type StoreDriver } from '@interstate/core'

/**
 * What is still under way: empty when the system is at rest (G16).
 *
 * @param halted - Shards that stand still. What others have for them waits in lanes.
 */
export async function restOf(store: StoreDriver, halted: ReadonlySet<ShardId> = new Set()): Promise<readonly string[]> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard).filter((shard) => !halted.has(shard))
  const [waiting, heads, due, unsettled, dead] = await Promise.all([
    store.inbox(shards, 0, 5),
    store.lanes?.heads(shards) ?? [],
    store.nextDue(shards, 0),
    store.unsettled(shards, undefined, 5),
    store.deadLetters(undefined, 5),
  ])
  const stuck = await store.load(partitionsOf(unsettled, store.shards))
  return [
    ...waiting.map(({ to, body }) => `waiting for ${to}: ${body}`),
    ...heads.flatMap(({ from, to, number, trimmed }) => {
      return trimmed === number || halted.has(to) ? [] : [`${number - trimmed} in the lane from ${from} to ${to}`]
    }),
    ...(due === undefined ? [] : [`a timer at ${due}`]),
    ...stuck.map((row) => `${row?.entity} is unsettled: ${row?.trouble ?? row?.snapshot}`),
    ...dead.map(({ to, reason }) => `a dead letter of ${to}: ${reason}`),
  ]
}
