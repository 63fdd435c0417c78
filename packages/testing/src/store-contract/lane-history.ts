// lane-history.ts: however messages are carried, early, late, in parts, out of order and again, each arrives once and in order.
import assert from 'node:assert/strict'
import type { Consignment, MessageId, ShardId } from '@interstate/core'
import fc from 'fast-check'
import { carryAll } from './carried.ts'
import type { StoreGuarantee, StoreUnderTest } from './guarantee.ts'
import { messageId } from './hand.ts'
import { type Sent, Traffic } from './traffic.ts'

interface Send {
  readonly step: 'send'
  readonly from: ShardId
  readonly to: readonly ShardId[]
  readonly refused: boolean
}
interface Deliver {
  readonly step: 'deliver'
  /** Of what was ever seen on its way, from the latest back. */
  readonly which: number
  readonly begin: number
  readonly count: number
}
interface Trim {
  readonly step: 'trim'
  readonly lane: number
  readonly upTo: number
}
type Step = Send | Deliver | Trim | 'look' | 'handle' | 'acquire' | 'reopen'

const shards = [0, 1, 2] as const
const shard = fc.constantFrom(...shards)
const lanes = shards.flatMap((from) => shards.filter((to) => to !== from).map((to) => ({ from, to })))
const send: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('send' as const),
  from: shard,
  to: fc.array(shard, { minLength: 1, maxLength: 4 }),
  refused: fc.integer({ min: 0, max: 5 }).map((roll) => roll === 0),
})
const deliver: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('deliver' as const),
  which: fc.oneof(fc.nat(6), fc.nat(60)),
  begin: fc.oneof(fc.constant(0), fc.nat(3)),
  count: fc.integer({ min: 1, max: 6 }),
})
const trim: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('trim' as const),
  lane: fc.nat(lanes.length - 1),
  upTo: fc.nat(8),
})
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: send },
    { weight: 4, arbitrary: fc.constant('look' as const) },
    { weight: 8, arbitrary: deliver },
    { weight: 2, arbitrary: trim },
    { weight: 2, arbitrary: fc.constantFrom('handle' as const, 'acquire' as const) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  ),
  { minLength: 10, maxLength: 50, size: 'max' },
)

/** What is known of a lane. */
interface Ledger {
  readonly from: ShardId
  readonly to: ShardId
  readonly sent: MessageId[]
  mark: number
  trimmed: number
}

/** All that befalls three shards. One history goes on where the last one ended: so copies get old. */
class Journey {
  #traffic: Traffic
  readonly #reopen: StoreUnderTest['reopen']
  readonly #lanes: readonly Ledger[] = lanes.map((ends) => ({ ...ends, sent: [], mark: 0, trimmed: 0 }))
  readonly #handled: readonly MessageId[][] = shards.map(() => [])
  #seen: Consignment[] = []
  #named = 0

  constructor(traffic: Traffic, reopen: StoreUnderTest['reopen']) {
    this.#traffic = traffic
    this.#reopen = reopen
  }

  async take(step: Step): Promise<void> {
    if (step === 'look') this.#seen.push(...(await this.#traffic.lanes.departures(shards, 8)))
    else if (step === 'handle')
      for (const each of shards) this.#handled[each]?.push(...(await this.#traffic.handle(each)))
    // Whoever carries needs no lease, so what was seen before is carried on.
    else if (step === 'acquire') this.#traffic = await Traffic.over(this.#traffic.store)
    else if (step === 'reopen') this.#traffic = this.#traffic.at(await this.#reopen())
    else if (step.step === 'send') await this.#send(step)
    else if (step.step === 'deliver') await this.#deliver(step)
    else await this.#trim(step)
  }

  /** Carries the rest, and keeps a few old copies for the next history. */
  async arrive(): Promise<void> {
    await carryAll(this.#traffic.store, this.#traffic.lanes)
    for (const lane of this.#lanes) {
      lane.mark = lane.sent.length
      lane.trimmed = lane.sent.length
    }
    await this.compare()
    this.#seen = this.#seen.slice(-20)
  }

  async compare(): Promise<void> {
    const { departures: _, heads, marks, tails } = await this.#traffic.picture()
    const begun = this.#lanes.filter(({ sent }) => sent.length > 0)
    assert.deepEqual(
      heads.map(({ chain: _, ...head }) => head),
      begun.map(({ from, to, sent, trimmed }) => ({ from, to, trimmed, number: sent.length })),
    )
    assert.deepEqual(
      new Map(marks.filter(({ number }) => number > 0).map(({ from, to, number }) => [`${from}>${to}`, number])),
      new Map(begun.filter(({ mark }) => mark > 0).map(({ from, to, mark }) => [`${from}>${to}`, mark])),
    )
    for (const each of shards) {
      const departing = this.#lanes
        .filter(({ from }) => from === each)
        .reduce((sum, { sent, trimmed }) => sum + sent.length - trimmed, 0)
      assert.equal(tails[each]?.departing, departing)
      const arrived = [...(this.#handled[each] ?? []), ...(await this.#traffic.waiting(each))]
      assert.equal(new Set(arrived).size, arrived.length, 'a message arrived twice')
      assert.equal(tails[each]?.position, arrived.length)
      for (const { from, to, sent, mark } of this.#lanes)
        if (to === each) {
          const mine = arrived.filter((id) => id.startsWith(messageId(`${from}>${to} `)))
          assert.deepEqual(mine, sent.slice(0, mark))
        }
    }
  }

  async #send({ from, to, refused }: Send): Promise<void> {
    const sent = to.map((each): Sent => {
      this.#named += 1
      return [`${from}>${each} ${this.#named}`, each]
    })
    const traffic = this.#traffic
    const commit = await traffic.commit(from, sent, refused ? { expectedVersion: 1_000_000 } : {})
    const [result] = await traffic.hand.each(commit)
    assert.equal(result?.outcome, refused ? 'conflict' : 'committed')
    if (refused) return
    for (const [name, each] of sent) this.#lane(from, each)?.sent.push(messageId(name))
  }

  async #deliver({ which, begin, count }: Deliver): Promise<void> {
    const seen = this.#seen.at(-1 - (which % Math.max(1, this.#seen.length)))
    const messages = seen?.messages.slice(begin, begin + count) ?? []
    const [first, last] = [messages[0], messages.at(-1)]
    if (seen === undefined || first === undefined || last === undefined) return
    const { from, to } = seen
    const lane = this.#lane(from, to)
    assert.ok(lane !== undefined)
    const [delivery] = await this.#traffic.lanes.deliver([{ from, to, messages }])
    if (first.number > lane.mark + 1) {
      assert.deepEqual(delivery, { outcome: 'gap', mark: lane.mark })
      return
    }
    const fresh = messages.filter(({ number }) => number > lane.mark)
    lane.mark = Math.max(lane.mark, last.number)
    assert.ok(delivery?.outcome === 'delivered', delivery?.outcome)
    assert.equal(delivery.mark, lane.mark)
    assert.deepEqual(
      delivery.accepted.map(({ id, body }) => [id, body]),
      fresh.map(({ id, body }) => [id, body]),
    )
  }

  async #trim({ lane, upTo }: Trim): Promise<void> {
    const trimmed = this.#lanes[lane]
    if (trimmed === undefined) return
    const { from, to, mark } = trimmed
    // Never more than what the receiver has.
    const number = Math.min(mark, trimmed.trimmed + upTo)
    await this.#traffic.lanes.trim([{ from, to, number }])
    trimmed.trimmed = Math.max(trimmed.trimmed, number)
  }

  #lane(from: ShardId, to: ShardId): Ledger | undefined {
    return this.#lanes.find((each) => each.from === from && each.to === to)
  }
}

/** See the file head. */
export const laneHistory: readonly StoreGuarantee[] = [
  {
    guarantee: 'G2',
    holds:
      'whatever is carried between three shards, in parts, out of order, late and again, arrives once, in the order of its lane',
    scope: 'shard',
    shards: 3,
    async run({ store, reopen }) {
      const journey = new Journey(await Traffic.over(store), reopen)
      const property = fc.asyncProperty(steps, async (drawn) => {
        for (const step of drawn) {
          await journey.take(step)
          await journey.compare()
        }
        await journey.arrive()
      })
      await fc.assert(property, { numRuns: 40 })
    },
  },
]
