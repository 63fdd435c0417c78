// quiet.ts: waits until nothing is left to do, whoever should do it: the store knows, also what a killed host left.
import { setTimeout } from 'node:timers/promises'
import type { StoreDriver } from '@interstate/core'

const lookMs = 50
/** What has not moved for so long waits for a person; the report will tell. */
const stuckMs = 30_000

/** See the file head. */
export async function quiet(store: StoreDriver): Promise<void> {
  let last = await look(store)
  let since = performance.now()
  for (;;) {
    await setTimeout(lookMs)
    const now = await look(store)
    // Twice: shards are looked at one after another, and a message may have gone from one to the other.
    if (now.isEmpty && last.isEmpty && now.position === last.position) return
    if (now.position !== last.position) since = performance.now()
    if (performance.now() - since > stuckMs) return
    last = now
  }
}

interface Look {
  /** Whether no message waits or is on its way, and no effect runs. */
  readonly isEmpty: boolean
  /** How far all shards have come. */
  readonly position: string
}

async function look(store: StoreDriver): Promise<Look> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard)
  const tails = (await store.lanes?.tails(shards)) ?? []
  const waiting = await store.inbox(shards, 0, 1)
  const unsettled = await store.unsettled(shards, undefined, 1)
  return {
    isEmpty: waiting.length === 0 && unsettled.length === 0 && tails.every(({ departing }) => departing === 0),
    position: tails.map(({ position }) => position).join(),
  }
}
