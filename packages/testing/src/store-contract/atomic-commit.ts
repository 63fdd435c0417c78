// atomic-commit.ts: all parts of a commit are there, or none.
import assert from 'node:assert/strict'
import { overRestart, type StoreGuarantee } from './guarantee.ts'
import { messageId, order, tag } from './hand.ts'
import { picture } from './picture.ts'
import { causes, scene } from './spoiled.ts'

const [actor, receiver] = [order('actor'), order('receiver')]

/** See the file head. */
export const atomicCommit: readonly StoreGuarantee[] = [
  {
    guarantee: 'G3',
    holds: 'every part of a commit is there when it is written',
    async run({ store, reopen }) {
      const { hand, whole, keys } = await scene(store)
      assert.deepEqual(await hand.each(whole), [{ outcome: 'committed', version: 2 }])
      for await (const at of overRestart(store, reopen)) {
        const { entities, inbox, ...rest } = await picture(at, [actor, receiver], keys)
        const { snapshot, trouble, wakeAt } = whole
        assert.deepEqual(entities, [
          { entity: actor, version: 2, tag: whole.tag, snapshot, trouble, wakeAt },
          undefined,
        ])
        assert.deepEqual(
          new Map(inbox.map(({ id, to }) => [id, to])),
          new Map([
            [messageId('sent'), receiver],
            [messageId('to itself'), actor],
          ]),
        )
        assert.deepEqual(rest, {
          due: [{ entity: actor, wakeAt: 70 }],
          unsettled: [actor],
          deadLetters: whole.deadLetters,
          keys: [
            {
              state: 'known',
              message: messageId('first'),
              fingerprint: 'print of message-first',
              reply: '{"end":"done"}',
            },
          ],
        })
      }
    },
  },
  ...causes.flatMap((cause): readonly StoreGuarantee[] => [
    {
      guarantee: 'G3',
      holds: `no part of a commit that ends as ${cause} is there`,
      async run({ store, reopen }) {
        const { hand, spoiled, entities, keys } = await scene(store)
        const before = await picture(store, entities, keys)
        const [result] = await hand.each(spoiled[cause])
        assert.equal(result?.outcome, cause)
        assert.deepEqual(await picture(store, entities, keys), before)
        assert.deepEqual(await picture(await reopen(), entities, keys), before)
      },
    },
    {
      guarantee: 'G3',
      holds: `a group written together changes nothing when one commit ends as ${cause}`,
      scope: 'store',
      async run({ store, reopen }) {
        const { hand, spoiled, entities: known, keys } = await scene(store)
        const [before, after] = [order('innocent before'), order('innocent after')]
        const entities = [...known, before, after]
        const was = await picture(store, entities, keys)
        const group = hand.group({
          mode: 'together',
          accepted: [hand.message('came with it', before)],
          commits: [
            hand.commit(before, { outbox: [hand.message('from an innocent', after)] }),
            spoiled[cause],
            hand.commit(after, { wakeAt: 5, unsettled: true }),
          ],
        })
        const { taken, results } = await store.write(group)
        assert.deepEqual(taken, [])
        assert.deepEqual(
          results.map(({ outcome }) => outcome),
          ['rolled back', cause, 'rolled back'],
        )
        assert.deepEqual(await picture(store, entities, keys), was)
        assert.deepEqual(await picture(await reopen(), entities, keys), was)
      },
    },
  ]),
  {
    guarantee: 'G3',
    holds: 'a group written together is there as a whole',
    scope: 'store',
    async run({ store }) {
      const { hand, whole } = await scene(store)
      const others = Array.from({ length: 20 }, (_, index) => order(index))
      const { results } = await hand.write({
        mode: 'together',
        accepted: [hand.message('came with it', order(3))],
        commits: [whole, ...others.map((entity) => hand.commit(entity))],
      })
      assert.deepEqual(
        results.map((result) => result.outcome),
        Array.from({ length: 21 }, () => 'committed'),
      )
      const { entities, inbox } = await picture(store, [actor, ...others])
      assert.deepEqual(
        entities.map((entity) => entity?.version),
        [2, ...others.map(() => 1)],
      )
      assert.deepEqual(
        new Set(inbox.map(({ id }) => id)),
        new Set(['sent', 'to itself', 'came with it'].map(messageId)),
      )
    },
  },
  {
    guarantee: 'G3',
    holds: 'a commit after one that was refused is written as if that had never been tried',
    async run({ store }) {
      const { hand, whole, spoiled } = await scene(store)
      for (const cause of causes) await hand.each({ ...spoiled[cause], tag: tag() })
      const mode = hand.widest
      for (const cause of causes) await hand.write({ mode, commits: [{ ...spoiled[cause], tag: tag() }] })
      assert.deepEqual((await hand.write({ mode, commits: [whole] })).results, [{ outcome: 'committed', version: 2 }])
    },
  },
]
