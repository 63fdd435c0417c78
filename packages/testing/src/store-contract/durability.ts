// durability.ts: what write() resolved is there after a restart, as it was.

import assert from 'node:assert/strict'
import type { EntityId, HostId } from '@interstate/core'
import { partitionOf, partitionsOf } from '@interstate/core'
import fc from 'fast-check'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { Hand, messageId, order } from './hand.ts'
import { picture } from './picture.ts'
import { scene } from './spoiled.ts'

/** Any text but halves of surrogate pairs, which UTF-8 can't hold and JSON escapes. */
// Made when it is used: its tables take a second, which nobody should pay who only imports the kit.
const anyText = () => fc.string({ unit: 'binary', maxLength: 40 })
const awkward = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\u2028\u2029',
  "'; --",
  '"\\',
  '%_',
  '\ufeff',
  '\u{10ffff}',
  '\r\n',
  '{}',
]

/** See the file head. */
export const durability: readonly StoreGuarantee[] = [
  {
    guarantee: 'G8',
    holds: 'all that was written is there after a restart, and after one more',
    async run({ store, reopen }) {
      const { hand, whole, entities, keys } = await scene(store)
      await hand.write({ mode: hand.widest, commits: [whole] })
      const before = await picture(store, entities, keys)
      assert.deepEqual(await picture(await reopen(), entities, keys), before)
      assert.deepEqual(await picture(await reopen(), entities, keys), before)
    },
  },
  {
    guarantee: 'G8',
    holds: 'what was written by many at the same time is there after a restart',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const entities = Array.from({ length: 50 }, (_, index) => order(index))
      const results = await Promise.all(entities.map((entity) => hand.one(entity, { snapshot: `of ${entity}` })))
      assert.ok(results.every(({ outcome }) => outcome === 'committed'))
      const rows = await (await reopen()).load(partitionsOf(entities, store.shards))
      assert.deepEqual(
        rows.map((row) => row?.snapshot),
        entities.map((entity) => `of ${entity}`),
      )
    },
  },
  {
    guarantee: 'G8',
    holds: 'a restart keeps the number of shards',
    async run({ store, reopen }) {
      const { shards } = store
      assert.equal((await reopen()).shards, shards)
    },
  },
  {
    guarantee: 'G8',
    holds: 'text of any characters comes back as it was',
    async run({ store, reopen }) {
      const texts = [...awkward, ...fc.sample(anyText(), { numRuns: 100, seed: 8 })]
      const hand = await Hand.over(store, 'höst \u{1f680}' as HostId)
      const entities = texts.map((_, index) => order(index))
      await hand.write({
        accepted: texts.map((body, index) => hand.message(`m${index}`, order(index), body)),
        commits: texts.map((text, index) => {
          const letter = { ...hand.message(`d${index}`, order(index), text), reason: text }
          return hand.commit(order(index), { snapshot: text, trouble: text, deadLetters: [letter] })
        }),
      })
      for await (const at of overRestart(store, reopen)) {
        const rows = await at.load(partitionsOf(entities, at.shards))
        for (const [index, text] of texts.entries()) {
          const [item] = await at.inboxOf(partitionOf(order(index), at.shards), 0, 1)
          const letter = await at.deadLetter(messageId(`d${index}`))
          const found = [rows[index]?.snapshot, rows[index]?.trouble, item?.body, letter?.body, letter?.reason]
          assert.deepEqual(found, [text, text, text, text, text])
        }
      }
    },
  },
  {
    guarantee: 'G8',
    holds: 'names of any characters that an address allows are told apart',
    async run({ store }) {
      const hand = await Hand.over(store)
      const names = ['a', 'A', 'ä', 'a\u0308', 'a ', ' a', 'a%', "a'", 'ａ', '\u{1f680}', 'a'.repeat(256)]
      const entities: readonly EntityId[] = names.map(order)
      await hand.each(...entities.map((entity, index) => hand.commit(entity, { snapshot: `${index}` })))
      const rows = await store.load(partitionsOf(entities, store.shards))
      assert.deepEqual(
        rows.map((row) => row?.snapshot),
        names.map((_, index) => `${index}`),
      )
    },
  },
  {
    guarantee: 'G8',
    holds: 'a snapshot, and a message, as large as the store says it takes comes back as it was',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      // More than a mebibyte shows nothing new and takes long over a network.
      const snapshot = 's'.repeat(Math.min(store.limits.maxSnapshotBytes, 1 << 20))
      const body = 'm'.repeat(Math.min(store.limits.maxMessageBytes, 1 << 20))
      const receiver = order('receiver')
      const result = await hand.one(order('large'), { snapshot, outbox: [hand.message('a', receiver, body)] })
      assert.equal(result.outcome, 'committed')
      const again = await reopen()
      assert.ok(
        (await again.load(partitionsOf([order('large')], again.shards)))[0]?.snapshot === snapshot,
        'another snapshot came back',
      )
      assert.ok(
        (await again.inboxOf(partitionOf(receiver, again.shards), 0, 1))[0]?.body === body,
        'another body came back',
      )
    },
  },
]
