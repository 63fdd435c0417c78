// grouping.ts: writing commits in groups changes nothing but the time it takes.

import assert from 'node:assert/strict'
import type { Commit, CommitResult } from '@interstate/core'
import { partitionsOf } from '@interstate/core'
import fc from 'fast-check'
import type { StoreGuarantee } from './guarantee.ts'
import { Hand, key, messageId, order, placesOf } from './hand.ts'

/** A commit that may or may not be fit to be written, without the names of the run that writes it. */
interface Sketch {
  readonly entity: number
  readonly expectedVersion: number
  readonly consumed: readonly number[]
  readonly sendsTo: number | undefined
  readonly buries: boolean
  readonly wakeAt: number | undefined
  readonly unsettled: boolean
  readonly zombie: boolean
  readonly replies: boolean
}

const entity = fc.nat(2)
const sketch: fc.Arbitrary<Sketch> = fc.record({
  entity,
  expectedVersion: fc.nat(3),
  consumed: fc.uniqueArray(fc.nat(5), { maxLength: 2 }),
  sendsTo: fc.option(entity, { nil: undefined }),
  buries: fc.boolean(),
  wakeAt: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  unsettled: fc.boolean(),
  zombie: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
  replies: fc.boolean(),
})
const groups = fc.array(fc.array(sketch, { minLength: 1, maxLength: 5 }), { maxLength: 6 })

/** One telling of a history, under names that no other telling in the same store uses. */
class Telling {
  readonly #hand: Hand
  readonly #zombie: Hand
  readonly #name: string
  #told = 0

  constructor(hand: Hand, zombie: Hand, name: string) {
    this.#hand = hand
    this.#zombie = zombie
    this.#name = name
  }

  async begin(): Promise<void> {
    const accepted = [0, 1, 2, 3, 4, 5].map((index) => this.#message(`${index}`, index % 3))
    await this.#hand.write({ accepted, registrations: [this.#hand.registration(this.#key, messageId(this.#name))] })
  }

  write(sketches: readonly Sketch[]): Promise<readonly CommitResult[]> {
    return this.#hand.each(...sketches.map((each) => this.#commit(each)))
  }

  /** All at once; one by one when that fails. */
  async writeTogether(sketches: readonly Sketch[]): Promise<void> {
    const commits = sketches.map((each) => this.#commit(each))
    const results = await this.#hand.together(...commits)
    if (results.every(({ outcome }) => outcome === 'committed')) return
    assert.ok(
      results.every(({ outcome }) => outcome !== 'committed'),
      'a group written together was written in part',
    )
    await this.#hand.each(...commits)
  }

  /** What the store shows of this telling, without its names. */
  async end(): Promise<unknown> {
    const { store, shards } = this.#hand
    const entities = [0, 1, 2].map((index) => this.#entity(index))
    const [rows, waiting, due, unsettled, dead, keys] = await Promise.all([
      store.load(partitionsOf(entities, store.shards)),
      Promise.all(entities.map((each) => this.#hand.waiting(each))),
      store.due(shards, 100, 10_000),
      store.unsettled(shards, undefined, 10_000),
      store.deadLetters(undefined, 10_000),
      store.keys(placesOf([this.#key])),
    ])
    const mine = {
      rows: rows.map((row) => ({ ...row, tag: '' })),
      waiting,
      due: due.filter((each) => entities.includes(each.entity)).toSorted((a, b) => (a.entity < b.entity ? -1 : 1)),
      unsettled: unsettled.filter((each) => entities.includes(each)),
      dead: dead.filter(({ to }) => entities.includes(to)).map(({ shard: _, ...letter }) => letter),
      keys,
    }
    return JSON.parse(JSON.stringify(mine).replaceAll(this.#name, 'name'))
  }

  get #key() {
    return key(`key of ${this.#name}`)
  }

  #entity(index: number) {
    return order(`${this.#name}.${index}`)
  }

  #message(name: string, to: number) {
    return this.#hand.message(`${this.#name}.${name}`, this.#entity(to))
  }

  #commit(sketch: Sketch): Commit {
    const { expectedVersion, wakeAt, unsettled } = sketch
    this.#told += 1
    const consumed = sketch.consumed.map((index) => this.#message(`${index}`, index % 3))
    return (sketch.zombie ? this.#zombie : this.#hand).commit(this.#entity(sketch.entity), {
      expectedVersion,
      wakeAt,
      unsettled,
      snapshot: `${this.#told}`,
      consumed: consumed.map(({ id }) => id),
      outbox: sketch.sendsTo === undefined ? [] : [this.#message(`sent by ${this.#told}`, sketch.sendsTo)],
      deadLetters: sketch.buries ? consumed.map((message) => ({ ...message, reason: `${this.#told}` })) : [],
      replies: sketch.replies ? [{ key: this.#key, reply: `${this.#told}` }] : [],
    })
  }
}

/** Runs a property over pairs of tellings in one store. */
async function tellTwice(
  open: Parameters<StoreGuarantee['run']>[0],
  tell: (groups: readonly (readonly Sketch[])[], one: Telling, other: Telling) => Promise<void>,
): Promise<void> {
  const zombie = await Hand.over(open.store, 'zombie')
  const hand = await Hand.over(open.store)
  let run = 0
  const property = fc.asyncProperty(groups, async (drawn) => {
    run += 1
    const one = new Telling(hand, zombie, `one${run}x`)
    const other = new Telling(hand, zombie, `two${run}x`)
    await one.begin()
    await other.begin()
    await tell(drawn, one, other)
    assert.deepEqual(await other.end(), await one.end())
  })
  await fc.assert(property, { numRuns: 40 })
}

/** See the file head. */
export const grouping: readonly StoreGuarantee[] = [
  {
    guarantee: 'G13',
    holds: 'one commit that is refused touches no other commit of its group',
    shards: 1,
    async run({ store }) {
      const hand = await Hand.over(store)
      const entities = Array.from({ length: 9 }, (_, index) => order(index))
      const results = await hand.each(
        ...entities.map((each, index) =>
          hand.commit(
            each,
            index === 4 ? { expectedVersion: 3 } : { outbox: [hand.message(index, order('receiver'))] },
          ),
        ),
      )
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        entities.map((_, index) => (index === 4 ? 'conflict' : 'committed')),
      )
      const expected = [0, 1, 2, 3, 5, 6, 7, 8].map(messageId)
      assert.deepEqual(await hand.waiting(order('receiver')), expected)
    },
  },
  {
    guarantee: 'G13',
    holds: 'any history in groups ends as the same commits one by one, each with the same outcome',
    shards: 1,
    run: (context) =>
      tellTwice(context, async (drawn, grouped, single) => {
        for (const sketches of drawn) {
          const inGroup = await grouped.write(sketches)
          const alone = []
          for (const each of sketches) alone.push(...(await single.write([each])))
          assert.deepEqual(
            JSON.parse(JSON.stringify(alone).replaceAll('two', 'one')),
            JSON.parse(JSON.stringify(inGroup)),
          )
        }
      }),
  },
  {
    guarantee: 'G13',
    holds: 'any history written together where that succeeds, and apart where it does not, ends as if written apart',
    scope: 'store',
    run: (context) =>
      tellTwice(context, async (drawn, together, apart) => {
        for (const sketches of drawn) {
          await together.writeTogether(sketches)
          await apart.write(sketches)
        }
      }),
  },
]
