// recording.ts: a store that tells a history what it was asked and what it answered.
import type { Acquired, GroupResult, Lanes, StoreDriver } from '@interstate/core'
import type { History } from './history.ts'

/**
 * Any store, with everything told to a history that matters to the guarantees. Put it right around the store, inside of
 * all faults: it tells what was written, whether or not anybody has heard of it.
 *
 * @example
 * ```ts
 * const history = new History(env)
 * const store = new FaultyStore(recording(memoryStore(), history))
 * const host = calling(await createHost({ entities, store, env, onSignal: listening(history) }), history)
 * // …
 * expect(checkHistory(history.events)).toEqual([])
 * ```
 */
export function recording(store: StoreDriver, history: History): StoreDriver {
  return {
    name: store.name,
    scope: store.scope,
    // Some are known when the store is opened.
    get shards() {
      return store.shards
    },
    get limits() {
      return store.limits
    },
    lanes: store.lanes === undefined ? undefined : recordingLanes(store.lanes, history),
    // Nothing of it is needed for a guarantee.
    cluster: store.cluster,
    probe: () => store.probe(),
    async acquire(...asked): Promise<Acquired> {
      const acquired = await store.acquire(...asked)
      const [owner] = asked
      history.record({ event: 'acquired', owner, acquired, scope: store.scope })
      return acquired
    },
    survived: (owner) => store.survived(owner),
    async release(leases) {
      await store.release(leases)
      history.record({ event: 'released', leases })
    },
    async write(group): Promise<GroupResult> {
      const result = await store.write(group)
      history.record({ event: 'written', group, result })
      return result
    },
    async load(partitions) {
      const rows = await store.load(partitions)
      history.record({ event: 'loaded', asked: partitions.map(({ entity }) => entity), rows })
      return rows
    },
    async inbox(of, after, limit) {
      const items = await store.inbox(of, after, limit)
      history.record({ event: 'inbox', of, after, limit, items })
      return items
    },
    async inboxOf(partition, after, limit) {
      const items = await store.inboxOf(partition, after, limit)
      history.record({ event: 'inbox', of: partition.entity, after, limit, items })
      return items
    },
    async due(shards, until, limit) {
      const due = await store.due(shards, until, limit)
      history.record({ event: 'due', shards, until, limit, due })
      return due
    },
    nextDue: (shards, after) => store.nextDue(shards, after),
    async unsettled(shards, after, limit) {
      const entities = await store.unsettled(shards, after, limit)
      history.record({ event: 'unsettled', shards, after, limit, entities })
      return entities
    },
    async keys(places) {
      const states = await store.keys(places)
      const shards = store.scope === 'store' ? undefined : places.map(({ shard }) => shard)
      history.record({ event: 'keys', asked: places.map(({ key }) => key), shards, states })
      return states
    },
    async purge(before) {
      const forgotten = await store.purge(before)
      history.record({ event: 'purged', before })
      return forgotten
    },
    async deadLetters(after, limit) {
      const letters = await store.deadLetters(after, limit)
      history.record({ event: 'dead letters', after, limit, letters })
      return letters
    },
    deadLetter: (id) => store.deadLetter(id),
    async requeue(id) {
      const item = await store.requeue(id)
      history.record({ event: 'requeued', id, item })
      return item
    },
    close: () => store.close(),
  }
}

function recordingLanes(lanes: Lanes, history: History): Lanes {
  return {
    async departures(shards, limit) {
      const found = await lanes.departures(shards, limit)
      history.record({ event: 'departures', shards, limit, found })
      return found
    },
    async deliver(consignments) {
      const deliveries = await lanes.deliver(consignments)
      history.record({ event: 'delivered', consignments, deliveries })
      return deliveries
    },
    async trim(ends) {
      await lanes.trim(ends)
      history.record({ event: 'trimmed', ends })
    },
    tails: (shards) => lanes.tails(shards),
    heads: (from) => lanes.heads(from),
    marks: (to) => lanes.marks(to),
    async rebase(ends) {
      await lanes.rebase(ends)
      history.record({ event: 'rebased', ends })
    },
  }
}
