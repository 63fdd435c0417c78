// same-attempt.ts: what is written twice because nobody knew how it ended the first time is written once.
import assert from 'node:assert/strict'
import type { Group, GroupResult, HostId } from '@interstate/core'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, key, messageId, order, placesOf } from './hand.ts'
import { picture } from './picture.ts'

const [entity, other] = [order('attempt'), order('other')]

function outcomes({ results }: GroupResult): readonly string[] {
  return results.map(({ outcome }) => outcome)
}

/** A group with everything in it. */
function fullGroup(hand: Hand, mode: Group['mode']): Group {
  return hand.group({
    mode,
    accepted: [hand.message('a', entity), hand.message('b', other)],
    registrations: [hand.registration(key('k'), messageId('a'), [], hand.shard(entity))],
    commits: [
      hand.commit(entity, { outbox: [hand.message('c', other)] }),
      hand.commit(other, { outbox: [hand.message('d', entity)] }),
    ],
  })
}

/** See the file head. */
export const sameAttempt: readonly StoreGuarantee[] = [
  {
    guarantee: 'G7',
    holds: 'the same attempt in another group is already applied and changes nothing',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const consumed = await hand.accept(entity, 'a')
      const attempt = hand.commit(entity, { consumed, outbox: [hand.message('b', other)] })
      await hand.each(attempt)
      const before = await picture(store, [entity, other])
      assert.deepEqual(await hand.each(attempt), [{ outcome: 'already applied', version: 1 }])
      assert.deepEqual(await hand.each(attempt, attempt), [
        { outcome: 'already applied', version: 1 },
        { outcome: 'already applied', version: 1 },
      ])
      const again = hand.at(await reopen())
      assert.deepEqual(await again.each(attempt), [{ outcome: 'already applied', version: 1 }])
      assert.deepEqual(await picture(again.store, [entity, other]), before)
    },
  },
  {
    guarantee: 'G7',
    holds: 'the same attempt is already applied even when its shard passed on in the meantime',
    async run({ store }) {
      const hand = await Hand.over(store, 'host-a')
      const attempt = hand.commit(entity)
      await hand.each(attempt)
      await Hand.over(store, 'host-b')
      // "fenced" would say that nothing was written.
      assert.deepEqual(await hand.each(attempt), [{ outcome: 'already applied', version: 1 }])
    },
  },
  ...(['each', 'together'] as const).map(
    (mode): StoreGuarantee => ({
      guarantee: 'G7',
      holds: `the same group again changes nothing, also after a restart (${mode})`,
      ...(mode === 'together' && { scope: 'store' }),
      async run({ store, reopen }) {
        const hand = await Hand.over(store)
        const group = fullGroup(hand, mode)
        assert.deepEqual(await store.write(group), {
          taken: [],
          fenced: [],
          results: [
            { outcome: 'committed', version: 1 },
            { outcome: 'committed', version: 1 },
          ],
        })
        const before = await picture(store, [entity, other], placesOf([key('k')], hand.shard(entity)))
        for await (const at of overRestart(store, reopen)) {
          assert.deepEqual(await at.write(group), {
            taken: [],
            fenced: [],
            results: [
              { outcome: 'already applied', version: 1 },
              { outcome: 'already applied', version: 1 },
            ],
          })
          assert.deepEqual(await picture(at, [entity, other], placesOf([key('k')], hand.shard(entity))), before)
        }
      },
    }),
  ),
  {
    guarantee: 'G7',
    holds: 'the same group again tells the same of each commit, and tries none of them anew',
    async run({ store, reopen }) {
      const hand = await Hand.over(store, 'host-a')
      const peer = await Hand.over(store, 'host-b')
      const mine = await Hand.over(store, 'host-a')
      const group = mine.group({
        registrations: [mine.registration(key('k'), messageId('a')), mine.registration(key('k'), messageId('b'))],
        commits: [
          mine.commit(entity),
          mine.commit(other, { expectedVersion: 1 }),
          mine.commit(other, { consumed: [messageId('absent')] }),
          peer.commit(order('third')),
        ],
      })
      const first = await store.write(group)
      assert.deepEqual(outcomes(first), ['committed', 'conflict', 'duplicate', 'fenced'])
      assert.deepEqual(first.taken, [key('k')])
      const again = await hand.at(await reopen()).store.write(group)
      assert.deepEqual(outcomes(again), ['already applied', 'conflict', 'duplicate', 'fenced'])
      assert.deepEqual(again.taken, [key('k')])
    },
  },
  {
    guarantee: 'G7',
    holds: 'a group that was rolled back, written again when nothing stands in its way any more, still changes nothing',
    scope: 'store',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const group = hand.group({
        mode: 'together',
        accepted: [hand.message('a', entity)],
        commits: [hand.commit(entity), hand.commit(other, { expectedVersion: 1 })],
      })
      const results = [{ outcome: 'rolled back' }, { outcome: 'conflict', version: 0 }]
      const result = { taken: [], fenced: [], results }
      assert.deepEqual(await store.write(group), result)
      const peer = await Hand.over(store, 'host-b')
      await peer.one(other)
      const before = await picture(store, [entity, other])
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await at.write(group), result)
        assert.deepEqual(await picture(at, [entity, other]), before)
      }
    },
  },
  {
    guarantee: 'G7',
    holds: 'parts of one group are written side by side, and each again tells the same and tries nothing anew',
    scope: 'shard',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const first = hand.group({ commits: [hand.commit(entity), hand.commit(other, { expectedVersion: 1 })] })
      const { tag } = first
      const second = { ...hand.group({ tag, commits: [hand.commit(order('third'))] }), part: 1 }
      const receiver = order('receiver')
      const registrations = [hand.registration(key('k'), messageId('a'), [], hand.shard(receiver))]
      const third = { ...hand.group({ tag, accepted: [hand.message('a', receiver)], registrations }), part: 2 }
      const parts = [first, second, third]
      const results = await Promise.all(parts.map((part) => store.write(part)))
      assert.deepEqual(results.map(outcomes), [['committed', 'conflict'], ['committed'], []])
      // Another owner's: now what was refused would pass, and what was accepted is handled.
      const commits = [hand.commit(other), hand.commit(receiver, { consumed: [messageId('a')] })]
      await store.write({ ...hand.group({ commits }), owner: 'another' as HostId })
      const before = await picture(store, [entity, other, receiver])
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(outcomes(await at.write(third)), [])
        assert.deepEqual(outcomes(await at.write(second)), ['already applied'])
        assert.deepEqual(outcomes(await at.write(first)), ['already applied', 'conflict'])
        assert.deepEqual(await picture(at, [entity, other, receiver]), before)
      }
    },
  },
  {
    guarantee: 'G7',
    holds: 'a group that only accepts messages, written again after they were handled, does not bring them back',
    async run({ store, reopen }) {
      const client = await Hand.over(store, 'host-a')
      const group = client.group({ accepted: [client.message('a', entity), client.message('b', other)] })
      await store.write(group)
      const peer = await Hand.over(store, 'host-b')
      await peer.each(
        peer.commit(entity, { consumed: [messageId('a')] }),
        peer.commit(other, { consumed: [messageId('b')] }),
      )
      for await (const at of overRestart(store, reopen)) {
        assert.deepEqual(await at.write(group), { taken: [], fenced: [], results: [] })
        assert.deepEqual(await peer.at(at).waiting(entity), [])
        assert.deepEqual(await peer.at(at).waiting(other), [])
      }
    },
  },
  {
    guarantee: 'G7',
    holds: 'groups of two owners do not pass for each other',
    async run({ store }) {
      const [a, b] = [await Hand.over(store, 'host-a'), await Hand.over(store, 'host-b')]
      const letIn = (hand: Hand, name: string): Group =>
        hand.group({ tag: 'the same', accepted: [{ ...hand.message(name, entity), lease: undefined }] })
      await store.write(letIn(a, 'a'))
      await store.write(letIn(b, 'b'))
      assert.deepEqual(await b.waiting(entity), [messageId('a'), messageId('b')])
    },
  },
]
