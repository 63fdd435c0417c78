// conservation.ts: each accepted message is in exactly one place: waiting, handled, or a dead letter.

import assert from 'node:assert/strict'
import type { EntityId, Group, MessageId } from '@interstate/core'
import { partitionOf, partitionsOf } from '@interstate/core'
import fc from 'fast-check'
import { overRestart, type StoreGuarantee, type StoreUnderTest } from './guarantee.ts'
import { Hand, messageId, order } from './hand.ts'

const entity = order('conserved')

interface Turn {
  readonly turn: 'handle' | 'bury'
  readonly by: number
  readonly count: number
  readonly refused: boolean
  readonly mode: Group['mode']
}
type Step = 'accept' | 'again' | 'requeue' | 'reopen' | Turn

const turn: fc.Arbitrary<Turn> = fc.record({
  turn: fc.constantFrom('handle', 'bury'),
  by: fc.nat(2),
  count: fc.integer({ min: 1, max: 3 }),
  refused: fc.boolean(),
  mode: fc.constantFrom('each', 'together'),
})
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant('accept' as const) },
    { weight: 4, arbitrary: turn },
    { weight: 2, arbitrary: fc.constantFrom('requeue' as const, 'again' as const) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  ),
  { maxLength: 25 },
)

/** Follows every message of one history. */
class Ledger {
  hand: Hand
  readonly #reopen: StoreUnderTest['reopen']
  readonly #entities: readonly EntityId[]
  readonly #accepted: MessageId[] = []
  readonly #handled: MessageId[] = []
  #last: Group

  constructor(hand: Hand, reopen: StoreUnderTest['reopen'], name: string) {
    this.hand = hand
    this.#reopen = reopen
    this.#entities = [0, 1, 2].map((index) => order(`${name}-${index}`))
    this.#last = hand.group({})
  }

  async take(step: Step): Promise<void> {
    if (step === 'accept') await this.#accept()
    else if (step === 'again') await this.hand.store.write(this.#last)
    else if (step === 'reopen') this.hand = this.hand.at(await this.#reopen())
    else if (step === 'requeue') for (const id of (await this.#dead()).slice(0, 1)) await this.hand.store.requeue(id)
    else await this.#turn(step)
  }

  async balance(): Promise<void> {
    const waiting = (await Promise.all(this.#entities.map((each) => this.hand.waiting(each)))).flat()
    const found = [...waiting, ...this.#handled, ...(await this.#dead())]
    assert.deepEqual(found.toSorted(), this.#accepted.toSorted())
  }

  async #dead(): Promise<readonly MessageId[]> {
    const letters = await this.hand.store.deadLetters(undefined, 10_000)
    return letters.filter(({ to }) => this.#entities.includes(to)).map(({ id }) => id)
  }

  async #accept(): Promise<void> {
    const to = this.#entity(this.#accepted.length)
    const message = this.hand.message(`${to}.${this.#accepted.length}`, to)
    this.#last = this.hand.group({ accepted: [message] })
    await this.hand.store.write(this.#last)
    this.#accepted.push(message.id)
  }

  async #turn({ turn, by, count, refused, mode }: Turn): Promise<void> {
    const { store } = this.hand
    const entity = this.#entity(by)
    const version = (await store.load(partitionsOf([entity], store.shards)))[0]?.version ?? 0
    const items = await store.inboxOf(partitionOf(entity, store.shards), 0, count)
    const consumed = items.map(({ id }) => id)
    const buried = items.map(({ position: _, ...item }) => ({ ...item, reason: '{}' }))
    const expectedVersion = refused ? version + 1 : version
    const deadLetters = turn === 'bury' ? buried : []
    const commits = [this.hand.commit(entity, { expectedVersion, consumed, deadLetters })]
    this.#last = this.hand.group({ commits, mode: mode === 'each' ? mode : this.hand.widest })
    const [result] = (await store.write(this.#last)).results
    assert.equal(result?.outcome, refused ? 'conflict' : 'committed')
    if (turn === 'handle' && !refused) this.#handled.push(...consumed)
  }

  #entity(index: number): EntityId {
    return this.#entities[index % this.#entities.length] ?? entity
  }
}

/** See the file head. */
export const conservation: readonly StoreGuarantee[] = [
  {
    guarantee: 'G12',
    holds: 'over any history an accepted message waits, was handled, or is a dead letter: one of them, and once',
    async run({ store, reopen }) {
      let hand = await Hand.over(store)
      let run = 0
      const property = fc.asyncProperty(steps, async (drawn) => {
        run += 1
        const ledger = new Ledger(hand, reopen, `${run}`)
        try {
          for (const step of drawn) await ledger.take(step)
          await ledger.balance()
        } finally {
          hand = ledger.hand
        }
      })
      await fc.assert(property, { numRuns: 40 })
    },
  },
  {
    guarantee: 'G12',
    holds: 'a dead letter is requeued once: it moves back to the inbox of its entity as it was',
    async run({ store, reopen }) {
      const hand = await Hand.over(store)
      const message = hand.message('a', entity, 'the body')
      const letter = { ...message, reason: '{"code":"MACHINE_FAILED"}' }
      await hand.write({ accepted: [message] })
      await hand.one(entity, { consumed: [message.id], deadLetters: [letter] })
      assert.deepEqual(await store.deadLetter(message.id), letter)
      assert.deepEqual(await hand.waiting(entity), [])
      const item = await store.requeue(message.id)
      assert.deepEqual(item, { ...message, position: item?.position })
      assert.equal(await store.requeue(message.id), undefined)
      for await (const at of overRestart(store, reopen)) {
        assert.equal(await at.deadLetter(message.id), undefined)
        assert.deepEqual(await at.deadLetters(undefined, 10), [])
        assert.deepEqual(await at.inboxOf(partitionOf(entity, at.shards), 0, 10), [item])
      }
    },
  },
  {
    guarantee: 'G12',
    holds: 'a message that died, was requeued and died again is one dead letter with its latest reason',
    async run({ store }) {
      const hand = await Hand.over(store)
      const message = hand.message('a', entity)
      await hand.write({ accepted: [message] })
      for (const version of [0, 1]) {
        const deadLetters = [{ ...message, reason: `reason ${version}` }]
        await hand.one(entity, { expectedVersion: version, consumed: [message.id], deadLetters })
        if (version === 0) await store.requeue(message.id)
      }
      assert.deepEqual(await store.deadLetters(undefined, 10), [{ ...message, reason: 'reason 1' }])
    },
  },
  {
    guarantee: 'G12',
    holds: 'an unknown dead letter is not there, and requeueing it does nothing',
    async run({ store }) {
      assert.equal(await store.deadLetter(messageId('nobody')), undefined)
      assert.equal(await store.requeue(messageId('nobody')), undefined)
      const hand = await Hand.over(store)
      const [waiting] = await hand.accept(entity, 'a')
      assert.equal(await store.requeue(waiting ?? messageId('a')), undefined)
      assert.deepEqual(await hand.waiting(entity), [messageId('a')])
    },
  },
]
