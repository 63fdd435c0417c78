// carried.ts: a store of scope `shard` as one sees it who doesn't know of lanes: after a write, whatever left has arrived.
import assert from 'node:assert/strict'
import type { Commit, Consignment, Group, GroupResult, Lanes, Placed, StoreDriver } from '@interstate/core'

/** More than any history here needs. */
const mostRounds = 1_000

const inner = new WeakMap<StoreDriver, StoreDriver>()

/**
 * The store, with everything delivered and trimmed when a write resolves. What it says of places is looked at, and left
 * out of its answer. A store without lanes, and one that is carried already, is given back as it is.
 */
export function carried(store: StoreDriver): StoreDriver {
  if (store.lanes === undefined || inner.has(store)) return store
  const { lanes } = store
  const write = async (group: Group): Promise<GroupResult> => {
    const result = await store.write(group)
    checkPlaces(group, result)
    await carryAll(store, lanes)
    return withoutPlaces(result)
  }
  const seen = new Proxy(store, {
    get(target, name) {
      if (name === 'write') return write
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  inner.set(seen, store)
  return seen
}

/** Delivers and trims until nothing is under way: first what the first shard sent, then what the second did. */
export async function carryAll({ shards }: Pick<StoreDriver, 'shards'>, lanes: Lanes): Promise<void> {
  const all = Array.from({ length: shards }, (_, shard) => shard)
  for (let round = 1; ; round += 1) {
    const found = await lanes.departures(all, 1_000)
    if (found.length === 0) return
    assert.ok(round <= mostRounds, `Messages of lane ${found[0]?.from}>${found[0]?.to} never come to an end.`)
    const senders = [...new Set(found.map(({ from }) => from))].toSorted((one, other) => one - other)
    for (const sender of senders)
      await carry(
        lanes,
        found.filter(({ from }) => from === sender),
      )
  }
}

async function carry(lanes: Lanes, consignments: readonly Consignment[]): Promise<void> {
  const deliveries = await lanes.deliver(consignments)
  assert.equal(deliveries.length, consignments.length)
  await lanes.trim(
    consignments.map(({ from, to }, index) => {
      const delivery = deliveries[index]
      assert.equal(delivery?.outcome, 'delivered', JSON.stringify(delivery))
      return { from, to, number: delivery?.outcome === 'delivered' ? delivery.mark : 0 }
    }),
  )
}

/** Every message of a write has its place, of the right kind: a position in its own shard, a number in a lane. */
function checkPlaces(
  { accepted, registrations, commits }: Group,
  { placed = [], fenced, taken, results }: GroupResult,
) {
  const shut = registrations.filter(({ key }) => taken.includes(key))
  const refused = [...fenced, ...shut.flatMap(({ message, others = [] }) => [message, ...others])]
  assert.equal(placed.length, accepted.length, 'one place for each accepted message')
  for (const [index, { id, shard, entry = shard }] of accepted.entries()) {
    // Of two registrations of one key the first stands, so a message may be in both lists.
    if (placed[index] === undefined) assert.ok(refused.includes(id), `${id} was accepted and has no place`)
    else checkPlace(placed[index], entry === shard)
  }
  for (const [index, result] of results.entries()) {
    const { outbox, lease } = commits[index] as Commit
    if (result.outcome !== 'committed') continue
    assert.equal(result.placed?.length, outbox.length, 'one place for each message that was sent')
    for (const [nth, { shard }] of outbox.entries()) checkPlace(result.placed?.[nth], shard === lease.shard)
  }
}

function checkPlace(place: Placed | undefined, stays: boolean): void {
  assert.equal(
    place !== undefined && 'position' in place,
    stays,
    `${JSON.stringify(place)} for a message that ${stays ? 'stays' : 'leaves'}`,
  )
  const number = place === undefined ? 0 : 'position' in place ? place.position : place.number
  assert.ok(Number.isInteger(number) && number > 0)
}

function withoutPlaces({ placed: _, ...told }: GroupResult): GroupResult {
  return {
    ...told,
    results: told.results.map((result) => {
      if (result.outcome !== 'committed') return result
      const { placed: _, ...rest } = result
      return rest
    }),
  }
}
