// migration.ts: moves slots from one primary to another while clients go on.
import type { RedisServer } from './server.ts'
import { parseView, slotsOf } from './views.ts'

interface Party {
  readonly node: RedisServer
  readonly id: string
}

/** What moves, and who must know. */
export interface Migration {
  /** Which slots, or how many of the first ones. */
  readonly slots: number | readonly number[]
  readonly from: Party
  readonly to: Party
  /** Other primaries, told at once; without that they hear of it by gossip. */
  readonly others: readonly RedisServer[]
  /** Called for each slot when half of its keys have moved: both sides hold a part of it then. */
  readonly halfway?: (slot: number) => Promise<void> | void
}

const timeoutMs = 5_000
const batch = 100

/** See the file head. Gives the slots that moved. */
export async function migrate(migration: Migration): Promise<readonly number[]> {
  const slots = await chosen(migration)
  for (const slot of slots) await move(slot, migration)
  return slots
}

async function chosen({ slots, from }: Migration): Promise<readonly number[]> {
  if (typeof slots !== 'number') return slots
  const view = parseView(String(await from.node.run('CLUSTER', 'NODES')))
  const self = view.find(({ id }) => id === from.id)
  const owned = self === undefined ? [] : slotsOf(self)
  if (owned.length < slots)
    throw new Error(`The node on port ${from.node.port} has ${owned.length} slots, not ${slots}.`)
  return owned.slice(0, slots)
}

async function move(slot: number, { from, to, others, halfway }: Migration): Promise<void> {
  // In this order: a client that is sent on by the old owner must find the new one ready.
  await to.node.run('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
  await from.node.run('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
  const keys = Number(await from.node.run('CLUSTER', 'COUNTKEYSINSLOT', slot))
  await moveKeys(slot, from.node, to.node, Math.floor(keys / 2))
  await halfway?.(slot)
  await moveKeys(slot, from.node, to.node, Number.POSITIVE_INFINITY)
  // The new owner first: were the old one told and the new one then lost, the slot would be nobody's.
  for (const node of [to.node, from.node, ...others]) await node.run('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
}

async function moveKeys(slot: number, from: RedisServer, to: RedisServer, limit: number): Promise<void> {
  for (let left = limit; left > 0; ) {
    const keys = await from.run('CLUSTER', 'GETKEYSINSLOT', slot, Math.min(left, batch))
    if (!Array.isArray(keys) || keys.length === 0) return
    await from.run('MIGRATE', '127.0.0.1', to.port, '', 0, timeoutMs, 'KEYS', ...keys.map(String))
    left -= keys.length
  }
}
