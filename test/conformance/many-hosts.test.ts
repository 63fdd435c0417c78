// Several hosts share a store: each message has its effect once (G1), nothing is lost (G2, G16), order holds (G6) and no
// stale host writes (G5), while hosts join, leave, are killed, stand still and come back.
import {
  contract,
  defineAggregate,
  defineSaga,
  effect,
  entityId,
  follow,
  type IdempotencyKey,
  idempotencyKey,
  type Lanes,
} from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { Clerk, cast, Till } from './cast.ts'
import { detectMs, Fleet, lookMs, type Member, toldBy } from './fleet.ts'
import { type OpenStore, storesOfScope } from './stores.ts'

const Book = contract('book', {
  commands: { Add: z.object({ n: z.number() }), Ring: z.object({ ms: z.number() }), Fetch: z.object({}) },
  events: { Closed: z.object({ n: z.number() }) },
  replies: { Sum: z.object({ sum: z.number() }) },
})

/** One run of an effect, as the outside sees it. */
interface Run {
  readonly key: string
  readonly end: () => void
}

/** A book that adds up, rings and asks the outside. */
function bookOf(outside: { readonly runs: Run[] }) {
  return defineAggregate(
    Book,
    setup({
      types: Book.types<{ added: readonly number[]; rang: number; fetched: number }>(),
      actors: {
        fetch: effect(
          ({ idempotencyKey: key }) => new Promise<void>((end) => void outside.runs.push({ key, end: () => end() })),
        ),
      },
    }).createMachine({
      context: { added: [], rang: 0, fetched: 0 },
      initial: 'idle',
      on: {
        Add: {
          actions: [
            assign({ added: ({ context, event }) => [...context.added, event.n] }),
            Book.reply(({ context }) => ({ type: 'Sum', sum: context.added.reduce((sum, n) => sum + n, 0) })),
          ],
        },
      },
      states: {
        idle: { on: { Ring: 'armed', Fetch: 'fetching' } },
        armed: {
          after: { 3000: { target: 'idle', actions: assign({ rang: ({ context }) => context.rang + 1 }) } },
        },
        fetching: {
          invoke: {
            src: 'fetch',
            onDone: { target: 'idle', actions: assign({ fetched: ({ context }) => context.fetched + 1 }) },
          },
        },
      },
    }),
  )
}

const closed = follow(Book.event('Closed').bySource().starts())
/** Sagas of several types that follow one event: they live in several shards. */
const followers = ['audit1', 'audit2', 'audit3', 'audit4'].map((name) =>
  defineSaga(
    name,
    closed,
    setup({ types: closed.types<{ heard: number[] }>() }).createMachine({
      context: ({ input }) => ({ heard: [input.message.n] }),
      on: { 'book.Closed': { actions: assign({ heard: ({ context, event }) => [...context.heard, event.n] }) } },
    }),
  ),
)

describe.each(storesOfScope('shard'))('several hosts on $name', (under) => {
  const { till, clerk, audit, entities } = cast(() => {})
  const outside = { runs: [] as Run[] }
  const book = bookOf(outside)
  const open = (): Fleet => {
    outside.runs.length = 0
    return new Fleet(under, [...entities, book, ...followers])
  }
  const add = ({ host }: Member, key: string, n: number, idempotency?: IdempotencyKey) =>
    host.send(Book.at(key), { type: 'Add', n }, { ...(idempotency && { idempotencyKey: idempotency }) })
  const added = async ({ host }: Member, key: string) => (await host.read(book.at(key)))?.context.added ?? []
  const context = async ({ host }: Member, key: string) => (await host.read(book.at(key)))?.context
  const keyOf = ({ env }: Fleet, name: string) => idempotencyKey(name, { at: env.now() })
  /** Nothing waits, and the history shows nothing wrong. */
  const rests = async (fleet: Fleet): Promise<void> => {
    await fleet.rest()
    expect(await fleet.judge()).toEqual([])
  }

  test('each shard has one owner, and every host has its part', async () => {
    await using fleet = open()
    const all = await fleet.start(3)
    const parts = await Promise.all(all.map((member) => fleet.owned(member)))
    expect(parts.flat().toSorted((one, other) => one - other)).toEqual(fleet.shards)
    for (const part of parts) expect(part.length).toBeGreaterThan(0)
    const shards = new Set(toldBy(all[2] as Member, 'shards-taken').flatMap((each) => each.shards))
    expect(shards).toEqual(new Set(parts[2]))
  })

  test('G1, G6, G16: each message is handled once, in its order, while hosts join and leave', async () => {
    await using fleet = open()
    await fleet.start(1)
    const calls: Promise<unknown>[] = []
    for (let n = 0; n < 120; n += 1) {
      const { host } = fleet.members[n % fleet.members.length] as Member
      calls.push(host.send(Clerk.at(`c${n % 5}`), { type: 'Tell', to: `t${n % 7}`, n }))
      if (n % 10 === 3 && fleet.members.length < 4) await fleet.join()
      if (n % 30 === 17) await fleet.leave(fleet.members[0] as Member)
      if (n % 4 === 0) await fleet.env.advance(50)
    }
    await Promise.all(calls)
    await rests(fleet)
    const { host } = fleet.members[0] as Member
    const heard: number[] = []
    for (let each = 0; each < 7; each += 1) {
      const rung = (await host.read(till.at(`t${each}`)))?.context.rung ?? []
      expect((await host.read(audit.at(`t${each}`)))?.context.heard).toEqual(rung)
      heard.push(...rung)
    }
    expect(heard.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 120 }, (_, n) => n))
    for (let each = 0; each < 5; each += 1) expect((await host.read(clerk.at(`c${each}`)))?.context.told).toBe(24)
  })

  test('G16: a host that is killed is replaced within twice the time after which it counts as dead', async () => {
    await using fleet = open()
    const [one, two] = (await fleet.start(3)) as [Member, Member, Member]
    const keys = await fleet.keysOn(two, 'book', 3)
    for (const key of keys) await add(two, key, 1)
    await fleet.settle()
    fleet.kill(two)
    // It is let in for whoever runs the shard, dead or not.
    for (const key of keys) await add(one, key, 2)
    let passed = 0
    const isDone = async () =>
      (await Promise.all(keys.map((key) => added(one, key)))).every(({ length }) => length === 2)
    for (; passed < 10 * detectMs && !(await isDone()); passed += 50) await fleet.env.advance(50)
    expect(passed).toBeLessThanOrEqual(2 * detectMs)
    for (const key of keys) expect(await added(one, key)).toEqual([1, 2])
    expect(await fleet.owned(two)).toEqual([])
    await rests(fleet)
  })

  test('a host that leaves hands its shards over without waiting', async () => {
    await using fleet = open()
    const [one, two] = (await fleet.start(2)) as [Member, Member]
    const key = await fleet.keyOn(one, 'book')
    await add(one, key, 1)
    await fleet.settle()
    const stopped = one.host.stop()
    fleet.members.splice(0, 1)
    await fleet.settle()
    await stopped
    expect(await fleet.owned(two)).toEqual(fleet.shards)
    expect(toldBy(two, 'shards-taken').at(-1)?.crashes).toBe(0)
    await add(two, key, 2)
    await fleet.settle()
    expect(await added(two, key)).toEqual([1, 2])
    await rests(fleet)
  })

  describe('G5: when another host has taken the shards of one that stood still', () => {
    test('no caller hears of it: the new owner handles its calls, and the old one comes back', async () => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const key = await fleet.keyOn(one, 'book')
      const own = await fleet.owned(one)
      fleet.pause(one)
      const sent = add(one, key, 1)
      const asked = one.host.ask(Book.at(key), { type: 'Add', n: 2 }, { timeoutMs: 60_000 })
      await fleet.env.advance(2 * detectMs)
      expect(await fleet.owned(two)).toEqual(fleet.shards)
      expect(await added(two, key)).toEqual([])
      const before = toldBy(one, 'shards-taken').length
      fleet.wake(one)
      await fleet.settle()
      expect(await sent).toMatchObject({ duplicate: false })
      await fleet.env.advance(2 * lookMs)
      expect(await asked).toEqual({ type: 'Sum', sum: 3 })
      expect(await added(two, key)).toEqual([1, 2])
      expect(toldBy(one, 'fatal')).toEqual([])
      const dropped = new Set(toldBy(one, 'shards-dropped').flatMap(({ shards }) => shards))
      expect(new Set(own).difference(dropped)).toEqual(new Set())
      await fleet.env.advance(2 * detectMs)
      expect(toldBy(one, 'shards-taken').length).toBeGreaterThan(before)
      expect((await fleet.owned(one)).length).toBeGreaterThan(0)
      await rests(fleet)
    })

    test.each([
      ['is durable already', [1]],
      ['is not durable yet', []],
    ] as const)('its turn is taken back, and the message is handled once, which %s', async (what, meanwhile) => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const key = await fleet.keyOn(one, 'book')
      const wake = one.store.holdWrite(({ commits }) => commits.length > 0)
      // A call under a key goes into the inbox first.
      const sent = add(one, key, 1, what === 'is durable already' ? keyOf(fleet, 'once') : undefined)
      await fleet.settle()
      fleet.pause(one)
      await fleet.env.advance(2 * detectMs)
      expect(await added(two, key)).toEqual(meanwhile)
      fleet.wake(one)
      wake()
      await fleet.env.advance(2 * detectMs)
      expect(await sent).toMatchObject({ duplicate: false })
      expect(await added(two, key)).toEqual([1])
      expect([one, two].flatMap((member) => toldBy(member, 'turn'))).toHaveLength(1)
      await rests(fleet)
    })

    test('a call to an entity that stands still is let in at the new owner', async () => {
      await using fleet = open()
      const jams = cast(() => {
        throw new Error('jams')
      })
      const joining = { entities: [jams.till, jams.audit], policies: { retry: { attempts: 1 } } }
      const one = await fleet.join(joining)
      await one.host.publish(Till.at('a'), { type: 'Rung', n: 1 })
      await fleet.settle()
      expect(await one.host.parked.list()).toHaveLength(1)
      const once = keyOf(fleet, 'once')
      fleet.pause(one)
      const sent = one.host.publish(Till.at('a'), { type: 'Rung', n: 2 }, { idempotencyKey: once })
      const two = await fleet.join(joining)
      await fleet.env.advance(2 * detectMs)
      fleet.wake(one)
      await fleet.env.advance(2 * detectMs)
      expect(await sent).toMatchObject({ duplicate: false })
      expect(await two.host.publish(Till.at('a'), { type: 'Rung', n: 2 }, { idempotencyKey: once })).toMatchObject({
        duplicate: true,
      })
    })

    test('the result of an effect that it brings late counts once at most', async () => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const key = await fleet.keyOn(one, 'book')
      await one.host.send(Book.at(key), { type: 'Fetch' })
      await fleet.settle()
      fleet.pause(one)
      outside.runs[0]?.end()
      await fleet.env.advance(2 * detectMs)
      expect(outside.runs).toHaveLength(2)
      fleet.wake(one)
      await fleet.env.advance(2 * detectMs)
      for (const run of outside.runs) run.end()
      await fleet.env.advance(2 * detectMs)
      expect(await context(two, key)).toMatchObject({ fetched: 1 })
      await rests(fleet)
    })
  })

  describe('through any host', () => {
    test('ask is answered, whoever runs the entity', async () => {
      await using fleet = open()
      const all = await fleet.start(3)
      for (const [at, owner] of all.entries()) {
        const key = await fleet.keyOn(owner, 'book')
        let sum = 0
        for (const [from, { host }] of all.entries()) {
          const n = 1 + from + 10 * at
          sum += n
          const asked = host.ask(Book.at(key), { type: 'Add', n }, { timeoutMs: 60_000 })
          await fleet.settle()
          expect(await asked).toEqual({ type: 'Sum', sum })
        }
      }
      await rests(fleet)
    })

    test('send and read work where nothing of it is run', async () => {
      await using fleet = open()
      const owner = await fleet.join()
      const idle = await fleet.join({ cluster: { weight: 0 } })
      expect(await fleet.owned(idle)).toEqual([])
      for (let n = 0; n < 8; n += 1) await add(idle, `k${n}`, n)
      await fleet.settle()
      for (let n = 0; n < 8; n += 1) expect(await added(idle, `k${n}`)).toEqual([n])
      expect(toldBy(idle, 'turn')).toEqual([])
      expect(toldBy(owner, 'turn')).toHaveLength(8)
      await rests(fleet)
    })

    test('a turn at one host sends to an entity at another', async () => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const from = await fleet.keyOn(one, 'clerk')
      const to = await fleet.keyOn(two, 'till')
      for (let n = 0; n < 20; n += 1) await two.host.send(Clerk.at(from), { type: 'Tell', to, n })
      await fleet.settle()
      expect((await one.host.read(till.at(to)))?.context.rung).toEqual(Array.from({ length: 20 }, (_, n) => n))
      await rests(fleet)
    })

    test('a turn sends to an entity that has passed on to another host, without waiting for it to look', async () => {
      await using fleet = open()
      const [one, two] = (await fleet.start(3)) as [Member, Member, Member]
      const from = await fleet.keyOn(one, 'clerk')
      const to = await fleet.keyOn(two, 'till')
      const tell = async (n: number) => {
        await one.host.send(Clerk.at(from), { type: 'Tell', to, n })
        await fleet.settle()
        return (await one.host.read(till.at(to)))?.context.rung
      }
      expect(await tell(1)).toEqual([1])
      fleet.kill(two)
      await fleet.env.advance(2 * detectMs)
      expect(await tell(2)).toEqual([1, 2])
      await rests(fleet)
    })

    test.each(['nothing', 'killed before', 'killed after', 'fails', 'answer lost'] as const)(
      'publish reaches all followers in all their shards, or none: %s befalls the write',
      async (trouble) => {
        await using fleet = open()
        const [one, two] = (await fleet.start(2)) as [Member, Member]
        const shards = followers.map(({ name }) => fleet.shardOf(entityId(name, 'a')))
        expect(new Set(shards).size).toBeGreaterThan(1)
        if (trouble !== 'nothing') one.store.nextWrite(trouble)
        const ended = one.host.publish(Book.at('a'), { type: 'Closed', n: 1 }).then(
          () => 'kept',
          () => 'refused',
        )
        await fleet.settle()
        if (one.store.killed) fleet.kill(one)
        await fleet.env.advance(4 * detectMs)
        const heard = await Promise.all(
          followers.map(async (each) => (await two.host.read(each.at('a')))?.context.heard ?? []),
        )
        const isThere = trouble === 'nothing' || trouble === 'killed after' || trouble === 'answer lost'
        expect(heard).toEqual(followers.map(() => (isThere ? [1] : [])))
        if (!one.store.killed) expect(await ended).toBe(trouble === 'fails' ? 'refused' : 'kept')
        await rests(fleet)
      },
    )

    test('G10: a keyed call that is repeated at another host is known there, and has the same reply', async () => {
      await using fleet = open()
      const all = await fleet.start(3)
      const key = keyOf(fleet, 'once')
      const ask = ({ host }: Member) => {
        const asked = host.ask(Book.at('a'), { type: 'Add', n: 5 }, { idempotencyKey: key, timeoutMs: 60_000 })
        return fleet.settle().then(() => asked)
      }
      for (const member of all) expect(await ask(member)).toEqual({ type: 'Sum', sum: 5 })
      const receipts = await Promise.all(all.map((member) => add(member, 'a', 5, key)))
      expect(receipts.map(({ duplicate }) => duplicate)).toEqual([true, true, true])
      await expect(add(all[1] as Member, 'a', 6, key)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
      expect(await added(all[0] as Member, 'a')).toEqual([5])
      await rests(fleet)
    })

    test('G10: who repeats a keyed ask at a third host before it is answered gets the answer, too', async () => {
      const Slow = contract('slow', { commands: { Go: z.object({}) }, replies: { Done: z.object({}) } })
      const slow = defineAggregate(
        Slow,
        setup({ types: Slow.types<object>() }).createMachine({
          context: {},
          initial: 'a',
          states: {
            a: { on: { Go: 'b' } },
            b: { after: { 2000: { target: 'c', actions: Slow.reply({ type: 'Done' }) } } },
            c: {},
          },
        }),
      )
      await using fleet = new Fleet(under, [slow])
      const all = await fleet.start(3)
      const key = await fleet.keyOn(all[1] as Member, 'slow')
      const options = { idempotencyKey: keyOf(fleet, 'x'), timeoutMs: 20_000 }
      const ends = all.map(({ host }) => host.ask(Slow.at(key), { type: 'Go' }, options))
      await fleet.env.advance(25_000)
      expect(await Promise.all(ends)).toEqual([{ type: 'Done' }, { type: 'Done' }, { type: 'Done' }])
    })

    test('G10: the same call through all hosts at once runs once', async () => {
      await using fleet = open()
      const all = await fleet.start(3)
      const key = keyOf(fleet, 'once')
      const calls = Promise.all(all.map((member) => add(member, 'a', 5, key)))
      await fleet.settle()
      const receipts = await calls
      expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
      expect(new Set(receipts.map(({ message }) => message)).size).toBe(1)
      expect(await added(all[0] as Member, 'a')).toEqual([5])
      await rests(fleet)
    })

    test('a dead letter is requeued, whoever runs its entity', async () => {
      await using fleet = open()
      let fails = true
      const weak = cast(() => {
        if (fails) throw new Error('jams')
      })
      const joining = { entities: weak.entities, policies: { retry: { attempts: 1 } } }
      const one = await fleet.join(joining)
      const two = await fleet.join(joining)
      const key = await fleet.keyOn(two, 'till')
      await one.host.send(Till.at(key), { type: 'Ring', n: 1 })
      await fleet.settle()
      const [letter] = await one.host.deadLetters.list()
      fails = false
      await one.host.deadLetters.requeue(letter?.id as never)
      await fleet.env.advance(2 * lookMs)
      expect((await one.host.read(weak.till.at(key)))?.context.rung).toEqual([1])
      await rests(fleet)
    })
  })

  test('an effect of a host that died runs again at the next one, under the same key', async () => {
    await using fleet = open()
    const [one, two] = (await fleet.start(2)) as [Member, Member]
    const key = await fleet.keyOn(one, 'book')
    await two.host.send(Book.at(key), { type: 'Fetch' })
    await fleet.settle()
    expect(outside.runs).toHaveLength(1)
    fleet.kill(one)
    await fleet.env.advance(2 * detectMs)
    expect(outside.runs).toHaveLength(2)
    expect(new Set(outside.runs.map((run) => run.key)).size).toBe(1)
    for (const { end } of outside.runs) end()
    await fleet.settle()
    expect(await context(two, key)).toMatchObject({ fetched: 1 })
    await rests(fleet)
  })

  test.each(['killed before', 'killed after', 'stands still', 'leaves'] as const)(
    'G9: a timer whose host %s it is due fires once',
    async (what) => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const keys = await fleet.keysOn(one, 'book', 4)
      for (const key of keys) await two.host.send(Book.at(key), { type: 'Ring', ms: 3_000 })
      await fleet.env.advance(what === 'killed after' ? 3_000 : 2_900)
      if (what === 'leaves') await fleet.leave(one)
      else if (what === 'stands still') fleet.pause(one)
      else fleet.kill(one)
      await fleet.env.advance(3 * detectMs)
      for (const key of keys) expect(await context(two, key)).toMatchObject({ rang: 1 })
      fleet.wake(one)
      await fleet.env.advance(10_000)
      for (const key of keys) expect(await context(two, key)).toMatchObject({ rang: 1 })
      await rests(fleet)
    },
  )

  describe('who runs what', () => {
    test('a host that lacks a type takes no shard, and hands in what it knows', async () => {
      await using fleet = open()
      const whole = await fleet.join()
      const half = await fleet.join({ entities: [book] })
      expect(await fleet.owned(half)).toEqual([])
      expect(await fleet.owned(whole)).toEqual(fleet.shards)
      await add(half, 'a', 1)
      await fleet.settle()
      expect(await added(half, 'a')).toEqual([1])
      await expect(half.host.send(Till.at('a'), { type: 'Ring', n: 1 })).rejects.toMatchObject({
        code: 'ENTITY_UNKNOWN',
      })
      await rests(fleet)
    })

    test('a host with an older machine hands its shards to one with the newer, and takes them when that is gone', async () => {
      const Pot = contract('pot', { commands: { Fill: z.object({}) } })
      const potOf = (version: string) =>
        defineAggregate(
          Pot,
          setup({ types: Pot.types<{ filled: number }>() }).createMachine({
            version,
            context: { filled: 0 },
            on: { Fill: { actions: assign({ filled: ({ context }) => context.filled + 1 }) } },
          }),
        )
      await using fleet = new Fleet(under, [])
      const old = await fleet.join({ entities: [potOf('1')] })
      expect(await fleet.owned(old)).toEqual(fleet.shards)
      const fresh = await fleet.join({ entities: [potOf('2')] })
      expect(await fleet.owned(old)).toEqual([])
      expect(await fleet.owned(fresh)).toEqual(fleet.shards)
      await old.host.send(Pot.at('a'), { type: 'Fill' })
      await fleet.settle()
      expect((await fresh.host.read(potOf('2').at('a')))?.context.filled).toBe(1)
      expect([old, fresh].map((member) => toldBy(member, 'turn').length)).toEqual([0, 1])
      await fleet.leave(fresh)
      expect(await fleet.owned(old)).toEqual(fleet.shards)
    })

    test('pinned shards are run where they are pinned, as long as that host lives', async () => {
      await using fleet = open()
      const one = await fleet.join()
      const two = await fleet.join({ cluster: { weight: 0, pins: [3, 5] } })
      await fleet.env.advance(detectMs)
      expect(await fleet.owned(two)).toEqual([3, 5])
      expect(await fleet.owned(one)).toEqual(fleet.shards.filter((shard) => shard !== 3 && shard !== 5))
      fleet.kill(two)
      await fleet.env.advance(2 * detectMs)
      expect(await fleet.owned(one)).toEqual(fleet.shards)
      const three = await fleet.join({ cluster: { pins: [5] } })
      await fleet.env.advance(detectMs)
      expect(await fleet.owned(three)).toContain(5)
    })

    test('what weighs more runs more', async () => {
      await using fleet = open()
      const light = await fleet.join({ cluster: { weight: 1 } })
      const heavy = await fleet.join({ cluster: { weight: 9 } })
      await fleet.env.advance(detectMs)
      const [less, more] = [await fleet.owned(light), await fleet.owned(heavy)]
      expect(less.length + more.length).toBe(fleet.shards.length)
      expect(more.length).toBeGreaterThan(less.length)
    })
  })

  describe('a word that is lost', () => {
    const deaf = (member: Member): void => {
      member.store.fault = (call) => {
        if (call === 'notify') throw new Error('lost')
        return undefined
      }
    }

    test('costs at most the time after which hosts look by themselves', async () => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const key = await fleet.keyOn(two, 'book')
      deaf(one)
      await add(one, key, 1)
      await fleet.settle()
      await fleet.env.advance(lookMs)
      expect(await added(one, key)).toEqual([1])
    })

    test('also for what came along a lane', async () => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const from = await fleet.keyOn(one, 'clerk')
      const to = await fleet.keyOn(two, 'till')
      deaf(one)
      deaf(two)
      await one.host.send(Clerk.at(from), { type: 'Tell', to, n: 1 })
      await fleet.env.advance(lookMs)
      expect((await one.host.read(till.at(to)))?.context.rung).toEqual([1])
      await rests(fleet)
    })

    test('and who asked may ask again under the key', async () => {
      await using fleet = open()
      const [one, two] = (await fleet.start(2)) as [Member, Member]
      const key = await fleet.keyOn(two, 'book')
      const options = { idempotencyKey: keyOf(fleet, 'once'), timeoutMs: 2_000 }
      deaf(two)
      const ask = (host: Host) => host.ask(Book.at(key), { type: 'Add', n: 1 }, options)
      const first = expect(ask(one.host)).rejects.toMatchObject({ code: 'ASK_TIMEOUT' })
      await fleet.env.advance(3_000)
      await first
      expect(await ask(one.host)).toEqual({ type: 'Sum', sum: 1 })
      await rests(fleet)
    })
  })

  test('G15: a receiver that lost what it was handed lately gets it again, though its sender has forgotten it and nobody reads there', async () => {
    let isLost = true
    /** What a server answers that loses its last moments when its replica takes over. */
    const losing = (): OpenStore => {
      const opened = under.open()
      const lanes = opened.store.lanes as Lanes
      const deliver = lanes.deliver.bind(lanes)
      lanes.deliver = async (consignments) =>
        isLost
          ? consignments.map(({ messages }) => ({
              outcome: 'delivered',
              mark: messages.at(-1)?.number ?? 0,
              accepted: [],
            }))
          : deliver(consignments)
      return opened
    }
    await using fleet = new Fleet({ ...under, open: losing }, entities)
    const [one, two] = (await fleet.start(2)) as [Member, Member]
    const from = await fleet.keyOn(one, 'clerk')
    const to = await fleet.keyOn(two, 'till')
    for (const n of [1, 2, 3]) await one.host.send(Clerk.at(from), { type: 'Tell', to, n })
    await fleet.settle()
    const heads = await one.store.lanes?.heads([fleet.shardOf(entityId('clerk', from))])
    expect(heads).toMatchObject([{ number: 3, trimmed: 3 }])
    isLost = false
    const reads = [one, two].map(({ store }) => store.calls.get('departures'))
    await fleet.env.advance(4 * lookMs)
    expect((await two.host.read(till.at(to)))?.context.rung).toEqual([1, 2, 3])
    expect([one, two].map(({ store }) => store.calls.get('departures'))).toEqual(reads)
    expect([one, two].flatMap((member) => toldBy(member, 'history-lost'))).toEqual([])
  })
})
