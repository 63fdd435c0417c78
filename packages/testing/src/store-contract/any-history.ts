// any-history.ts: whatever is written in whatever order, a store shows what the model shows.

import assert from 'node:assert/strict'
import type { AcceptedMessage, Group, ShardId, StoredMessage } from '@interstate/core'
import { partitionsOf } from '@interstate/core'
import fc from 'fast-check'
import { carried } from './carried.ts'
import type { StoreGuarantee, StoreUnderTest } from './guarantee.ts'
import { Hand, inboxOver, key, order, placesOf } from './hand.ts'
import { emptyWorld, requeue, type World, write } from './model.ts'

export interface CommitSketch {
  readonly entity: number
  /** From the stored version: 0 fits. */
  readonly off: number
  readonly consumes: readonly number[]
  readonly sends: readonly number[]
  readonly buries: boolean
  readonly stale: boolean
  readonly wakeAt: number | undefined
  readonly unsettled: boolean
  readonly replies: boolean
}

/** A group, in numbers that a history makes sense of. */
export interface GroupSketch {
  readonly mode: Group['mode']
  readonly accepts: readonly number[]
  /** Under which lease it accepts them. */
  readonly under: 'its own' | 'an old one' | 'none'
  readonly registers: boolean
  readonly commits: readonly CommitSketch[]
}

/** A step of a {@link StoreHistory}: a group, the last group again, or what else befalls a store. */
export type StoreStep = GroupSketch | 'again' | 'requeue' | 'reopen' | 'acquire'

const [entity, message] = [fc.nat(2), fc.nat(11)]
const rarely = fc.integer({ min: 0, max: 7 }).map((roll) => roll === 0)
const commit: fc.Arbitrary<CommitSketch> = fc.record({
  entity,
  off: rarely.map(Number),
  consumes: fc.uniqueArray(fc.nat(3), { maxLength: 2 }),
  sends: fc.uniqueArray(message, { maxLength: 2 }),
  buries: rarely,
  stale: rarely,
  wakeAt: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  unsettled: fc.boolean(),
  replies: fc.boolean(),
})
const group: fc.Arbitrary<GroupSketch> = fc.record({
  mode: fc.constantFrom('each', 'together'),
  accepts: fc.uniqueArray(message, { maxLength: 3 }),
  under: fc.oneof(
    { weight: 2, arbitrary: fc.constant('its own' as const) },
    { weight: 1, arbitrary: fc.constantFrom('an old one' as const, 'none' as const) },
  ),
  registers: rarely,
  commits: fc.array(commit, { maxLength: 4 }),
})
/**
 * Any history of a store: groups in both modes, with commits that fit and that don't, repeated attempts, requeued dead
 * letters, new owners, restarts. Play one with {@link playStoreHistory}.
 */
export const storeHistories: fc.Arbitrary<readonly StoreStep[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: group },
    { weight: 3, arbitrary: fc.constantFrom('again' as const, 'requeue' as const, 'acquire' as const) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  ),
  { maxLength: 15, size: 'max' },
)

/** A history that is told to a store and to the model. */
class History {
  #hand: Hand
  #old: Hand
  readonly #reopen: StoreUnderTest['reopen']
  readonly #name: string
  #world: World
  #last: Group
  #sent = 0

  constructor(hand: Hand, reopen: StoreUnderTest['reopen'], name: string) {
    this.#hand = hand
    this.#old = hand
    this.#reopen = reopen
    this.#name = name
    const scope = hand.store.scope === 'store' ? 'store' : 'shard'
    this.#world = { ...emptyWorld, scope, epoch: hand.lease(this.#entity(0)).epoch }
    this.#last = hand.group({})
  }

  get hand(): Hand {
    return this.#hand
  }

  async take(step: StoreStep): Promise<void> {
    if (step === 'reopen') this.#hand = this.#hand.at(await this.#reopen())
    else if (step === 'acquire') {
      this.#old = this.#hand
      this.#hand = await Hand.over(this.#hand.store)
      this.#world = { ...this.#world, epoch: this.#hand.lease(this.#entity(0)).epoch }
    } else if (step === 'requeue') {
      const id = Object.keys(this.#world.dead)[0]
      const letter = id === undefined ? undefined : await this.#hand.store.deadLetter(id as StoredMessage['id'])
      if (letter === undefined) return
      const { reason: _, ...back } = letter
      await this.#hand.store.requeue(letter.id)
      this.#world = requeue(this.#world, back)
    } else await this.#write(step === 'again' ? this.#last : this.#group(step))
  }

  /** Compares all that the store shows of this history with the model. */
  async compare(): Promise<void> {
    const { store, shards } = this.#hand
    const world = this.#world
    const entities = [0, 1, 2].map((index) => this.#entity(index))
    for (const [index, row] of (await store.load(partitionsOf(entities, store.shards))).entries()) {
      const modelled = world.entities[entities[index] as keyof World['entities']]
      assert.equal(row?.version ?? 0, modelled?.version ?? 0)
      assert.deepEqual(
        [row?.tag, row?.snapshot, row?.wakeAt],
        [modelled?.commit.tag, modelled?.commit.snapshot, modelled?.commit.wakeAt],
      )
    }
    const mine = <T extends { readonly to: string }>(rows: readonly T[]) =>
      rows.filter(({ to }) => to.includes(this.#name))
    const inbox = mine(await inboxOver(store, shards)).map(({ position: _, ...rest }) => rest)
    const byShard = world.waiting.toSorted((one, other) => one.shard - other.shard)
    assert.deepEqual(inbox, world.scope === 'store' ? world.waiting : byShard)
    const dead = mine(await store.deadLetters(undefined, 10_000)).map(({ id, reason }) => [id, reason])
    assert.deepEqual(Object.fromEntries(dead), world.dead)
    const modelled = Object.values(world.entities).map(({ commit }) => commit)
    const unsettled = (await store.unsettled(shards, undefined, 10_000)).filter((each) => entities.includes(each))
    assert.deepEqual(
      unsettled,
      modelled
        .filter((each) => each.unsettled)
        .map((each) => each.entity)
        .toSorted(),
    )
    const due = (await store.due(shards, 5, 10_000)).filter((each) => entities.includes(each.entity))
    const early = modelled.filter(({ wakeAt }) => wakeAt !== undefined && wakeAt <= 5)
    assert.deepEqual(due.map((each) => each.entity).toSorted(), early.map((each) => each.entity).toSorted())
    const [state] = await store.keys(placesOf([this.#key], this.#keyShard))
    const known = world.keys[this.#key]
    assert.equal(state?.state, known === undefined ? 'new' : 'known')
    if (state?.state === 'known') assert.deepEqual([state.message, state.reply], [known?.message, known?.reply])
  }

  async #write(group: Group): Promise<void> {
    this.#last = group
    const result = await this.#hand.store.write(group)
    const [world, modelled] = write(this.#world, group)
    this.#world = world
    assert.deepEqual([result.taken, result.fenced], [modelled.taken, modelled.fenced])
    if (result.results.some(({ outcome }) => outcome === 'rolled back')) {
      // The model tries every commit and takes all of it back; a store may stop at the first that fails.
      const blamed = result.results.findIndex(({ outcome }) => outcome !== 'rolled back')
      if (blamed >= 0) assert.deepEqual(result.results[blamed], modelled.results[blamed])
    } else assert.deepEqual(result.results, modelled.results)
  }

  #group({ mode, accepts, under, registers, commits }: GroupSketch): Group {
    const expected = new Map<number, number>()
    const [first = 0, ...others] = accepts
    const registration = this.#hand.registration(
      this.#key,
      this.#message(first).id,
      others.slice(1).map((index) => this.#message(index).id),
      this.#keyShard,
    )
    const called = registers ? [registration.message, ...(registration.others ?? [])] : []
    return this.#hand.group({
      mode: mode === 'each' ? mode : this.#hand.widest,
      accepted: accepts.map((index) => {
        const message = this.#message(index)
        return this.#accepted(called.includes(message.id) ? { ...message, entry: this.#keyShard } : message, under)
      }),
      registrations: registers ? [registration] : [],
      commits: commits.map((sketch) => {
        const entity = this.#entity(sketch.entity)
        const version = expected.get(sketch.entity) ?? this.#world.entities[entity]?.version ?? 0
        expected.set(sketch.entity, version + 1)
        const waiting = this.#world.waiting.filter(({ to }) => to === entity)
        const consumed = sketch.consumes.map((index) => waiting[index] ?? this.#message(index))
        this.#sent += 1
        return (sketch.stale ? this.#old : this.#hand).commit(entity, {
          expectedVersion: version + sketch.off,
          snapshot: `${this.#sent}`,
          wakeAt: sketch.wakeAt,
          unsettled: sketch.unsettled,
          consumed: consumed.map(({ id }) => id),
          outbox: sketch.sends.map((index) => this.#message(index)),
          deadLetters: sketch.buries ? consumed.map((each) => ({ ...each, reason: `${this.#sent}` })) : [],
          // A reply is given where the key is.
          replies:
            sketch.replies && (this.#world.scope === 'store' || this.#hand.shard(entity) === this.#keyShard)
              ? [{ key: this.#key, reply: `${this.#sent}` }]
              : [],
        })
      }),
    })
  }

  #accepted(message: Omit<AcceptedMessage, 'lease'>, under: GroupSketch['under']): AcceptedMessage {
    if (under === 'none') return { ...message, lease: undefined }
    return { ...message, lease: (under === 'its own' ? this.#hand : this.#old).leaseOf(message.entry ?? message.shard) }
  }

  /** By which its calls enter. */
  get #keyShard(): ShardId {
    return this.#hand.shard(this.#entity(0))
  }

  get #key() {
    return key(`of ${this.#name}`)
  }

  #entity(index: number) {
    return order(`${this.#name}.${index}`)
  }

  #message(index: number): StoredMessage {
    return this.#hand.message(`${this.#name}.${index}`, this.#entity(index % 3))
  }
}

/**
 * Plays a history on a store, and after every step holds what the store shows against a model of a few lines.
 *
 * @param name - Of the history: several may be played on one store, one after the other.
 * @returns The store as it was opened last.
 * @throws AssertionError at the first difference.
 *
 * @example
 * ```ts
 * await fc.assert(fc.asyncProperty(storeHistories, (steps) => playStoreHistory(steps, { store, reopen })))
 * ```
 */
export async function playStoreHistory(
  steps: readonly StoreStep[],
  { store, reopen }: Pick<StoreUnderTest, 'store' | 'reopen'>,
  name = 'any',
): Promise<StoreUnderTest['store']> {
  const history = new History(await Hand.over(carried(store)), async () => carried(await reopen()), name)
  for (const step of steps) {
    await history.take(step)
    await history.compare()
  }
  return history.hand.store
}

/** See the file head. */
export const anyHistory: readonly StoreGuarantee[] = [
  {
    guarantee: 'G3',
    holds: 'any history of groups, copies, requeues, owners and restarts shows what a tiny model shows, at every step',
    // Of three entities some are neighbours and some are not.
    shards: 3,
    async run({ store, reopen }) {
      let current = store
      let run = 0
      const reopened = async () => {
        current = await reopen()
        return current
      }
      const property = fc.asyncProperty(storeHistories, async (drawn) => {
        run += 1
        await playStoreHistory(drawn, { store: current, reopen: reopened }, `run${run}x`)
      })
      await fc.assert(property, { numRuns: 80 })
    },
  },
]
