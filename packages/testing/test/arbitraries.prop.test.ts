// What the arbitraries draw is what a store really meets: every message can be read again by those who read it.
import { checkEnvelope, decodeEnvelope, encodeEnvelope, type HostId, parseEntityId, shardOf } from '@interstate/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commits, entityIds, envelopes, groups, storedMessages } from '../src/stores.ts'

const leases = Array.from({ length: 8 }, (_, shard) => ({ shard, epoch: 1, owner: 'host' as HostId }))

test('an envelope is one that every door lets in', () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      expect(checkEnvelope(envelope)).toBe(envelope)
    }),
  )
})

test('an envelope comes out of its stored form as it went in', () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      expect(decodeEnvelope(encodeEnvelope(envelope))).toStrictEqual(envelope)
    }),
  )
})

test('an entity has a name that can be taken apart', () => {
  fc.assert(
    fc.property(entityIds, (id) => {
      expect(parseEntityId(id).type).not.toBe('')
    }),
  )
})

test('a stored message is in the shard of its receiver, and its body is that very message', () => {
  fc.assert(
    fc.property(storedMessages(8), ({ id, to, shard, body }) => {
      expect(shard).toBe(shardOf(to, 8))
      expect(decodeEnvelope(body)).toMatchObject({ id, to })
    }),
  )
})

test('a commit consumes what waits for its entity, in its order, and gives up nothing else', () => {
  const drawn = fc
    .array(storedMessages(8), { maxLength: 5 })
    .chain((waiting) => commits({ leases, waiting }).map((commit) => ({ waiting, commit })))
  fc.assert(
    fc.property(drawn, ({ waiting, commit }) => {
      const own = waiting.filter(({ to }) => to === commit.entity).map(({ id }) => id)
      expect(own.slice(0, commit.consumed.length)).toEqual(commit.consumed)
      for (const { id } of commit.deadLetters) expect(commit.consumed).toContain(id)
      expect(commit.lease.shard).toBe(shardOf(commit.entity, 8))
    }),
  )
})

test('a group for a store by shards is not written together, and what enters has the lease of the shard by which it does', () => {
  let elsewhere = 0
  fc.assert(
    fc.property(groups({ leases, scope: 'shard' }), ({ mode, accepted }) => {
      expect(mode).toBe('each')
      for (const { shard, entry = shard, lease } of accepted) {
        if (entry !== shard) elsewhere += 1
        expect(lease?.shard ?? entry).toBe(entry)
      }
    }),
  )
  expect(elsewhere).toBeGreaterThan(0)
})

test('a group has one commit for an entity, and names no message twice', () => {
  fc.assert(
    fc.property(groups({ leases }), ({ commits: all, accepted }) => {
      expect(new Set(all.map(({ entity }) => entity)).size).toBe(all.length)
      expect(new Set(accepted.map(({ id }) => id)).size).toBe(accepted.length)
    }),
  )
})
