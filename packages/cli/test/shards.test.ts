import type { EntityId, HostId, Lanes, MessageId, ShardId, StoreDriver, StoredMessage } from '@interstate/core'
import { memoryStore } from '@interstate/store-memory'
import { describe, expect, test } from 'vitest'
import { interstate } from './console.ts'

const [a, b] = ['host-a', 'host-b'] as HostId[] as [HostId, HostId]

/** Shards 0 to 3; `host-a` has 0 and 1, `host-b` has 2; three messages wait in 1, one is on its way from 0 to 2. */
async function shared(shards = 4): Promise<StoreDriver> {
  const store = memoryStore({ scope: 'shard', shards })
  const { cluster } = store
  await cluster?.beat({ host: a, beat: 1, weight: 2, pins: [0], runs: { till: '1' } })
  await cluster?.beat({ host: b, beat: 1, weight: 1, pins: [], runs: { till: '1', safe: '3' } })
  await cluster?.assign(0, [a, a, b, b], [])
  await store.acquire(a, [0, 1])
  await store.acquire(b, [2])
  await accept(store, 1, ['m1', 'm2', 'm3'])
  await accept(store, 2, ['m4'], 0)
  return store
}

async function accept(store: StoreDriver, shard: ShardId, ids: readonly string[], entry?: ShardId): Promise<void> {
  const accepted = ids.map((id) => ({ ...message(id, shard), lease: undefined, entry }))
  await store.write({ owner: a, tag: ids.join(), accepted, registrations: [], commits: [], mode: 'each' })
}

function message(id: string, shard: ShardId): StoredMessage {
  return { id: id as MessageId, to: 'till/x' as EntityId, shard, body: '{}' }
}

describe('hosts', () => {
  test('shows what each runs, and who gives a sign of life', async () => {
    const store = await shared()
    const sleep = async (): Promise<void> => {
      await store.cluster?.beat({ host: a, beat: 2, weight: 2, pins: [0], runs: { till: '1' } })
    }
    const { json } = await interstate(['hosts', '--json'], { store, sleep })
    expect(json).toEqual({
      ...{ store: 'memory', scope: 'shard', shards: 4, isShared: true, assignment: 1, halts: [] },
      hosts: [
        { host: a, isAlive: true, weight: 2, pins: [0], runs: { till: '1' }, shards: [0, 1], assigned: [0, 1] },
        { host: b, isAlive: false, weight: 1, pins: [], runs: { till: '1', safe: '3' }, shards: [2], assigned: [2, 3] },
      ],
      withoutHost: [3],
    })
    const { out } = await interstate(['hosts'], { store, sleep: async () => {} })
    expect(out).toMatch(/host-a +silent +2 +2 +2 +0 +till@1/)
    expect(out).toContain('1 shard of 4 without a host: 3')
  })

  test('waits no longer than it was told', async () => {
    let slept = 0
    const sleep = async (ms: number): Promise<void> => {
      slept += ms
    }
    await interstate(['hosts', '--patience', '500'], { store: await shared(), sleep })
    expect(slept).toBe(500)
  })

  test('of a store that is not shared says that one host runs all', async () => {
    const { out, exitCode } = await interstate(['hosts'], { store: memoryStore() })
    expect(out).toMatch(/^One host runs all 64 shards/)
    expect(exitCode).toBe(0)
    expect((await interstate(['hosts', '--json'], { store: memoryStore() })).json).toEqual({
      ...{ store: 'memory', scope: 'store', shards: 64, isShared: false, hosts: [] },
    })
  })
})

describe('shards', () => {
  test('shows owner, epoch and what waits', async () => {
    const { json } = await interstate(['shards', '--json'], { store: await shared() })
    const idle = { waiting: 0, waitingIsExact: true, departing: 0, nextDue: null, halt: null }
    expect(json).toEqual({
      ...{ store: 'memory', scope: 'shard', shards: 4, isShared: true },
      rows: [
        { ...idle, shard: 0, owner: a, assigned: a, epoch: 1, departing: 1 },
        { ...idle, shard: 1, owner: a, assigned: a, epoch: 1, waiting: 3 },
        { ...idle, shard: 2, owner: b, assigned: b, epoch: 1 },
        { ...idle, shard: 3, owner: null, assigned: b, epoch: 0 },
      ],
    })
  })

  test('draws a letter for each shard and a row for each owner', async () => {
    const { out } = await interstate(['shards'], { store: await shared() })
    expect(out).toMatch(/^ {3}0 {2}AAB\.\n/)
    expect(out).toMatch(/A +host-a +2 +3 +1 +- +1\n/)
    expect(out).toMatch(/\. +nobody +1 +0 +0 +- +-\n/)
  })

  test('fits on a screen with 256 shards and on no wider one than 80 columns', async () => {
    const { out } = await interstate(['shards'], { store: await shared(256), columns: 80 })
    const lines = out.trimEnd().split('\n')
    expect(lines.length).toBeLessThan(24)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
  })

  test('counts no more than it says', async () => {
    const store = await shared()
    await accept(
      store,
      3,
      Array.from({ length: 1_200 }, (_, index) => `n${index}`),
    )
    const rows = (await interstate(['shards', '--json'], { store })).json.rows
    expect(rows[3]).toMatchObject({ waiting: 100, waitingIsExact: false })
    expect((await interstate(['shards', '--shard', '3', '--json'], { store })).json.rows).toMatchObject([
      { shard: 3, waiting: 1_200, waitingIsExact: true },
    ])
    expect((await interstate(['shards', '--all'], { store })).out).toMatch(
      / 3 +0 +100\+ +0 +- +nobody, assigned to host-b/,
    )
  })

  test('tells of shards that stand still', async () => {
    const store = await shared()
    await store.cluster?.halt({ shard: 2, finding: 'epoch went back' })
    expect((await interstate(['shards'], { store })).out).toContain('Shard 2 stands still: epoch went back')
    expect((await interstate(['hosts'], { store })).out).toContain('1 shard stand')
  })

  test.each([
    ['--shard', '4'],
    ['--shard', '-1'],
    ['--shard', 'x'],
    ['--shard', '1', '--all'],
    ['resume', '4'],
    ['resume', 'x'],
    ['resume', '1', '--all'],
  ])('refuses what makes no sense: %s %s %s', async (...args) => {
    const { err, exitCode, out } = await interstate(['shards', ...args], { store: await shared() })
    expect(err).toMatch(/^USAGE: .*\n$/)
    expect(err.trimEnd()).not.toContain('\n')
    expect(exitCode).toBe(2)
    expect(out).toBe('')
  })
})

describe('shards resume', () => {
  test('has nothing to do where lanes fit, messages on their way included', async () => {
    const store = await shared()
    const { json, asked } = await interstate(['shards', 'resume', '0', '--json'], { store, answers: true })
    expect(json).toEqual({ shard: 0, halt: null, losses: [], isResumed: false })
    expect(asked).toEqual([])
  })

  test('takes no lane for broken that moves on while it is looked at', async () => {
    const store = await shared()
    const { lanes } = store
    if (lanes === undefined) throw new Error('no lanes')
    let sent = 0
    const goOn = async (): Promise<void> => {
      await accept(store, 2, [`more${sent++}`], 0)
      await lanes.deliver(await lanes.departures([0], 10))
      const heads = await lanes.heads([0])
      await lanes.trim(heads)
    }
    const busy = Object.assign(Object.create(lanes) as Lanes, {
      heads: async (from: readonly ShardId[]) => {
        const heads = await lanes.heads(from)
        await goOn()
        return heads
      },
      marks: async (to: readonly ShardId[]) => {
        const marks = await lanes.marks(to)
        await goOn()
        return marks
      },
      departures: (shards: readonly ShardId[], limit: number) => lanes.departures(shards, limit),
    })
    const going = Object.assign(Object.create(store) as StoreDriver, { lanes: busy })
    const { json } = await interstate(['shards', 'resume', '0', '--json', '--dry-run'], { store: going })
    expect(json.losses).toEqual([])
  })

  test('lets a shard go on whose receiver lost what its sender has forgotten', async () => {
    const store = await lostReceiver({ waiting: 0 })
    const dry = await interstate(['shards', 'resume', '2', '--dry-run', '--json'], { store })
    expect(dry.json).toMatchObject({
      losses: [{ from: 0, to: 2, kind: 'lost', first: 1, last: 3, waiting: 0 }],
      isResumed: false,
    })
    expect(await store.lanes?.marks([2])).toEqual([])
    const { exitCode, asked, err } = await interstate(['shards', 'resume', '2'], { store, answers: true })
    expect(exitCode).toBe(0)
    expect(asked[0]).toMatch(/^Shard 2 goes on without what is lost/)
    expect(err, 'it is shown before it is asked').toContain('3 messages sent and forgotten, and never received: lost.')
    await expectDelivery(store, 0, 2, 'next')
  })

  test('moves messages that wait behind a loss, so that they are still delivered, in order', async () => {
    const store = await lostReceiver({ waiting: 2 })
    await interstate(['shards', 'resume', '2', '--yes'], { store })
    const [consignment] = (await store.lanes?.departures([0], 10)) ?? []
    expect(consignment?.messages.map(({ id }) => id)).toEqual(['w0', 'w1'])
    await expectDelivery(store, 0, 2, 'next', ['w0', 'w1'])
  })

  test('lets a sender go on that forgot what its receiver has', async () => {
    const store = await lostSender()
    const { json } = await interstate(['shards', 'resume', '0', '--yes', '--json'], { store })
    expect(json).toMatchObject({ losses: [{ from: 0, to: 2, kind: 'ahead', first: 1, last: 3 }], isResumed: true })
    await expectDelivery(store, 0, 2, 'next')
  })

  test('sees two histories under the same numbers', async () => {
    const store = await lostSender()
    await accept(store, 2, ['o1', 'o2', 'o3'], 0)
    const { json } = await interstate(['shards', 'resume', '0', '--yes', '--json'], { store })
    expect(json.losses).toMatchObject([{ kind: 'diverged', last: 3, waiting: 3 }])
    await expectDelivery(store, 0, 2, 'next', ['o1', 'o2', 'o3'])
  })

  test('lets a halted shard run again', async () => {
    const store = await shared()
    await store.cluster?.halt({ shard: 2, finding: 'epoch went back' })
    const no = await interstate(['shards', 'resume', '2'], { store, answers: false })
    expect(no.exitCode).toBe(1)
    expect(no.err).toContain('Shard 2 stands still: epoch went back')
    expect((await store.cluster?.view())?.halts).toHaveLength(1)
    expect((await interstate(['shards', 'resume', '2', '--json', '--yes'], { store })).json).toEqual({
      ...{ shard: 2, halt: 'epoch went back', losses: [], isResumed: true },
    })
    expect((await store.cluster?.view())?.halts).toEqual([])
  })

  test('needs --yes where nobody can be asked', async () => {
    const store = await lostReceiver({ waiting: 0 })
    const { exitCode, err } = await interstate(['shards', 'resume', '2'], { store })
    expect(err).toMatch(/^NOT_CONFIRMED: .*--yes/)
    expect(exitCode).toBe(1)
    expect(await store.lanes?.marks([2])).toEqual([])
  })

  test('covers nothing that a sender sends while its lane is set', async () => {
    const store = await lostReceiver({ waiting: 1 })
    const { lanes } = store
    if (lanes === undefined) throw new Error('no lanes')
    let sent = 0
    const tooEarly: string[] = []
    const busy: Lanes = {
      heads: async (from) => {
        const heads = await lanes.heads(from)
        // After each look the sender goes on, twice in all.
        if (sent < 2) await accept(store, 2, [`late${sent++}`], 0)
        return heads
      },
      rebase: async (ends) => {
        const heads = await lanes.heads([0])
        for (const { to, number } of ends.marks) {
          const stands = heads.some((head) => head.to === to && head.trimmed >= number)
          if (!stands) tooEarly.push(`${to}: ${number}`)
        }
        return lanes.rebase(ends)
      },
      marks: (to) => lanes.marks(to),
      departures: (shards, limit) => lanes.departures(shards, limit),
      deliver: (consignments) => lanes.deliver(consignments),
      trim: (ends) => lanes.trim(ends),
      tails: (shards) => lanes.tails(shards),
    }
    const going = Object.assign(Object.create(store) as StoreDriver, { lanes: busy })
    await interstate(['shards', 'resume', '2', '--yes'], { store: going })
    expect(tooEarly).toEqual([])
    await expectDelivery(store, 0, 2, 'next', ['w0', 'late0', 'late1'])
  })

  test('of a store without lanes is refused', async () => {
    const { err, exitCode } = await interstate(['shards', 'resume', '0'], { store: memoryStore() })
    expect(err).toMatch(/^USAGE: the memory store has no lanes/)
    expect(exitCode).toBe(2)
  })
})

/** Shard 0 has sent three messages to 2 and forgotten them; 2 knows of none. */
async function lostReceiver({ waiting }: { readonly waiting: number }): Promise<StoreDriver> {
  const store = memoryStore({ scope: 'shard', shards: 4 })
  await accept(store, 2, ['x1', 'x2', 'x3'], 0)
  await store.lanes?.trim([{ from: 0, to: 2, number: 3 }])
  for (let index = 0; index < waiting; index += 1) await accept(store, 2, [`w${index}`], 0)
  return store
}

/** Shard 2 has three messages of 0, which knows of none. */
async function lostSender(): Promise<StoreDriver> {
  const before = memoryStore({ scope: 'shard', shards: 4 })
  await accept(before, 2, ['x1', 'x2', 'x3'], 0)
  const store = memoryStore({ scope: 'shard', shards: 4 })
  await store.lanes?.deliver((await before.lanes?.departures([0], 10)) ?? [])
  return store
}

/** One more message is sent; all that stand in the lane arrive, in order. */
async function expectDelivery(
  store: StoreDriver,
  from: ShardId,
  to: ShardId,
  id: string,
  before: readonly string[] = [],
): Promise<void> {
  await accept(store, to, [id], from)
  const consignments = (await store.lanes?.departures([from], 100)) ?? []
  const deliveries = (await store.lanes?.deliver(consignments)) ?? []
  expect(deliveries).toMatchObject([{ outcome: 'delivered' }])
  const accepted = deliveries.flatMap((each) => (each.outcome === 'delivered' ? each.accepted : []))
  expect(accepted.map((item) => item.id)).toEqual([...before, id])
}
