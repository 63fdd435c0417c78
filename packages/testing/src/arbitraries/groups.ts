// groups.ts: any group that a host may write, and whole histories of them, for properties of drivers.
import {
  type AcceptedMessage,
  type Commit,
  type EntityId,
  type Group,
  idempotencyKey,
  type Lease,
  type Registration,
  type Scope,
  type StoredMessage,
  shardOf,
} from '@interstate/core'
import fc from 'fast-check'
import { entityIds, messageIds, storedMessages } from './envelopes.ts'

/** Who writes: the owner of some shards. */
export interface Writer {
  /** From `acquire`, of all shards of the store. */
  readonly leases: readonly Lease[]
  /** Versions of entities that are stored already. Default: none. */
  readonly versions?: ReadonlyMap<EntityId, number>
  /** What waits in inboxes. Default: nothing. */
  readonly waiting?: readonly StoredMessage[]
  /** What one write of the store covers. Default `store`. */
  readonly scope?: Scope
}

/** A version that fits, mostly. */
const offsets = fc.oneof({ weight: 7, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) })
const tags = fc.uuid()
const times = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) })
const texts = fc.string({ unit: 'grapheme', maxLength: 200 })

/**
 * Any commit of a writer: mostly one that fits what is stored, now and then a stale one. It consumes what waits for its
 * entity, gives some of that up, sends, arms and replies. All of it is something that a host might write.
 */
export function commits(writer: Writer): fc.Arbitrary<Commit> {
  const { leases, versions = new Map<EntityId, number>(), waiting = [] } = writer
  const shards = leases.length
  const receivers = waiting.map(({ to }) => to)
  const entity = receivers.length === 0 ? entityIds : fc.oneof(entityIds, fc.constantFrom(...receivers))
  return entity.chain((of) => {
    const own = waiting.filter(({ to }) => to === of)
    return fc
      .record({
        off: offsets,
        tag: tags,
        snapshot: fc.option(texts, { nil: undefined, freq: 5 }),
        trouble: fc.option(fc.constant('{"attempts":1}'), { nil: undefined, freq: 2 }),
        wakeAt: fc.option(times, { nil: undefined }),
        unsettled: fc.boolean(),
        taken: fc.nat(own.length),
        buried: fc.nat(own.length),
        outbox: fc.uniqueArray(storedMessages(shards), { maxLength: 3, selector: ({ id }) => id }),
        reply: fc.option(fc.tuple(fc.nat(9), texts), { nil: undefined }),
      })
      .map(({ off, taken, buried, reply, ...rest }): Commit => {
        const consumed = own.slice(0, taken)
        const shard = own[0]?.shard ?? shardOf(of, shards)
        return {
          ...rest,
          lease: leaseOf(leases, shard),
          entity: of,
          expectedVersion: Math.max(0, (versions.get(of) ?? 0) + off),
          consumed: consumed.map(({ id }) => id),
          deadLetters: consumed
            .slice(0, buried)
            .map((message) => ({ ...message, reason: '{"code":"MACHINE_FAILED"}' })),
          replies: reply === undefined ? [] : [{ key: clientKey(reply[0]), reply: reply[1] }],
        }
      })
  })
}

/**
 * Any group of a writer: messages from outside, keys, and commits of different entities, in the modes that the store
 * takes. By shards a message may enter by another shard than its own.
 *
 * @example
 * ```ts
 * const { leases } = await store.acquire(owner, shards)
 * await fc.assert(fc.asyncProperty(groups({ leases }), async (group) => {
 *   const first = await store.write(group)
 *   const again = await store.write(group)
 *   expect(again.results.map(outcome)).not.toContain('committed')
 * }))
 * ```
 */
export function groups(writer: Writer): fc.Arbitrary<Group> {
  const { leases, scope = 'store' } = writer
  const owner = leases[0]?.owner as Lease['owner']
  return fc.record({
    owner: fc.constant(owner),
    tag: tags,
    accepted: fc.uniqueArray(acceptedMessages(leases, scope), { maxLength: 3, selector: ({ id }) => id }),
    registrations: fc.uniqueArray(registrations, { maxLength: 2, selector: ({ key }) => key }),
    commits: fc.uniqueArray(commits(writer), { maxLength: 4, selector: ({ entity }) => entity }),
    mode: scope === 'store' ? fc.constantFrom('each', 'together') : fc.constant('each'),
  })
}

/** Mostly under the lease of the writer, now and then under none. */
function acceptedMessages(leases: readonly Lease[], scope: Scope): fc.Arbitrary<AcceptedMessage> {
  const entries = scope === 'shard' ? fc.option(fc.nat(leases.length - 1), { nil: undefined }) : fc.constant(undefined)
  return fc.tuple(storedMessages(leases.length), entries, fc.nat(7)).map(([message, entry, roll]) => {
    const lease = roll === 0 ? undefined : leaseOf(leases, entry ?? message.shard)
    return { ...message, entry, lease }
  })
}

function leaseOf(leases: readonly Lease[], shard: number): Lease {
  return leases.find((lease) => lease.shard === shard) as Lease
}

const registrations: fc.Arbitrary<Registration> = fc
  .record({
    name: fc.nat(9),
    message: messageIds,
    fingerprint: fc.string({ minLength: 22, maxLength: 22, unit: 'binary-ascii' }),
  })
  .map(({ name, message, fingerprint }) => ({ key: clientKey(name), shard: 0, at: keyTime, message, fingerprint }))

const keyTime = Date.UTC(2026, 0, 1)

/** One of few, so that they meet again. */
function clientKey(name: number): Registration['key'] {
  return idempotencyKey(`call ${name}`, { at: keyTime })
}
