// Where lanes lead from shard to shard, a history says what became of each message on its way.
import type { LaneMessage } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { checkHistory, type HistoryEvent } from '../src/stores.ts'
import {
  a,
  acquiredByShards,
  aKey,
  b,
  c,
  commit,
  committed,
  delivered,
  departures,
  elsewhere,
  happened,
  host,
  id,
  inbox,
  inboxElsewhere,
  incoming,
  lane,
  message,
  trimmed,
  turn,
  written,
} from './logs.ts'

const judge = (...events: readonly HistoryEvent[]): readonly string[] =>
  checkHistory(happened(acquiredByShards(), ...events)).map(({ guarantee }) => guarantee)
const atRest = (...events: readonly HistoryEvent[]): readonly string[] =>
  checkHistory(happened(acquiredByShards(), ...events), { atRest: true }).map(({ guarantee }) => guarantee)

const [one, two, three] = lane('one', 'two', 'three') as readonly [LaneMessage, LaneMessage, LaneMessage]
const outbox = [one, two].map(({ number: _, chain: __, ...stored }) => stored)
const sent = committed(commit(a, 0, { outbox }))
const there = { shard: elsewhere, epoch: 1, owner: host }
const handles = (...names: readonly string[]): HistoryEvent =>
  committed(commit(c, 0, { lease: there, consumed: names.map(id) }))

describe('G2: what goes from shard to shard is kept until it has arrived', () => {
  test('it is on its way, and in no inbox; then it is in an inbox', () => {
    expect(judge(sent, departures(one, two), inboxElsewhere())).toEqual([])
    expect(judge(sent, delivered([one, two]), inboxElsewhere(one, two), trimmed(2), departures())).toEqual([])
  })
  test('what is neither is lost', () => {
    expect(judge(sent, departures(one))).toEqual(['G2'])
    expect(judge(sent, delivered([one, two]), inboxElsewhere(one))).toEqual(['G2'])
  })
  test('nothing is forgotten before the receiver has it', () => {
    expect(judge(sent, delivered([one]), trimmed(1))).toEqual([])
    expect(judge(sent, delivered([one]), trimmed(2))).toEqual(['G2'])
    expect(judge(sent, trimmed(1))).toEqual(['G2'])
  })
  test('what was taken is accepted', () => {
    expect(judge(sent, delivered([one, two], { accepted: [one] }))).toEqual(['G2'])
  })
  test('at rest everything has arrived', () => {
    expect(atRest(sent, delivered([one, two]))).toEqual([])
    expect(atRest(sent, delivered([one]))).toEqual(['G2'])
  })
  test('what stays in its shard goes along no lane', () => {
    const near = committed(commit(a, 0, { outbox: [message('near', b)] }))
    expect(atRest(near, inbox(['near', b]), departures())).toEqual([])
  })
  test('what enters by another shard goes along a lane, too', () => {
    const entering = { ...incoming('one', c), shard: elsewhere, entry: 7 }
    const entered = written({ accepted: [entering] })
    expect(judge(entered, departures(one), inboxElsewhere())).toEqual([])
    expect(judge(entered, delivered([one]), inboxElsewhere(one), handles('one'))).toEqual([])
    expect(judge(entered, departures())).toEqual(['G2'])
  })
})

describe('G1, G3, G12: what is on its way is in no other place', () => {
  test('it is handled when it has arrived, not before', () => {
    expect(judge(sent, delivered([one, two]), handles('one', 'two'))).toEqual([])
    expect(judge(sent, delivered([one]), handles('one', 'two'))).toEqual(['G1'])
  })
  test('it does not wait before it has arrived', () => {
    expect(judge(sent, inboxElsewhere(one))).toEqual(['G12'])
  })
  test('no turn is told of it', () => expect(judge(sent, turn(c, 'one', { outcome: 'ignored' }))).toEqual(['G12']))
  test('nothing arrives and nothing stands in a lane that was never sent', () => {
    expect(judge(sent, delivered([one, two, three]))).toEqual(['G3'])
    expect(judge(sent, departures(one, two, three))).toEqual(['G3'])
    expect(judge(sent, delivered([{ ...one, id: id('other') }]))).toEqual(['G3'])
  })
})

describe('G6: what goes from shard to shard keeps its order', () => {
  test('nothing is accepted while something before it is missing', () => {
    expect(judge(sent, delivered([two]))).toEqual(['G6'])
  })
  test('it is accepted in the order in which it was sent', () => {
    expect(judge(sent, delivered([one, two], { accepted: [two, one] }))).toEqual(['G6'])
  })
  test('numbers follow each other', () => {
    const placed = (...numbers: readonly number[]): HistoryEvent =>
      written({ commits: [commit(a, 0, { outbox })] }, [
        {
          outcome: 'committed',
          version: 1,
          placed: [one, two].map(({ chain }, index) => ({ number: numbers[index] ?? 0, chain })),
        },
      ])
    expect(judge(placed(1, 2))).toEqual([])
    expect(judge(placed(1, 1))).toEqual(['G6'])
    expect(judge(placed(1, 3))).toEqual(['G6'])
  })
  test('a lane gives them in their order', () => expect(judge(sent, departures(two, one))).toEqual(['G6']))
})

describe('G7: what comes a second time along a lane is recognised', () => {
  const first = [sent, delivered([one, two]), handles('one', 'two')] as const
  test('it is delivered, and not accepted', () => {
    expect(judge(...first, delivered([one, two], { accepted: [] }))).toEqual([])
    expect(judge(...first, delivered([one], { mark: 2, accepted: [] }))).toEqual([])
    expect(judge(...first, delivered([one, two]))).toContain('G7')
  })
  test('a mark is not forgotten, and not ahead', () => {
    expect(judge(sent, delivered([one], { mark: 2 }))).toEqual(['G7'])
    const gap: HistoryEvent = {
      event: 'delivered',
      consignments: [{ from: 7, to: elsewhere, messages: [two] }],
      deliveries: [{ outcome: 'gap', mark: 0 }],
    }
    expect(judge(sent, gap)).toEqual([])
    expect(judge(sent, delivered([one]), gap)).toEqual(['G7'])
  })
  test('after a person has set the ends of a lane, it goes on from there', () => {
    const [, , third, fourth] = lane('one', 'two', 'lost', 'one') as readonly LaneMessage[]
    const { number, chain } = third as LaneMessage
    const ends = {
      heads: [{ from: 7, to: elsewhere, number, chain }],
      marks: [{ from: 7, to: elsewhere, number, chain }],
    }
    const single = committed(commit(a, 0, { outbox: outbox.slice(0, 1) }))
    const rebased: HistoryEvent = { event: 'rebased', ends }
    expect(atRest(single, rebased, departures(fourth as LaneMessage), delivered([fourth as LaneMessage]))).toEqual([])
  })
  test('a key is known where it entered, and nowhere else', () => {
    const registration = { key: aKey, shard: 7, at: 5_000, message: id('one'), fingerprint: 'print' }
    const known = { state: 'known', message: id('one'), fingerprint: 'print', reply: undefined } as const
    const asked = (shard: number): HistoryEvent => ({
      event: 'keys',
      asked: [aKey],
      shards: [shard],
      states: [shard === 7 ? known : { state: 'new' }],
    })
    expect(judge(written({ registrations: [registration] }), asked(7), asked(elsewhere))).toEqual([])
    expect(judge(written({ registrations: [{ ...registration, shard: elsewhere }] }), asked(7))).toEqual(['G3'])
  })
})

describe('what a host tells late', () => {
  const other = 'host-2' as never
  const late = (name: string, hostName: string): HistoryEvent =>
    ({ ...turn(a, name, { causationId: 'x' }), host: hostName }) as HistoryEvent
  const took = (hostName: string): HistoryEvent => ({
    event: 'told',
    host: hostName,
    signal: { signal: 'shards-taken', shards: [7], crashes: 0 },
  })
  const story = (...between: readonly HistoryEvent[]): readonly HistoryEvent[] => {
    const out = committed(commit(b, 0, { outbox: [message('x-1', a), message('x-2', a)] }))
    const handled = committed(commit(a, 0, { consumed: [id('x-1'), id('x-2')] }))
    return [took('host'), out, turn(b, 'x'), handled, ...between]
  }
  test('is not held against its order, until it has taken shards again', () => {
    const passed = acquiredByShards(2, other)
    expect(judge(...story(), late('x-2', 'host'), late('x-1', 'host'))).toContain('G6')
    expect(judge(...story(passed), late('x-2', 'host'), late('x-1', 'host'))).not.toContain('G6')
    expect(judge(...story(passed, took('host')), late('x-2', 'host'), late('x-1', 'host'))).toContain('G6')
  })
})
