// clients.test.ts: what a client outside may rely on: its keys, its order, its receipts, its answers.
import {
  contract,
  defineAggregate,
  defineSaga,
  effect,
  follow,
  type IdempotencyKey,
  InterstateError,
  idempotencyKey,
} from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { describe, expect, test } from 'vitest'
import { assign, emit, setup } from 'xstate'
import { z } from 'zod'
import { Site } from './site.ts'
import { storesUnderTest } from './stores.ts'

let drawn = 0
const Till = contract('till', {
  commands: {
    Pay: z.object({ cents: z.number(), note: z.object({ from: z.string(), to: z.string() }).optional() }),
    /** Its schema gives the same message another payload each time. */
    Stamp: z.object({ at: z.number().default(() => (drawn += 1)) }),
    Wait: z.object({}),
    Break: z.object({}),
  },
  events: { Paid: z.object({ cents: z.number() }) },
  replies: { Receipt: z.object({ number: z.number(), cents: z.number() }) },
})
const till = defineAggregate(
  Till,
  setup({ types: Till.types<{ receipts: number; order: number[] }>() }).createMachine({
    context: { receipts: 0, order: [] },
    initial: 'open',
    states: {
      open: {
        on: {
          Pay: {
            actions: [
              assign({
                receipts: ({ context }) => context.receipts + 1,
                order: ({ context, event }) => [...context.order, event.cents],
              }),
              emit(({ event }) => ({ type: 'Paid', cents: event.cents })),
              Till.reply(({ context, event }) => ({ type: 'Receipt', number: context.receipts, cents: event.cents })),
            ],
          },
          Stamp: { actions: assign({ receipts: ({ context }) => context.receipts + 1 }) },
          Wait: 'waiting',
          Break: {
            actions: assign(() => {
              throw new Error('broken')
            }),
          },
        },
      },
      waiting: {
        after: {
          60000: {
            target: 'open',
            actions: [
              assign({ receipts: ({ context }) => context.receipts + 1 }),
              Till.reply(({ context }) => ({ type: 'Receipt', number: context.receipts, cents: 0 })),
            ],
          },
        },
      },
    },
  }),
)
const paid = follow(Till.event('Paid').bySource().starts())
const watcher = (name: string) =>
  defineSaga(
    name,
    paid,
    setup({ types: paid.types<{ seen: number[] }>() }).createMachine({
      context: ({ input }) => ({ seen: [input.message.cents] }),
      on: { 'till.Paid': { actions: assign({ seen: ({ context, event }) => [...context.seen, event.cents] }) } },
    }),
  )
const audit = watcher('audit')
const books = watcher('books')
const entities = [till, audit, books]
const day = 24 * 60 * 60_000

const receipts = async (host: Host, key = 'a'): Promise<number | undefined> =>
  (await host.read(till.at(key)))?.context.receipts

describe.each(storesUnderTest)('idempotency keys, on $name', (kind) => {
  const keyOf = (site: Site, name = 'pay-1'): IdempotencyKey => idempotencyKey(name, { at: site.env.now() })
  const pay = { type: 'Pay', cents: 5 } as const

  test('G10: a repeated key with the same payload has one effect and the same receipt, however soon or late', async () => {
    await using site = new Site(kind)
    const key = keyOf(site)
    const first = await site.host(entities)
    const send = (host: Host) => host.send(Till.at('a'), pay, { idempotencyKey: key })
    const inOneTick = await Promise.all([send(first), send(first), send(first)])
    const later = await send(first)
    const second = await site.host(entities)
    const afterRestart = await send(second)
    await site.env.advance(3 * day)
    const afterDays = await send(second)
    const all = [...inOneTick, later, afterRestart, afterDays]
    expect(new Set(all.map(({ message }) => message)).size).toBe(1)
    expect(all.map(({ duplicate }) => duplicate)).toEqual([false, true, true, true, true, true])
    expect(await receipts(second)).toBe(1)
    expect(first.counters().duplicates + second.counters().duplicates).toBe(5)
    expect(site.told('duplicate')).toHaveLength(5)
  })

  test('G10: a repeated key with the same payload gives the same reply, also after a restart and three days later', async () => {
    await using site = new Site(kind)
    const key = keyOf(site)
    const first = await site.host(entities)
    const ask = (host: Host) => host.ask(Till.at('a'), pay, { idempotencyKey: key })
    const replies = await Promise.all([ask(first), ask(first)])
    await first.ask(Till.at('a'), { type: 'Pay', cents: 9 })
    replies.push(await ask(first))
    const second = await site.host(entities)
    replies.push(await ask(second))
    await site.env.advance(3 * day)
    replies.push(await ask(second))
    expect(replies).toEqual(Array(5).fill({ type: 'Receipt', number: 1, cents: 5 }))
    expect(await receipts(second)).toBe(2)
  })

  test('G10: the payload is what the client wrote: the order of its properties and what a schema adds do not count', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const [one, two] = [keyOf(site, 'one'), keyOf(site, 'two')]
    const notes = [
      { from: 'ann', to: 'bob' },
      { to: 'bob', from: 'ann' },
    ]
    for (const note of notes) await host.send(Till.at('a'), { cents: 5, note, type: 'Pay' }, { idempotencyKey: one })
    for (let call = 0; call < 2; call += 1) await host.send(Till.at('a'), { type: 'Stamp' }, { idempotencyKey: two })
    await host.drain()
    expect(await receipts(host)).toBe(2)
    expect(host.counters().duplicates).toBe(2)
  })

  test('G10: a repeated key with another payload, type or entity is refused, and does not run', async () => {
    await using site = new Site(kind)
    const key = keyOf(site)
    const host = await site.host(entities)
    const options = { idempotencyKey: key }
    const first = host.send(Till.at('a'), pay, options)
    const refused = [
      host.send(Till.at('a'), { type: 'Pay', cents: 6 }, options),
      host.ask(Till.at('a'), { type: 'Stamp' }, options),
      host.ask(Till.at('b'), pay, options),
      host.send(Till.at('a', { tenant: 't' }), pay, options),
      host.publish(Till.at('a'), { type: 'Paid', cents: 5 }, options),
    ]
    await first
    for (const each of [...refused, host.send(Till.at('a'), { type: 'Pay', cents: 6 }, options)]) {
      await expect(each).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    }
    await host.drain()
    expect(await receipts(host)).toBe(1)
    expect(await host.read(till.at('b'))).toBeUndefined()
    expect((await host.read(audit.at('a')))?.context.seen).toEqual([5])
  })

  test.each(['mine', '~a', '12~', '-1~a', '1.5~a', 'x~a', `1~${'x'.repeat(257)}`, '1234567890123456~a', '1~\ud800'])(
    'G10: the malformed key %o is refused, and nothing runs',
    async (wrong) => {
      await using site = new Site(kind)
      const host = await site.host(entities)
      const options = { idempotencyKey: wrong as IdempotencyKey }
      await expect(host.send(Till.at('a'), pay, options)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_INVALID' })
      await expect(host.ask(Till.at('a'), pay, options)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_INVALID' })
      await host.drain()
      expect(await receipts(host)).toBeUndefined()
    },
  )

  test('G10: keys that look alike to a text column are different keys', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const names = ['k', 'K', 'k ', ' k', 'k\u0000a', 'k\u0000b', 'ｋ', 'é', 'e\u0301', '~', 'k~1', '%', 'k\n', "k'"]
    for (const name of names) {
      const { duplicate } = await host.send(Till.at('a'), pay, { idempotencyKey: keyOf(site, name) })
      expect([name, duplicate]).toEqual([name, false])
    }
    const next = await site.host(entities)
    for (const name of names) {
      const idempotencyKey = keyOf(site, name)
      expect(await next.send(Till.at('a'), pay, { idempotencyKey })).toMatchObject({ duplicate: true })
    }
    expect(await receipts(next)).toBe(names.length)
  })

  test('G10: a key before the purge mark is refused and never run, a newer one is unaffected', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const [old, unused] = [keyOf(site, 'old'), keyOf(site, 'unused')]
    await host.send(Till.at('a'), pay, { idempotencyKey: old })
    await site.env.advance(day)
    const fresh = keyOf(site, 'fresh')
    await host.send(Till.at('a'), pay, { idempotencyKey: fresh })
    expect(await host.purge({ before: new Date(site.env.now()) })).toBe(1)
    for (const key of [old, unused]) {
      const refused = { code: 'IDEMPOTENCY_KEY_EXPIRED' }
      await expect(host.send(Till.at('a'), pay, { idempotencyKey: key })).rejects.toMatchObject(refused)
      await expect(host.ask(Till.at('a'), pay, { idempotencyKey: key })).rejects.toMatchObject(refused)
      const event = { type: 'Paid', cents: 1 } as const
      await expect(host.publish(Till.at('a'), event, { idempotencyKey: key })).rejects.toMatchObject(refused)
    }
    expect(await host.send(Till.at('a'), pay, { idempotencyKey: fresh })).toMatchObject({ duplicate: true })
    expect(await receipts(host)).toBe(2)
  })

  test('G10: the purge mark never goes back, not by a call, not by a restart', async () => {
    await using site = new Site(kind)
    const first = await site.host(entities)
    const old = keyOf(site, 'old')
    await site.env.advance(day)
    await first.purge({ before: site.env.now() })
    expect(await first.purge({ before: 0 })).toBe(0)
    for (const before of [Number.NaN, Number.POSITIVE_INFINITY, new Date('never')]) {
      await expect(first.purge({ before })).rejects.toBeInstanceOf(InterstateError)
    }
    const second = await site.host(entities)
    await second.purge({ before: 1 })
    await expect(second.send(Till.at('a'), pay, { idempotencyKey: old })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_EXPIRED',
    })
    expect(await second.send(Till.at('a'), pay, { idempotencyKey: keyOf(site) })).toMatchObject({ duplicate: false })
  })

  test('G10: a call under way when its key is purged has its effect once or is refused, and is never run again', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const key = keyOf(site)
    await site.env.advance(1)
    const sent = host.send(Till.at('a'), pay, { idempotencyKey: key })
    const purged = host.purge({ before: site.env.now() })
    const outcome = await sent.then(
      () => 1,
      () => undefined,
    )
    await purged
    await expect(host.send(Till.at('a'), pay, { idempotencyKey: key })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_EXPIRED',
    })
    expect(await receipts(host)).toBe(outcome)
  })

  test('ask with a key that is repeated while its answer is pending waits for that one answer', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const ask = (timeoutMs?: number) =>
      host.ask(Till.at('a'), { type: 'Wait' }, { idempotencyKey: keyOfWait, ...(timeoutMs && { timeoutMs }) })
    const keyOfWait = keyOf(site, 'wait')
    const first = ask(1_000)
    await site.env.advance(0)
    const second = ask(120_000)
    await site.env.advance(0)
    const timedOut = expect(first).rejects.toMatchObject({ code: 'ASK_TIMEOUT' })
    await site.env.advance(2_000)
    await timedOut
    const third = ask(120_000)
    await site.env.advance(0)
    await site.env.advance(60_000)
    const reply = { type: 'Receipt', number: 1, cents: 0 }
    expect(await Promise.all([second, third, ask()])).toEqual([reply, reply, reply])
    expect(await receipts(host)).toBe(1)
  })

  test('ask whose host stops first says that the message is accepted, and its repetition gets the answer', async () => {
    await using site = new Site(kind)
    const first = await site.host(entities)
    const key = keyOf(site)
    const pending = first.ask(Till.at('a'), { type: 'Wait' }, { idempotencyKey: key })
    await site.env.advance(0)
    const outcome = expect(pending).rejects.toMatchObject({ code: 'ASK_TIMEOUT' })
    const second = await site.host(entities)
    await outcome
    const again = second.ask(Till.at('a'), { type: 'Wait' }, { idempotencyKey: key, timeoutMs: 120_000 })
    await site.env.advance(0)
    await site.env.advance(60_000)
    expect(await again).toEqual({ type: 'Receipt', number: 1, cents: 0 })
    expect(await receipts(second)).toBe(1)
  })

  test.each([
    ['handled without a reply', { type: 'Stamp', at: 1 }, undefined],
    ['refused', { type: 'Stamp', at: 1 }, 'MESSAGE_REFUSED'],
    ['given up', { type: 'Break' }, 'MESSAGE_DEAD_LETTERED'],
  ] as const)(
    'G10: that a message was %s is the same answer each time, also after a restart',
    async (what, message, code) => {
      await using site = new Site(kind)
      const key = keyOf(site)
      const host = await site.host(entities, { retry: { attempts: 1 } })
      if (what === 'refused') await host.send(Till.at('a'), { type: 'Wait' })
      const ask = (on: Host) =>
        on.ask(Till.at('a'), message, { idempotencyKey: key }).then(
          (reply) => ({ reply }),
          (error: InterstateError) => ({ code: error.code }),
        )
      const answers = [await ask(host), await ask(host)]
      answers.push(await ask(await site.host(entities)))
      expect(answers).toEqual(Array(3).fill(code === undefined ? { reply: undefined } : { code }))
    },
  )

  test('G10: publish with a key reaches all followers once, however often it is called and whoever follows by then', async () => {
    await using site = new Site(kind)
    const first = await site.host(entities)
    const key = keyOf(site)
    const publish = (host: Host) => host.publish(Till.at('x'), { type: 'Paid', cents: 3 }, { idempotencyKey: key })
    const calls = await Promise.all([publish(first), publish(first)])
    await first.drain()
    const second = await site.host([...entities, watcher('late')])
    calls.push(await publish(second))
    await second.drain()
    expect(new Set(calls.map(({ message }) => message)).size).toBe(1)
    expect(calls.map(({ duplicate }) => duplicate)).toEqual([false, true, true])
    for (const each of [audit, books]) expect((await second.read(each.at('x')))?.context.seen).toEqual([3])
    expect(await second.read(watcher('late').at('x'))).toBeUndefined()
  })

  test('G10: publish with a key is all or nothing when the store fails, and can be repeated', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const publish = () => host.publish(Till.at('x'), { type: 'Paid', cents: 3 }, { idempotencyKey: key })
    const key = keyOf(site)
    site.store.fail(new InterstateError('STORE_FULL', 'The disk is full.'))
    await expect(publish()).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(await site.store.keys([{ key, shard: 0 }])).toEqual([{ state: 'new' }])
    await site.env.advance(1_000)
    expect(await publish()).toMatchObject({ duplicate: false })
    await host.drain()
    for (const each of [audit, books]) expect((await host.read(each.at('x')))?.context.seen).toEqual([3])
  })
})

describe.each(storesUnderTest)('order, on $name', (kind) => {
  test('G6: messages of one client to one entity are handled in the order sent, with keys among them or not', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities, { groupTurns: 7 })
    const numbers = Array.from({ length: 200 }, (_, index) => index)
    const at = site.env.now()
    const calls = numbers.map((cents) => {
      const options = cents % 3 === 0 ? { idempotencyKey: idempotencyKey(`${cents}`, { at }) } : {}
      const command = { type: 'Pay', cents } as const
      return cents % 5 === 0 ? host.ask(Till.at('a'), command, options) : host.send(Till.at('a'), command, options)
    })
    await Promise.all(calls)
    await host.drain()
    expect((await host.read(till.at('a')))?.context.order).toEqual(numbers)
    expect((await host.read(audit.at('a')))?.context.seen).toEqual(numbers)
  })

  test('G6: through groups that are undone the order holds, in memory and in the inbox', async () => {
    await using site = new Site(kind)
    const Hoard = contract('hoard', { commands: { Grow: z.object({}) } })
    const hoard = defineAggregate(
      Hoard,
      setup({ types: Hoard.types<{ all: string }>() }).createMachine({
        context: { all: '' },
        // Too large for the store: its group is undone, and turns are taken one by one for a while.
        on: { Grow: { actions: assign({ all: 'x'.repeat(17 << 20) }) } },
      }),
    )
    const host = await site.host([...entities, hoard], { groupTurns: 10, verify: 'never' })
    const sent: Promise<unknown>[] = []
    for (let cents = 0; cents < 60; cents += 1) {
      if (cents % 15 === 7) sent.push(host.send(Hoard.at('h'), { type: 'Grow' }))
      sent.push(host.send(Till.at('a'), { type: 'Pay', cents }))
      if (cents % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(sent)
    const stored = site.store.written.flatMap(({ accepted }) => accepted.map(({ body }) => JSON.parse(body)))
    const inboxed = stored.filter(({ type }) => type === 'Pay').map(({ data }) => data.cents as number)
    // By shards no group is undone: each turn stands alone.
    if (kind.scope === 'store') expect(inboxed.length).toBeGreaterThan(0)
    expect(inboxed).toEqual(inboxed.toSorted((one, two) => one - two))
    await site.rest()
    expect((await host.read(till.at('a')))?.context.order).toEqual(Array.from({ length: 60 }, (_, index) => index))
  })
})

describe.each(storesUnderTest)('durability, on $name', (kind) => {
  test('G8: no receipt, reply, effect, custom action or answer leaves before the write has resolved', async () => {
    const outside: string[] = []
    const Bell = contract('bell', {
      commands: { Ring: z.object({}) },
      events: { Rung: z.object({}) },
      replies: { Sound: z.object({}) },
    })
    const bell = defineAggregate(
      Bell,
      setup({
        types: Bell.types<Record<string, never>>(),
        actors: { toll: effect<null, number>(async () => outside.push('effect')) },
      }).createMachine({
        context: {},
        initial: 'still',
        states: {
          still: {
            on: {
              Ring: {
                target: 'rung',
                actions: [Bell.reply({ type: 'Sound' }), emit({ type: 'Rung' }), () => void outside.push('action')],
              },
            },
          },
          rung: { invoke: { src: 'toll', input: null } },
        },
      }),
      { ignores: ['Ring'] },
    )
    await using site = new Site(kind)
    const host = await site.host([bell])
    site.store.hold()
    const calls = [
      host.send(Bell.at('a'), { type: 'Ring' }).then(() => outside.push('receipt')),
      host.ask(Bell.at('b'), { type: 'Ring' }).then(() => outside.push('reply')),
      host
        .send(Bell.at('c'), { type: 'Ring' }, { idempotencyKey: idempotencyKey('c', { at: 1 }) })
        .then(() => outside.push('keyed receipt')),
    ]
    await site.env.advance(10_000)
    const told = site.signals.map(({ signal }) => signal).filter((signal) => signal !== 'shards-taken')
    expect(site.store.held).toBe(1)
    expect(outside).toEqual([])
    expect(told).toEqual(['finding', 'started'])
    expect(await host.read(bell.at('a'))).toBeUndefined()
    site.store.open()
    await Promise.all(calls)
    await host.drain()
    expect(outside.toSorted()).toEqual([
      ...['action', 'action', 'action', 'effect', 'effect', 'effect', 'keyed receipt', 'receipt', 'reply'],
    ])
  })

  test('G8: a call that the store refused has left nothing behind, and may be made again', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const outcomes: unknown[] = []
    for (const error of [new InterstateError('STORE_FULL', 'Full.'), new Error('gone'), new TypeError('a defect')]) {
      site.store.fail(error)
      outcomes.push(await host.ask(Till.at('a'), { type: 'Pay', cents: 1 }).catch(({ code }: InterstateError) => code))
      expect(await receipts(host)).toBeUndefined()
      await site.env.advance(1_000)
    }
    expect(outcomes).toEqual(['STORE_FULL', 'STORE_FAILED', 'STORE_FAILED'])
    expect(await host.ask(Till.at('a'), { type: 'Pay', cents: 1 })).toMatchObject({ number: 1 })
    expect(host.counters().accepted).toBe(1)
  })
})
