// idempotency.ts: a client's key stands for one message and one reply; a key that was purged is never new again.
import assert from 'node:assert/strict'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, key, messageId, order, placesOf } from './hand.ts'
import { picture } from './picture.ts'

const entity = order('keys')
const [k, old, fresh] = [key('k', 2_000), key('old', 1_000), key('fresh', 3_000)]

/** See the file head. One shard: a key is known where its call entered, see entries.ts. */
export const idempotency: readonly StoreGuarantee[] = inOneShard([
  {
    guarantee: 'G10',
    holds: 'a key is new until it is registered, then stands for its message and gets its reply, over restarts',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      assert.deepEqual(await store.keys(placesOf([k])), [{ state: 'new' }])
      await hand.write({
        accepted: [hand.message('a', entity)],
        registrations: [hand.registration(k, messageId('a'))],
      })
      const known = { state: 'known', message: messageId('a'), fingerprint: 'print of message-a' }
      assert.deepEqual(await store.keys(placesOf([fresh, k])), [{ state: 'new' }, { ...known, reply: undefined }])
      const again = hand.at(await reopen())
      await again.one(entity, { consumed: [messageId('a')], replies: [{ key: k, reply: 'the reply' }] })
      for await (const at of overRestart(again.store, reopen)) {
        assert.deepEqual(await at.keys(placesOf([k, fresh])), [{ ...known, reply: 'the reply' }, { state: 'new' }])
      }
    },
  },
  {
    guarantee: 'G10',
    holds: 'a message that is handled in the group that registers its key gets its reply with it',
    async run({ store }) {
      const hand = await Hand.over(store)
      await hand.write({
        mode: hand.widest,
        registrations: [hand.registration(k, messageId('a'))],
        commits: [hand.commit(entity, { replies: [{ key: k, reply: 'at once' }] })],
      })
      const [state] = await store.keys(placesOf([k]))
      assert.equal(state?.state === 'known' && state.reply, 'at once')
    },
  },
  {
    guarantee: 'G10',
    holds: 'the first reply to a key stands',
    async run({ store }) {
      const hand = await Hand.over(store)
      await hand.write({ registrations: [hand.registration(k, messageId('a'))] })
      await hand.one(entity, { replies: [{ key: k, reply: 'first' }] })
      await hand.one(entity, { expectedVersion: 1, replies: [{ key: k, reply: 'second' }] })
      const [state] = await store.keys(placesOf([k]))
      assert.equal(state?.state === 'known' && state.reply, 'first')
    },
  },
  {
    guarantee: 'G10',
    holds: 'a reply to a key that nobody registered is no reason to refuse its commit, and leaves nothing',
    async run({ store }) {
      const hand = await Hand.over(store)
      const result = await hand.one(entity, { replies: [{ key: k, reply: 'to nobody' }] })
      assert.equal(result.outcome, 'committed')
      assert.deepEqual(await store.keys(placesOf([k])), [{ state: 'new' }])
    },
  },
  {
    guarantee: 'G10',
    holds: 'a key that is taken keeps its message, and the messages of the second call are not accepted',
    async run({ store }) {
      const hand = await Hand.over(store)
      await hand.write({ registrations: [hand.registration(k, messageId('first'))] })
      const result = await hand.write({
        accepted: ['second', 'its other', 'bystander'].map((name) => hand.message(name, entity)),
        registrations: [
          hand.registration(k, messageId('second'), [messageId('its other')]),
          hand.registration(fresh, messageId('bystander')),
        ],
        commits: [hand.commit(order('bystander'))],
      })
      assert.deepEqual(result, { taken: [k], fenced: [], results: [{ outcome: 'committed', version: 1 }] })
      assert.deepEqual(await hand.waiting(entity), [messageId('bystander')])
      const states = await store.keys(placesOf([k, fresh]))
      assert.deepEqual(
        states.map((state) => state.state === 'known' && state.message),
        [messageId('first'), messageId('bystander')],
      )
    },
  },
  {
    guarantee: 'G10',
    holds: 'a key that is taken between the look and the write rolls back a group written together',
    scope: 'store',
    async run({ store }) {
      const hand = await Hand.over(store)
      await hand.write({ registrations: [hand.registration(k, messageId('first'))] })
      const before = await picture(store, [entity], placesOf([k, fresh]))
      const result = await hand.write({
        mode: 'together',
        accepted: [hand.message('second', entity)],
        registrations: [hand.registration(fresh, messageId('other')), hand.registration(k, messageId('second'))],
        commits: [hand.commit(entity, { replies: [{ key: fresh, reply: 'undone' }] })],
      })
      assert.deepEqual(result, { taken: [k], fenced: [], results: [{ outcome: 'rolled back' }] })
      assert.deepEqual(await picture(store, [entity], placesOf([k, fresh])), before)
    },
  },
  {
    guarantee: 'G10',
    holds: 'of two registrations of one key in one group the first stands',
    async run({ store }) {
      const hand = await Hand.over(store)
      const registrations = ['first', 'second'].map((name) => hand.registration(k, messageId(name)))
      const { taken } = await hand.write({ registrations })
      assert.deepEqual(taken, [k])
      const [state] = await store.keys(placesOf([k]))
      assert.equal(state?.state === 'known' && state.message, messageId('first'))
    },
  },
  {
    guarantee: 'G10',
    holds: 'keys before the purge mark are forgotten and never new again, over restarts',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      await hand.write({
        registrations: [old, k, fresh].map((each) => hand.registration(each, messageId(each))),
      })
      assert.equal(await store.purge(2_000), 1)
      for await (const at of overRestart(store, reopen)) {
        const states = await at.keys(placesOf([old, key('never seen', 1_999), k, fresh]))
        assert.deepEqual(
          states.map(({ state }) => state),
          ['purged', 'purged', 'known', 'known'],
        )
      }
    },
  },
  {
    guarantee: 'G10',
    holds: 'the purge mark never moves back',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      await hand.write({ registrations: [hand.registration(fresh, messageId('a'))] })
      assert.equal(await store.purge(2_500), 0)
      assert.equal(await store.purge(500), 0)
      const again = await reopen()
      assert.equal(await again.purge(500), 0)
      assert.deepEqual(await again.keys(placesOf([key('x', 600), key('y', 2_499), key('z', 2_500)])), [
        { state: 'purged' },
        { state: 'purged' },
        { state: 'new' },
      ])
      assert.equal(await again.purge(3_001), 1)
    },
  },
  {
    guarantee: 'G10',
    holds: 'a key that was purged between the look and the write is not registered, and its message not accepted',
    async run({ store }) {
      const hand = await Hand.over(store)
      await store.purge(2_000)
      const late = { accepted: [hand.message('a', entity)], registrations: [hand.registration(old, messageId('a'))] }
      assert.deepEqual((await hand.write(late)).taken, [old])
      assert.deepEqual((await hand.write({ ...late, mode: hand.widest })).taken, [old])
      assert.deepEqual(await hand.waiting(entity), [])
      assert.deepEqual(await store.keys(placesOf([old])), [{ state: 'purged' }])
    },
  },
])

function inOneShard(guarantees: readonly StoreGuarantee[]): readonly StoreGuarantee[] {
  return guarantees.map((each) => ({ ...each, shards: 1 }))
}
