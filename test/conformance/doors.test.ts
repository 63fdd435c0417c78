// doors.test.ts: what is refused at every door through which a message comes in, and that a refusal disturbs nobody.
import {
  type Address,
  contract,
  defineAggregate,
  defineSaga,
  type EntityId,
  type Envelope,
  type ErrorCode,
  encodeEnvelope,
  entityId,
  follow,
  type HostId,
  InterstateError,
  idempotencyKey,
  type MessageId,
  partitionOf,
  partitionsOf,
  type StoreDriver,
  type StoredMessage,
  shardOf,
} from '@interstate/core'
import type { Host } from '@interstate/runtime'
import { describe, expect, test } from 'vitest'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Site } from './site.ts'
import { storesUnderTest } from './stores.ts'

const Box = contract('box', {
  commands: { Put: z.object({ what: z.unknown() }), Seal: z.object({ by: z.string().min(1).optional() }) },
  events: { Filled: z.object({ what: z.unknown(), owner: z.string() }) },
})
const box = defineAggregate(
  Box,
  setup({ types: Box.types<{ count: number }>() }).createMachine({
    context: { count: 0 },
    initial: 'open',
    states: {
      open: {
        on: {
          Put: {
            actions: [
              assign({ count: ({ context }) => context.count + 1 }),
              emit({ type: 'Filled', what: 1, owner: 'nobody' }),
            ],
          },
          Seal: 'sealed',
        },
      },
      sealed: { type: 'final' },
    },
  }),
)
const fills = follow(Box.event('Filled').by('owner').starts())
const ledger = defineSaga(
  'ledger',
  fills,
  setup({ types: fills.types<{ lines: number }>() }).createMachine({
    context: { lines: 1 },
    on: { 'box.Filled': { actions: assign({ lines: ({ context }) => context.lines + 1 }) } },
  }),
)
const Elsewhere = contract('elsewhere', { commands: { Put: z.object({}) } })

const deep = (levels: number): unknown => (levels === 0 ? 0 : { in: deep(levels - 1) })
const cyclic = (): unknown => {
  const ring: Record<string, unknown> = {}
  ring.again = ring
  return ring
}
class Chest {
  readonly what = 1
}

/** What nobody may put into a payload, at whichever door. */
const refusedPayloads: readonly (readonly [what: string, payload: () => unknown, code: ErrorCode])[] = [
  ['a function', () => () => 1, 'NOT_PLAIN_DATA'],
  ['a bigint', () => 1n, 'NOT_PLAIN_DATA'],
  ['a symbol', () => Symbol('s'), 'NOT_PLAIN_DATA'],
  ['a Date', () => new Date(0), 'NOT_PLAIN_DATA'],
  ['a Map', () => new Map(), 'NOT_PLAIN_DATA'],
  ['an instance of a class', () => new Chest(), 'NOT_PLAIN_DATA'],
  ['a number that JSON does not know', () => Number.NaN, 'NOT_PLAIN_DATA'],
  ['a cycle', cyclic, 'LIMIT_EXCEEDED'],
  ['a property that reaches the prototype', () => JSON.parse('{"__proto__":{"isAdmin":true}}'), 'NOT_PLAIN_DATA'],
  ['a constructor', () => ({ constructor: { prototype: { isAdmin: true } } }), 'NOT_PLAIN_DATA'],
  ['33 levels', () => deep(33), 'LIMIT_EXCEEDED'],
  ['10,000 values', () => Array.from({ length: 10_000 }, () => 0), 'LIMIT_EXCEEDED'],
  ['262,145 characters', () => 'x'.repeat(262_145), 'LIMIT_EXCEEDED'],
]
/** Types that no contract has. */
const refusedTypes: readonly (readonly [type: unknown, code: ErrorCode])[] = [
  ['xstate.done.actor.pay', 'MESSAGE_RESERVED'],
  ['xstate.init', 'MESSAGE_RESERVED'],
  ['Burn', 'MESSAGE_UNKNOWN'],
  ['toString', 'MESSAGE_UNKNOWN'],
  ['__proto__', 'MESSAGE_UNKNOWN'],
  ['', 'MESSAGE_UNKNOWN'],
  [undefined, 'MESSAGE_UNKNOWN'],
  [7, 'MESSAGE_UNKNOWN'],
]
/** What is no address of an entity that is hosted here. */
const refusedAddresses: readonly (readonly [what: string, address: () => unknown, code: ErrorCode])[] = [
  ['an entity type that is not hosted', () => Elsewhere.at('a'), 'ENTITY_UNKNOWN'],
  ['a text', () => 'box/a', 'ADDRESS_INVALID'],
  ['nothing', () => undefined, 'ADDRESS_INVALID'],
  ['a look-alike', () => ({ contract: Box, key: 'a', tenant: undefined }), 'ADDRESS_INVALID'],
]
const refusedKeys = ['', 'a/b', 'a{b', 'a}b', 'a\u0000b', 'a\nb', '\ud800', 'x'.repeat(257)]

/** Everything that a store holds of these entities. */
async function heldBy(store: StoreDriver, entities: readonly EntityId[]): Promise<unknown> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard)
  return {
    inbox: await store.inbox(shards, 0, 100),
    entities: (await store.load(partitionsOf(entities, store.shards))).filter((row) => row !== undefined),
    deadLetters: await store.deadLetters(undefined, 100),
    keys: (await store.keys([{ key, shard: 0 }])).filter(({ state }) => state !== 'new'),
  }
}
const key = idempotencyKey('a', { at: Date.UTC(2026, 0, 1) })
const nothing = { inbox: [], entities: [], deadLetters: [], keys: [] }

type Call = (host: Host, to: Address, message: unknown, options?: object) => Promise<unknown>
const doors: readonly (readonly [door: string, call: Call, good: object])[] = [
  ['send', (host, to, message, options) => host.send(to, message as never, options), { type: 'Put', what: 1 }],
  ['ask', (host, to, message, options) => host.ask(to, message as never, options), { type: 'Put', what: 1 }],
  [
    'publish',
    (host, to, message, options) => host.publish(to, message as never, options),
    { type: 'Filled', what: 1, owner: 'ann' },
  ],
]

describe.each(storesUnderTest)('on $name', (kind) => {
  describe.each(doors)('%s', (_, call, good) => {
    /** Makes a bad call among good ones: it is refused, they go through, and nothing of it is stored. */
    async function refuses(bad: (host: Host) => Promise<unknown>, code: ErrorCode): Promise<void> {
      await using site = new Site(kind)
      const host = await site.host([box, ledger])
      const outcome = await bad(host).then(
        () => undefined,
        (error: unknown) => error,
      )
      await host.drain()
      expect(outcome).toBeInstanceOf(InterstateError)
      expect(outcome).toMatchObject({ code })
      expect((outcome as Error).message).toMatch(/\. .*\. \[/)
      expect(await heldBy(site.store, [entityId('box', 'a'), entityId('ledger', 'ann')])).toEqual(nothing)
      const [before, , after] = await Promise.allSettled([
        call(host, Box.at('b') as never, good),
        bad(host),
        call(host, Box.at('b') as never, good),
      ])
      expect([before?.status, after?.status]).toEqual(['fulfilled', 'fulfilled'])
      await host.drain()
      expect(host.counters().turns.handled).toBeGreaterThanOrEqual(2)
      expect(site.told('store-failed')).toEqual([])
    }

    test.each(refusedTypes)('refuses the type %o with %s', (type, code) =>
      refuses((host) => call(host, Box.at('a') as never, { ...good, type }), code),
    )
    test.each(refusedPayloads)('refuses a payload with %s', (_, payload, code) =>
      refuses((host) => call(host, Box.at('a') as never, { ...good, what: payload() }), code),
    )
    test.each([
      ['null', null],
      ['a text', 'Put'],
      ['a number', 7],
    ])('refuses %s for a message', (_, message) =>
      refuses((host) => call(host, Box.at('a') as never, message), 'MESSAGE_UNKNOWN'),
    )
    test.each(refusedAddresses)('refuses %s for an address', (_, address, code) =>
      refuses((host) => call(host, address() as never, good), code),
    )
    test('refuses a malformed idempotency key', () =>
      refuses((host) => call(host, Box.at('a') as never, good, { idempotencyKey: 'mine' }), 'IDEMPOTENCY_KEY_INVALID'))
    test.each([
      ['a bigint', { trace: 1n }, 'NOT_PLAIN_DATA'],
      ['a number', { trace: 1 }, 'NOT_PLAIN_DATA'],
      ['a cycle', cyclic(), 'LIMIT_EXCEEDED'],
      ['262,145 characters', { trace: 'x'.repeat(262_145) }, 'LIMIT_EXCEEDED'],
    ] as const)('refuses headers with %s', (_, headers, code) =>
      refuses((host) => call(host, Box.at('a') as never, good, { headers, idempotencyKey: key }), code),
    )
    test.each([
      [7, 'NOT_PLAIN_DATA'],
      ['', 'LIMIT_EXCEEDED'],
      ['x'.repeat(257), 'LIMIT_EXCEEDED'],
    ] as const)('refuses the correlation id %o', (correlationId, code) =>
      refuses((host) => call(host, Box.at('a') as never, good, { correlationId }), code),
    )
  })

  test.each(refusedKeys)('an address with the key %o can not be made', (wrong) => {
    expect(() => Box.at(wrong)).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }))
    expect(() => Box.at('a', { tenant: wrong })).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }))
  })

  test.each(refusedKeys)('publish refuses an event that leads to the key %o, and stores nothing', async (owner) => {
    await using site = new Site(kind)
    const host = await site.host([box, ledger])
    const event = { type: 'Filled', what: 1, owner } as const
    await expect(host.publish(Box.at('a'), event, { idempotencyKey: key })).rejects.toMatchObject({
      code: 'ADDRESS_INVALID',
    })
    expect(await heldBy(site.store, [])).toEqual(nothing)
  })

  test('send refuses a payload that its schema refuses, and says why', async () => {
    await using site = new Site(kind)
    const host = await site.host([box, ledger])
    const refused = host.send(Box.at('a'), { type: 'Seal', by: '' })
    await expect(refused).rejects.toMatchObject({ code: 'PAYLOAD_INVALID', details: { issues: [{ path: ['by'] }] } })
    expect(await heldBy(site.store, [entityId('box', 'a')])).toEqual(nothing)
  })

  test('a payload at the very limits goes through, and is the same after a restart', async () => {
    await using site = new Site(kind)
    const Keeper = contract('keeper', { commands: { Keep: z.object({ what: z.unknown() }) } })
    const keeper = defineAggregate(
      Keeper,
      setup({ types: Keeper.types<{ kept: unknown }>() }).createMachine({
        context: { kept: null },
        on: { Keep: { actions: assign({ kept: ({ event }) => event.what }) } },
      }),
    )
    const host = await site.host([keeper])
    const whats = {
      deep: deep(31),
      many: Array.from({ length: 9_900 }, (_, index) => index),
      long: 'é\u0000"\\😀'.repeat(43_000),
    }
    for (const [name, what] of Object.entries(whats)) await host.send(Keeper.at(name), { type: 'Keep', what })
    const next = await site.host([keeper])
    for (const [name, what] of Object.entries(whats)) {
      expect((await next.read(keeper.at(name)))?.context.kept).toEqual(what)
    }
  })

  test('payload limits that a person raises hold for what waits in the store as well', async () => {
    await using site = new Site(kind)
    const Keeper = contract('keeper', { commands: { Keep: z.object({ what: z.unknown() }) } })
    const keeperIn = (state: 'open' | 'shut') =>
      defineAggregate(
        Keeper,
        setup({ types: Keeper.types<{ kept: number }>() }).createMachine({
          version: state,
          context: { kept: 0 },
          initial: state,
          states: {
            open: { on: { Keep: { actions: assign({ kept: ({ context }) => context.kept + 1 }) } } },
            shut: {},
          },
        }),
        { unhandled: 'park' },
      )
    const policies = { payload: { maxDepth: 1_000, maxNodes: 10_000_000, maxChars: 100_000_000 } }
    const host = await site.host([keeperIn('shut')], policies)
    const long = '\u0000'.repeat(900_000)
    let accepted = 0
    for (const what of [
      deep(60),
      deep(900),
      'x'.repeat(900_000),
      long,
      'x'.repeat(20_000_000),
      Array(90_000).fill(0),
    ]) {
      const sent = host.send(Keeper.at('a'), { type: 'Keep', what })
      const refused = await sent.then(
        () => undefined,
        (error: unknown) => error,
      )
      if (refused === undefined) accepted += 1
      else expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED' })
    }
    expect(accepted).toBe(3)
    const next = await site.host([keeperIn('open')], policies)
    await next.parked.unpark(entityId('keeper', 'a'), 'retry')
    await next.drain()
    expect((await next.read(keeperIn('open').at('a')))?.context.kept).toBe(accepted)
    expect(await next.deadLetters.list()).toEqual([])
  })
})

const Forger = contract('forger', {
  commands: {
    Forge: z.object({ index: z.number() }),
    Emit: z.object({ index: z.number() }),
    Answer: z.object({ index: z.number() }),
    Work: z.object({}),
  },
  events: { Forged: z.object({ what: z.unknown(), by: z.string().optional() }) },
  replies: { Done: z.object({ what: z.unknown(), by: z.string().optional() }) },
})
/** What a machine can try to publish or to answer that it must not. */
const badOutputs: readonly (readonly [what: string, message: () => unknown, code: ErrorCode])[] = [
  ['a type of XState', () => ({ type: 'xstate.stop' }), 'MESSAGE_RESERVED'],
  ['an unknown type', () => ({ type: 'Charge' }), 'MESSAGE_UNKNOWN'],
  ['a payload that does not fit', () => ({ type: 'good', by: 7 }), 'PAYLOAD_INVALID'],
  ...refusedPayloads.map(([what, payload, code]) => [what, () => ({ type: 'good', what: payload() }), code] as const),
]
const outputOf = (index: number, good: string): never => {
  const message = badOutputs[index]?.[1]() as { type: string }
  return { ...message, type: message.type === 'good' ? good : message.type } as never
}
/** What a machine can try to send that it must not: the compiler is told to look away. */
const forgeries: readonly (readonly [
  what: string,
  send: () => readonly [to: unknown, message: unknown],
  code: ErrorCode,
])[] = [
  ['a type of XState', () => [Box.at('a'), { type: 'xstate.done.actor.pay' }], 'MESSAGE_RESERVED'],
  ['an unknown command', () => [Box.at('a'), { type: 'Burn' }], 'MESSAGE_UNKNOWN'],
  ['a payload that does not fit', () => [Box.at('a'), { type: 'Seal', by: 7 }], 'PAYLOAD_INVALID'],
  ['a wrong key', () => [Box.at('a/b'), { type: 'Seal' }], 'ADDRESS_INVALID'],
  ['a contract that it does not list', () => [Elsewhere.at('a'), { type: 'Put' }], 'DEFINITION_INVALID'],
  ['a target that is no address', () => [{ id: 'box/a' }, { type: 'Seal' }], 'NOT_HOSTABLE'],
  ...refusedPayloads.map(
    ([what, payload, code]) =>
      [what, (): readonly [unknown, unknown] => [Box.at('a'), { type: 'Put', what: payload() }], code] as const,
  ),
]
const forger = defineAggregate(
  Forger,
  setup({ types: Forger.types<{ worked: number }>() }).createMachine({
    context: { worked: 0 },
    on: {
      Forge: {
        actions: sendTo(
          ({ event }) => forgeries[event.index]?.[1]()[0] as never,
          ({ event }) => forgeries[event.index]?.[1]()[1] as never,
        ),
      },
      Emit: { actions: emit(({ event }) => outputOf(event.index, 'Forged')) },
      Answer: { actions: Forger.reply(({ event }) => outputOf(event.index, 'Done')) },
      Work: {
        actions: [
          assign({ worked: ({ context }) => context.worked + 1 }),
          sendTo(Box.at('b'), { type: 'Put', what: 1 }),
        ],
      },
    },
  }),
  { sends: [Box] },
)

describe.each(storesUnderTest)('entity to entity, on $name', (kind) => {
  test.each(forgeries.map(([what, , code], index) => [what, code, index] as const))(
    'a machine that sends %s fails with %s: a dead letter, nothing is sent, and it goes on',
    async (_, code, index) => {
      await using site = new Site(kind)
      const host = await site.host([box, ledger, forger])
      await host.send(Forger.at('f'), { type: 'Work' })
      const { message } = await host.send(Forger.at('f'), { type: 'Forge', index })
      await host.send(Forger.at('f'), { type: 'Work' })
      await site.env.advance(0)
      await site.env.advance(20_000)
      expect(await host.deadLetters.list()).toMatchObject([{ id: message, entity: 'forger/f', code }])
      expect((await host.read(forger.at('f')))?.context.worked).toBe(2)
      expect((await host.read(box.at('b')))?.context.count).toBe(2)
      expect(await host.read(box.at('a'))).toBeUndefined()
      expect(site.told('store-failed')).toEqual([])
    },
  )
})

describe.each(storesUnderTest)('what a machine publishes or answers, on $name', (kind) => {
  const outputs = badOutputs.map(([what, , code], index) => [what, code, index] as const)
  test.each(outputs)('with %s fails with %s: a dead letter, nothing leaves, and it goes on', async (_, code, index) => {
    await using site = new Site(kind)
    const host = await site.host([box, ledger, forger], { retry: { attempts: 1 } })
    const asked = [
      host.ask(Forger.at('e'), { type: 'Emit', index }),
      host.ask(Forger.at('r'), { type: 'Answer', index }),
    ]
    for (const each of asked) await expect(each).rejects.toMatchObject({ code: 'MESSAGE_DEAD_LETTERED' })
    expect((await host.deadLetters.list()).map((letter) => letter.code)).toEqual([code, code])
    expect(await host.ask(Forger.at('e'), { type: 'Work' })).toBeUndefined()
    expect(site.told('store-failed')).toEqual([])
  })
})

describe.each(storesUnderTest)('a placement rule, on $name', (kind) => {
  const place = (entity: EntityId): number | undefined => {
    if (entity === 'box/b') throw new Error('no place for b')
    return entity === 'box/c' ? 64 : entity === 'box/d' ? 7 : undefined
  }

  test('that fails for one entity refuses what goes there, at each door, and disturbs nobody', async () => {
    await using site = new Site(kind)
    const host = await site.host([box, ledger, forger], {}, { place })
    const put = { type: 'Put', what: 1 } as const
    for (const key of ['b', 'c']) {
      await expect(host.send(Box.at(key), put)).rejects.toMatchObject({ code: 'DEFINITION_INVALID' })
      await expect(host.ask(Box.at(key), put)).rejects.toMatchObject({ code: 'DEFINITION_INVALID' })
    }
    const { message } = await host.send(Forger.at('f'), { type: 'Work' })
    await Promise.all(['a', 'd'].map((key) => host.send(Box.at(key), put)))
    await site.rest()
    expect(await host.deadLetters.list()).toMatchObject([{ id: message, code: 'DEFINITION_INVALID' }])
    for (const key of ['a', 'd']) expect((await host.read(box.at(key)))?.context.count).toBe(1)
    expect(site.told('store-failed')).toEqual([])
    const { commits = [] } =
      site.store.written.find(({ commits }) => commits.some(({ entity }) => entity === 'box/d')) ?? {}
    expect(commits.find(({ entity }) => entity === 'box/d')?.lease.shard).toBe(7)
  })
})

type Row = Omit<StoredMessage, 'shard'>

/** A stored message as a forger or a newer host would have written it, for any store. */
function row(parts: Partial<Envelope> & { readonly to: EntityId }, body?: string): Row {
  const id = (parts.id ?? `forged-${parts.to}`) as MessageId
  const envelope: Envelope = {
    id,
    kind: 'command',
    from: 'client',
    type: 'Put',
    data: { what: 1 },
    correlationId: id,
    causationId: id,
    created: 0,
    contractVersion: 1,
    ...parts,
  }
  return { id, to: parts.to, body: body ?? encodeEnvelope(envelope) }
}

async function putInto(store: StoreDriver, ...rows: readonly Row[]): Promise<void> {
  const owner = 'forger' as HostId
  const accepted = rows.map((each) => ({ ...each, shard: shardOf(each.to, store.shards), lease: undefined }))
  await store.write({ owner, tag: `forged ${accepted[0]?.id}`, accepted, registrations: [], commits: [], mode: 'each' })
}

const a = entityId('box', 'a')
const forgedRows: readonly (readonly [what: string, row: Row, code: ErrorCode])[] = [
  ['a type of XState', row({ to: a, type: 'xstate.done.actor.pay' }), 'MESSAGE_RESERVED'],
  ['an unknown kind', row({ to: a, kind: 'order' as never }), 'MESSAGE_UNREADABLE'],
  ['broken JSON', row({ to: a }, '{"id":'), 'MESSAGE_UNREADABLE'],
  ['no JSON object', row({ to: a }, 'null'), 'MESSAGE_UNREADABLE'],
  ['a missing field', row({ to: a, correlationId: undefined as never }), 'MESSAGE_UNREADABLE'],
  ['a payload that is a list', row({ to: a, data: [] as never }), 'MESSAGE_UNREADABLE'],
  ['a payload with a type of XState', row({ to: a, data: { type: 'xstate.stop' } }), 'MESSAGE_RESERVED'],
  ['a payload of 70 levels', row({ to: a, data: { what: deep(70) as never } }), 'MESSAGE_UNREADABLE'],
  ['100,000 values', row({ to: a, data: { what: Array(100_000).fill(0) } }), 'MESSAGE_UNREADABLE'],
  ['headers that are no texts', row({ to: a, headers: { trace: 1 as never } }), 'MESSAGE_UNREADABLE'],
  ['a malformed asker', row({ to: a, asker: 'me' as never }), 'MESSAGE_UNREADABLE'],
  ['a payload that reaches the prototype', row({ to: a, data: JSON.parse('{"__proto__":{}}') }), 'MESSAGE_UNREADABLE'],
  [
    'the id of another message',
    { ...row({ to: a }), body: row({ to: a, id: 'other' as MessageId }).body },
    'MESSAGE_UNREADABLE',
  ],
  [
    'the address of another entity',
    { ...row({ to: a }), body: row({ to: entityId('box', 'b') }).body },
    'MESSAGE_UNREADABLE',
  ],
]

describe.each(storesUnderTest)('a row that was put into the inbox of $name by hand', (kind) => {
  test.each(forgedRows)('with %s becomes a dead letter, counted, and its entity goes on', async (_, forged, code) => {
    await using site = new Site(kind)
    await site.byHand((store) =>
      putInto(store, row({ to: a, id: '1' as MessageId }), forged, row({ to: a, id: '2' as MessageId })),
    )
    const host = await site.host([box, ledger])
    await host.send(Box.at('a'), { type: 'Put', what: 1 })
    await host.drain()
    expect((await host.read(box.at('a')))?.context.count).toBe(3)
    expect(await host.deadLetters.list()).toMatchObject([{ id: forged.id, entity: a, code, body: forged.body }])
    expect(host.counters().deadLetters).toBe(1)
    await expect(host.deadLetters.requeue(forged.id)).rejects.toMatchObject({ code: 'REQUEUE_REFUSED' })
    expect(await host.deadLetters.dryRun(forged.id)).toMatchObject({ succeeds: false })
    await host.stop()
    const next = await site.host([box, ledger])
    await next.drain()
    expect(await next.deadLetters.list()).toHaveLength(1)
    expect((await next.read(box.at('a')))?.context.count).toBe(3)
  })

  test.each([
    ['result', { effect: 'pay', key: 'guessed', output: 1 }],
    ['result', {}],
    ['timeout', { timer: 'xstate.after.1.box', generation: 1 }],
    ['timeout', { timer: '__proto__' }],
    ['timeout', {}],
  ] as const)('as a %s that nobody waits for changes nothing, and is counted: %o', async (of, data) => {
    await using site = new Site(kind)
    await site.byHand((store) =>
      putInto(
        store,
        row({ to: a, id: 'unborn' as MessageId, kind: of, type: of, data, from: a }),
        row({ to: a, id: 'birth' as MessageId }),
        row({ to: a, id: 'forged' as MessageId, kind: of, type: of, data, from: a }),
      ),
    )
    const host = await site.host([box, ledger])
    await host.drain()
    expect(await host.read(box.at('a'))).toMatchObject({ value: 'open', context: { count: 1 } })
    expect(host.counters()).toMatchObject({ deadLetters: 0, turns: { unmatched: 1, stale: 1 } })
    expect(await site.store.inboxOf(partitionOf(a, site.store.shards), 0, 10)).toEqual([])
  })

  test('becomes a dead letter in its turn, when its entity was parked or tried again before it', async () => {
    await using site = new Site(kind)
    const Weak = contract('weak', { commands: { Fail: z.object({}), Work: z.object({}) } })
    const weakWith = (poison: 'park' | 'dead-letter') =>
      defineAggregate(
        Weak,
        setup({ types: Weak.types<{ worked: number }>() }).createMachine({
          context: { worked: 0 },
          on: {
            Fail: {
              actions: assign(() => {
                throw new Error('weak')
              }),
            },
            Work: { actions: assign({ worked: ({ context }) => context.worked + 1 }) },
          },
        }),
        { poison },
      )
    const to = entityId('weak', 'w')
    for (const poison of ['park', 'dead-letter'] as const) {
      await site.byHand((store) =>
        putInto(
          store,
          row({ to, id: `fail-${poison}` as MessageId, type: 'Fail', data: {} }),
          row({ to, id: `broken-${poison}` as MessageId }, '{'),
          row({ to, id: `work-${poison}` as MessageId, type: 'Work', data: {} }),
        ),
      )
      const host = await site.host([weakWith(poison)])
      await site.env.advance(0)
      await site.env.advance(20_000)
      if (poison === 'park') await host.parked.unpark(to, 'dead-letter')
      await host.drain()
      const letters = (await host.deadLetters.list()).map(({ id }) => id)
      expect(letters).toEqual(expect.arrayContaining([`fail-${poison}`, `broken-${poison}`]))
    }
    const host = await site.host([weakWith('park')])
    expect((await host.read(weakWith('park').at('w')))?.context).toEqual({ worked: 2 })
  })

  test('for what is no entity at all holds up nobody, and stays', async () => {
    await using site = new Site(kind)
    const nobody = ['%', 'box', 'a/b/c/d', ''] as EntityId[]
    await site.byHand((store) => putInto(store, ...nobody.map((to) => row({ to })), row({ to: a })))
    const host = await site.host([box, ledger])
    await host.drain()
    expect((await host.read(box.at('a')))?.context.count).toBe(1)
    expect(await site.store.inbox(range(64), 0, 100)).toHaveLength(nobody.length)
    expect(site.told('store-failed')).toEqual([])
  })
})

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

const Lamp = contract('lamp', { commands: { Toggle: z.object({}) } })
const lampOf = (version: string, states: 'on-off' | 'lit-dark', migrates: 'migrates' | 'does not migrate') => {
  const [dark, lit] = states === 'on-off' ? ['off', 'on'] : ['dark', 'lit']
  return defineAggregate(
    Lamp,
    setup({
      types: Lamp.types<{ toggles: number }>(),
      actions: { count: assign({ toggles: ({ context }) => context.toggles + 1 }) },
    }).createMachine({
      version,
      context: { toggles: 0 },
      initial: dark,
      states: {
        [dark]: { on: { Toggle: { target: lit, actions: 'count' } } },
        [lit]: { on: { Toggle: { target: dark, actions: 'count' } } },
      },
    }),
    migrates === 'migrates'
      ? { migrate: ({ value, context }) => ({ value: value === 'on' ? 'lit' : 'dark', context }) }
      : {},
  )
}
const lampOne = lampOf('1', 'on-off', 'does not migrate')

describe.each(storesUnderTest)('a snapshot in $name that does not fit', (kind) => {
  test.each([
    ['SNAPSHOT_VERSION_UNKNOWN', lampOf('2', 'lit-dark', 'does not migrate')],
    ['SNAPSHOT_UNREADABLE', lampOf('1', 'lit-dark', 'does not migrate')],
  ] as const)('holds its entity alone with %s, until a host comes that can read it', async (code, unfit) => {
    await using site = new Site(kind)
    const first = await site.host([lampOne, box])
    await first.send(Lamp.at('a'), { type: 'Toggle' })
    await first.drain()
    const second = await site.host([unfit, box])
    await expect(second.read(Lamp.at('a'))).rejects.toMatchObject({ code })
    await second.send(Lamp.at('a'), { type: 'Toggle' })
    await second.send(Lamp.at('a'), { type: 'Toggle' })
    await second.send(Lamp.at('b'), { type: 'Toggle' })
    await second.send(Box.at('b'), { type: 'Put', what: 1 })
    await second.drain()
    expect(site.told('held')).toMatchObject([{ entity: 'lamp/a', error: { code } }])
    expect((await second.read(unfit.at('b')))?.value).toBe('lit')
    expect((await second.read(box.at('b')))?.context.count).toBe(1)
    expect(await site.store.inboxOf(partitionOf(entityId('lamp', 'a'), site.store.shards), 0, 10)).toHaveLength(2)
    expect(second.counters().turns).toMatchObject({ handled: 2 })
    const mended = lampOf('3', 'lit-dark', 'migrates')
    const third = await site.host([mended, box])
    await third.drain()
    expect(await third.read(mended.at('a'))).toMatchObject({ value: 'lit', context: { toggles: 3 } })
    expect(await site.store.inbox(range(64), 0, 10)).toEqual([])
  })

  test.each([
    ['is no snapshot', 'hello'],
    ['is damaged', 'i1:00000000:{}'],
    ['is empty', ''],
  ])('because it %s holds its entity alone, also when a timer or an effect of it is due', async (_, text) => {
    await using site = new Site(kind)
    await site.byHand(async (store) => {
      const owner = 'forger' as HostId
      const { leases } = await store.acquire(owner, range(store.shards))
      const entity = entityId('lamp', 'a')
      const lease = leases[shardOf(entity, store.shards)]
      if (lease === undefined) throw new Error('no lease')
      const commit = { lease, entity, expectedVersion: 0, tag: 'forged', snapshot: text, trouble: undefined, wakeAt: 1 }
      const rest = { unsettled: true, consumed: [], outbox: [], deadLetters: [], replies: [] }
      await store.write({
        owner,
        tag: 'g',
        accepted: [],
        registrations: [],
        commits: [{ ...commit, ...rest }],
        mode: 'each',
      })
      await store.release(leases)
    })
    const host = await site.host([lampOne])
    await host.send(Lamp.at('b'), { type: 'Toggle' })
    await host.drain()
    await expect(host.read(Lamp.at('a'))).rejects.toMatchObject({ code: 'SNAPSHOT_UNREADABLE' })
    expect(site.told('held')).toMatchObject([{ entity: 'lamp/a', error: { code: 'SNAPSHOT_UNREADABLE' } }])
    await host.send(Lamp.at('a'), { type: 'Toggle' })
    await host.drain()
    expect((await host.read(lampOne.at('b')))?.value).toBe('on')
    expect(await site.store.inboxOf(partitionOf(entityId('lamp', 'a'), site.store.shards), 0, 10)).toHaveLength(1)
  })

  test('is found by three hundred entities whose timers are due, and the host still comes to rest', async () => {
    await using site = new Site(kind)
    const Egg = contract('egg', { commands: { Boil: z.object({}) } })
    const eggOf = (version: string) =>
      defineAggregate(
        Egg,
        setup({ types: Egg.types<Record<string, never>>() }).createMachine({
          version,
          context: {},
          initial: 'raw',
          states: { raw: { on: { Boil: 'boiling' } }, boiling: { after: { 1000: 'done' } }, done: {} },
        }),
      )
    const first = await site.host([eggOf('1'), lampOne])
    await Promise.all(range(300).map((each) => first.send(Egg.at(`${each}`), { type: 'Boil' })))
    await first.stop()
    await site.env.advance(2_000)
    const second = await site.host([eggOf('2'), lampOne])
    await second.ask(Lamp.at('a'), { type: 'Toggle' })
    await second.drain()
    expect(site.told('held')).toHaveLength(300)
  })
})

describe.each(storesUnderTest)('what this host does not know, in $name', (kind) => {
  test('messages to an entity type that is no longer hosted are held, and handled once it is hosted again', async () => {
    await using site = new Site(kind)
    const first = await site.host([lampOne, box])
    await first.send(Lamp.at('a'), { type: 'Toggle' })
    await site.byHand((store) => putInto(store, row({ to: entityId('lamp', 'a'), type: 'Toggle', data: {} })))
    const second = await site.host([box])
    await second.drain()
    await expect(second.send(Lamp.at('a'), { type: 'Toggle' })).rejects.toMatchObject({ code: 'ENTITY_UNKNOWN' })
    expect(site.told('held')).toMatchObject([{ entity: 'lamp/a', error: { code: 'ENTITY_UNKNOWN' } }])
    expect(await second.ask(Box.at('b'), { type: 'Put', what: 1 })).toBeUndefined()
    const third = await site.host([lampOne, box])
    await third.drain()
    expect((await third.read(lampOne.at('a')))?.context.toggles).toBe(2)
    expect(await site.store.inbox(range(64), 0, 10)).toEqual([])
  })

  test('G6: a message of a newer contract is held with all that came after it, until a newer host comes', async () => {
    await using site = new Site(kind)
    const queueOf = (version: number) => {
      const Line = contract('line', { version, commands: { Step: z.object({ n: z.number() }) } })
      const line = defineAggregate(
        Line,
        setup({ types: Line.types<{ steps: number[] }>() }).createMachine({
          context: { steps: [] },
          on: { Step: { actions: assign({ steps: ({ context, event }) => [...context.steps, event.n] }) } },
        }),
      )
      return { Line, line }
    }
    const [older, newer] = [queueOf(1), queueOf(2)]
    const to = entityId('line', 'a')
    const step = (n: number, contractVersion: number) =>
      row({ to, id: `${n}` as MessageId, type: 'Step', data: { n }, contractVersion })
    await site.byHand((store) => putInto(store, step(1, 1), step(2, 2), step(3, 1)))
    const first = await site.host([older.line, box])
    await first.drain()
    await first.send(older.Line.at('a'), { type: 'Step', n: 4 })
    await first.send(older.Line.at('b'), { type: 'Step', n: 1 })
    await first.drain()
    expect(site.told('held')).toMatchObject([{ entity: 'line/a', error: { code: 'MESSAGE_VERSION_UNKNOWN' } }])
    expect((await first.read(older.line.at('a')))?.context.steps).toEqual([1])
    expect((await first.read(older.line.at('b')))?.context.steps).toEqual([1])
    const second = await site.host([newer.line, box])
    await second.drain()
    expect((await second.read(newer.line.at('a')))?.context.steps).toEqual([1, 2, 3, 4])
  })

  test('a dead letter for what is not hosted, or of a forged type, is not requeued and stays', async () => {
    await using site = new Site(kind)
    await site.byHand((store) => putInto(store, row({ to: entityId('lamp', 'a'), type: 'xstate.stop', data: {} })))
    const first = await site.host([lampOne])
    await first.drain()
    const [letter] = await first.deadLetters.list()
    const id = letter?.id ?? ('' as MessageId)
    await expect(first.deadLetters.requeue(id)).rejects.toMatchObject({ code: 'REQUEUE_REFUSED' })
    await expect(first.deadLetters.requeue('none' as MessageId)).rejects.toMatchObject({ code: 'DEAD_LETTER_UNKNOWN' })
    const second = await site.host([box])
    await expect(second.deadLetters.requeue(id)).rejects.toBeInstanceOf(InterstateError)
    expect(await second.deadLetters.list()).toMatchObject([{ id, code: 'MESSAGE_RESERVED' }])
  })
})
