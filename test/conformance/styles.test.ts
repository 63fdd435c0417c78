// styles.test.ts: the five ways in which entities and clients talk, each as a small system of machines.
import { contract, defineAggregate, defineSaga, effect, follow, idempotencyKey } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, emit, enqueueActions, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Site } from './site.ts'
import { storesUnderTest } from './stores.ts'

const Meter = contract('meter', {
  commands: { Add: z.object({ by: z.number() }), Read: z.object({}), Close: z.object({}) },
  replies: { Total: z.object({ total: z.number() }) },
})
const meter = defineAggregate(
  Meter,
  setup({ types: Meter.types<{ total: number }>() }).createMachine({
    context: { total: 0 },
    initial: 'running',
    states: {
      running: {
        on: {
          Add: { actions: assign({ total: ({ context, event }) => context.total + event.by }) },
          Read: { actions: Meter.reply(({ context }) => ({ type: 'Total', total: context.total })) },
          Close: 'closed',
        },
      },
      closed: { type: 'final' },
    },
  }),
)

describe.each(storesUnderTest)('one-way, on $name', (kind) => {
  test('G1: a command has its effect exactly once, and its sender waits for its durability only', async () => {
    await using site = new Site(kind)
    const host = await site.host([meter])
    const receipts = await Promise.all([1, 2, 3].map((by) => host.send(Meter.at('a'), { type: 'Add', by })))
    await host.drain()
    expect(new Set(receipts.map(({ message }) => message)).size).toBe(3)
    expect((await host.read(meter.at('a')))?.context).toEqual({ total: 6 })
  })

  test('G1: what one entity sends to another has its effect exactly once, in another host if need be', async () => {
    await using site = new Site(kind)
    const Splitter = contract('splitter', { commands: { Split: z.object({ cents: z.number() }) } })
    const splitter = defineAggregate(
      Splitter,
      setup({ types: Splitter.types<Record<string, never>>() }).createMachine({
        context: {},
        on: {
          Split: {
            actions: enqueueActions(({ event, enqueue }) => {
              for (const half of ['left', 'right']) enqueue.sendTo(Meter.at(half), { type: 'Add', by: event.cents / 2 })
            }),
          },
        },
      }),
      { sends: [Meter] },
    )
    const host = await site.host([meter, splitter])
    await host.send(Splitter.at('s'), { type: 'Split', cents: 10 })
    await host.drain()
    const next = await site.host([meter, splitter])
    await next.drain()
    const views = await Promise.all(['left', 'right'].map((key) => next.read(meter.at(key))))
    expect(views.map((view) => view?.context.total)).toEqual([5, 5])
  })
})

describe.each(storesUnderTest)('request and reply, on $name', (kind) => {
  test('ask gives the reply of the very turn that its command took', async () => {
    await using site = new Site(kind)
    const host = await site.host([meter])
    const answers = await Promise.all([
      host.ask(Meter.at('a'), { type: 'Read' }),
      host.ask(Meter.at('a'), { type: 'Add', by: 2 }),
      host.ask(Meter.at('a'), { type: 'Read' }),
      host.ask(Meter.at('b'), { type: 'Read' }),
    ])
    expect(answers).toEqual([
      { type: 'Total', total: 0 },
      undefined,
      { type: 'Total', total: 2 },
      { type: 'Total', total: 0 },
    ])
  })

  test('many questions at once get each its own answer', async () => {
    await using site = new Site(kind)
    const host = await site.host([meter])
    const numbers = Array.from({ length: 500 }, (_, index) => index)
    await Promise.all(numbers.map((by) => host.ask(Meter.at(`${by}`), { type: 'Add', by })))
    const answers = await Promise.all(numbers.map((by) => host.ask(Meter.at(`${by}`), { type: 'Read' })))
    expect(answers.map((answer) => answer?.total)).toEqual(numbers)
  })

  test('ask throws MESSAGE_REFUSED where the entity has no transition, and the entity is as it was', async () => {
    await using site = new Site(kind)
    const host = await site.host([meter])
    await host.ask(Meter.at('a'), { type: 'Close' })
    await expect(host.ask(Meter.at('a'), { type: 'Read' })).rejects.toMatchObject({ code: 'MESSAGE_REFUSED' })
    expect((await host.read(meter.at('a')))?.value).toBe('closed')
  })
})

const Shop = contract('shop', {
  commands: { Quote: z.object({ item: z.string() }) },
  replies: { Price: z.object({ item: z.string(), cents: z.number() }) },
})
const shop = defineAggregate(
  Shop,
  setup({ types: Shop.types<{ quotes: number }>() }).createMachine({
    context: { quotes: 0 },
    on: {
      Quote: {
        actions: [
          assign({ quotes: ({ context }) => context.quotes + 1 }),
          Shop.reply(({ event }) => ({ type: 'Price', item: event.item, cents: event.item.length * 100 })),
        ],
      },
    },
  }),
)
const Buyer = contract('buyer', {
  commands: { Want: z.object({ item: z.string() }) },
  events: { Wanted: z.object({ item: z.string() }) },
})
const buyer = defineAggregate(
  Buyer,
  setup({ types: Buyer.types<{ prices: Record<string, number> }, typeof Shop>() }).createMachine({
    context: { prices: {} },
    on: {
      Want: {
        actions: [
          sendTo(Shop.at('corner'), ({ event }) => ({ type: 'Quote', item: event.item })),
          emit(({ event }) => ({ type: 'Wanted', item: event.item })),
        ],
      },
      'shop.Price': {
        actions: assign({ prices: ({ context, event }) => ({ ...context.prices, [event.item]: event.cents }) }),
      },
    },
  }),
  { sends: [Shop], ignores: ['shop.rejected'] },
)

describe.each(storesUnderTest)('asynchronous reply between entities, on $name', (kind) => {
  test('an aggregate gets the answer to its command as a message of its own', async () => {
    await using site = new Site(kind)
    const host = await site.host([buyer, shop])
    await host.send(Buyer.at('ann'), { type: 'Want', item: 'pear' })
    await host.send(Buyer.at('bob'), { type: 'Want', item: 'fig' })
    await host.send(Buyer.at('bob'), { type: 'Want', item: 'melon' })
    await host.drain()
    expect((await host.read(buyer.at('ann')))?.context.prices).toEqual({ pear: 400 })
    expect((await host.read(buyer.at('bob')))?.context.prices).toEqual({ fig: 300, melon: 500 })
    expect((await host.read(shop.at('corner')))?.context.quotes).toBe(3)
  })

  test('a saga gets the answer to its command, and goes on with it', async () => {
    await using site = new Site(kind)
    const follows = follow(Buyer.event('Wanted').bySource().starts())
    const purchase = defineSaga(
      'purchase',
      follows,
      setup({ types: follows.types<{ item: string; cents: number }, typeof Shop>() }).createMachine({
        context: ({ input }) => ({ item: input.message.item, cents: 0 }),
        initial: 'asking',
        states: {
          asking: {
            entry: sendTo(Shop.at('corner'), ({ context }) => ({ type: 'Quote', item: context.item })),
            on: { 'shop.Price': { target: 'bought', actions: assign({ cents: ({ event }) => event.cents }) } },
          },
          bought: { type: 'final' },
        },
      }),
      { sends: [Shop] },
    )
    const host = await site.host([buyer, shop, purchase])
    await host.publish(Buyer.at('cy'), { type: 'Wanted', item: 'plum' })
    await host.drain()
    expect(await host.read(purchase.at('cy'))).toMatchObject({ value: 'bought', context: { cents: 400 } })
  })
})

const Oven = contract('oven', {
  commands: { Bake: z.object({ loaves: z.number() }), Fetch: z.object({}), Stop: z.object({}) },
  replies: { Bread: z.object({ loaves: z.number() }) },
})
const ovenWith = (bring: () => Promise<number>) =>
  defineAggregate(
    Oven,
    setup({ types: Oven.types<{ loaves: number }>(), actors: { bring: effect<null, number>(bring) } }).createMachine({
      context: { loaves: 0 },
      initial: 'cold',
      states: {
        cold: {
          on: { Bake: { target: 'hot', actions: assign({ loaves: ({ event }) => event.loaves }) }, Fetch: 'fetching' },
        },
        hot: {
          on: { Stop: 'cold' },
          after: {
            60000: {
              target: 'cold',
              actions: Oven.reply(({ context }) => ({ type: 'Bread', loaves: context.loaves })),
            },
          },
        },
        fetching: {
          on: { Stop: 'cold' },
          invoke: {
            src: 'bring',
            input: null,
            onDone: [
              { guard: ({ event }) => event.output === 0, target: 'cold' },
              { target: 'cold', actions: Oven.reply(({ event }) => ({ type: 'Bread', loaves: event.output })) },
            ],
          },
        },
      },
    }),
    { ignores: ['Stop'] },
  )

describe.each(storesUnderTest)('an answer given in a later turn, on $name', (kind) => {
  const oven = ovenWith(async () => 7)

  test('ask gets what a timer answers, when it is due', async () => {
    await using site = new Site(kind)
    const host = await site.host([oven])
    const bread = host.ask(Oven.at('a'), { type: 'Bake', loaves: 3 }, { timeoutMs: 120_000 })
    await site.env.advance(0)
    await site.env.advance(59_000)
    expect(site.told('turn').map(({ type }) => type)).toEqual(['Bake'])
    await site.env.advance(2_000)
    expect(await bread).toEqual({ type: 'Bread', loaves: 3 })
  })

  test('ask gets what an effect answers, when it has ended', async () => {
    await using site = new Site(kind)
    const host = await site.host([oven])
    expect(await host.ask(Oven.at('a'), { type: 'Fetch' })).toEqual({ type: 'Bread', loaves: 7 })
  })

  test('ask gets what the entity answers to a message that it sends to itself, at once or later', async () => {
    await using site = new Site(kind)
    const Clerk = contract('clerk', {
      commands: { Ask: z.object({ delay: z.number() }), Dodge: z.object({}) },
      replies: { Answer: z.object({ after: z.number() }) },
    })
    const clerk = defineAggregate(
      Clerk,
      setup({
        types: Clerk.types<{ delay: number }, never, { type: 'Look' } | { type: 'Shrug' }>(),
        delays: { given: ({ context }) => context.delay },
      }).createMachine({
        context: { delay: 0 },
        on: {
          Ask: [
            {
              guard: ({ event }) => event.delay > 0,
              actions: [
                assign({ delay: ({ event }) => event.delay }),
                sendTo(({ self }) => self, { type: 'Look' }, { delay: 'given' }),
              ],
            },
            { actions: sendTo(({ self }) => self, { type: 'Look' }) },
          ],
          Dodge: { actions: sendTo(({ self }) => self, { type: 'Shrug' }) },
          Look: { actions: Clerk.reply(({ context }) => ({ type: 'Answer', after: context.delay })) },
          Shrug: {},
        },
      }),
    )
    const host = await site.host([clerk], { groupTurns: 1 })
    const options = { idempotencyKey: idempotencyKey('a', { at: site.env.now() }) }
    const answers = Promise.all([
      host.ask(Clerk.at('a'), { type: 'Ask', delay: 0 }, options),
      host.ask(Clerk.at('b'), { type: 'Ask', delay: 5_000 }),
      host.ask(Clerk.at('c'), { type: 'Dodge' }),
    ])
    await site.env.advance(0)
    await site.env.advance(5_000)
    expect(await answers).toEqual([{ type: 'Answer', after: 0 }, { type: 'Answer', after: 5_000 }, undefined])
    const again = await site.host([clerk])
    expect(await again.ask(Clerk.at('a'), { type: 'Ask', delay: 0 }, options)).toEqual({ type: 'Answer', after: 0 })
  })

  test('ask gets undefined as soon as nothing is left that could answer', async () => {
    await using site = new Site(kind)
    const host = await site.host([ovenWith(async () => 0)])
    expect(await host.ask(Oven.at('a'), { type: 'Fetch' })).toBeUndefined()
    const bread = host.ask(Oven.at('b'), { type: 'Bake', loaves: 3 })
    await host.send(Oven.at('b'), { type: 'Stop' })
    expect(await bread).toBeUndefined()
  })

  test('G10: a client that asks again with its key gets the late answer, although the host was another then', async () => {
    await using site = new Site(kind)
    const key = idempotencyKey('bake', { at: site.env.now() })
    const host = await site.host([oven])
    await host.send(Oven.at('a'), { type: 'Bake', loaves: 3 }, { idempotencyKey: key })
    const next = await site.host([oven])
    await site.env.advance(61_000)
    expect(await next.ask(Oven.at('a'), { type: 'Bake', loaves: 3 }, { idempotencyKey: key })).toEqual({
      type: 'Bread',
      loaves: 3,
    })
    expect((await next.read(oven.at('a')))?.value).toBe('cold')
  })

  test('an entity gets it as a message, although the host was another when it asked', async () => {
    await using site = new Site(kind)
    const Baker = contract('baker', { commands: { Start: z.object({}), Fetch: z.object({}) } })
    const baker = defineAggregate(
      Baker,
      setup({ types: Baker.types<{ loaves: number[] }, typeof Oven>() }).createMachine({
        context: { loaves: [] },
        on: {
          Start: { actions: sendTo(Oven.at('hot'), { type: 'Bake', loaves: 5 }) },
          Fetch: { actions: sendTo(Oven.at('far'), { type: 'Fetch' }) },
          'oven.Bread': { actions: assign({ loaves: ({ context, event }) => [...context.loaves, event.loaves] }) },
        },
      }),
      { sends: [Oven], ignores: ['oven.rejected'] },
    )
    const host = await site.host([oven, baker])
    await host.send(Baker.at('ann'), { type: 'Start' })
    await host.send(Baker.at('ann'), { type: 'Fetch' })
    await host.drain()
    const next = await site.host([oven, baker])
    await site.env.advance(61_000)
    expect((await next.read(baker.at('ann')))?.context.loaves).toEqual([7, 5])
  })
})

const Order = contract('order', {
  commands: { Submit: z.object({ customer: z.string() }) },
  events: { Submitted: z.object({ customer: z.string() }) },
})
const order = defineAggregate(
  Order,
  setup({ types: Order.types<Record<string, never>>() }).createMachine({
    context: {},
    on: { Submit: { actions: emit(({ event }) => ({ type: 'Submitted', customer: event.customer })) } },
  }),
)
const bySource = follow(Order.event('Submitted').bySource().starts())
const byCustomer = follow(Order.event('Submitted').by('customer').starts())
const once = (name: string) =>
  defineSaga(
    name,
    bySource,
    setup({ types: bySource.types<{ seen: number }>() }).createMachine({
      context: { seen: 1 },
      on: { 'order.Submitted': { actions: assign({ seen: ({ context }) => context.seen + 1 }) } },
    }),
  )
const billing = once('billing')
const shipping = once('shipping')
const loyalty = defineSaga(
  'loyalty',
  byCustomer,
  setup({ types: byCustomer.types<{ orders: number }>() }).createMachine({
    context: { orders: 1 },
    on: { 'order.Submitted': { actions: assign({ orders: ({ context }) => context.orders + 1 }) } },
  }),
)

describe.each(storesUnderTest)('publish and subscribe, on $name', (kind) => {
  const entities = [order, billing, shipping, loyalty]

  test('G1: each follower of an event gets it exactly once, found by its own property', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    await host.send(Order.at('1'), { type: 'Submit', customer: 'ann' })
    await host.send(Order.at('2'), { type: 'Submit', customer: 'ann' })
    await host.drain()
    expect((await host.read(billing.at('1')))?.context.seen).toBe(1)
    expect((await host.read(shipping.at('2')))?.context.seen).toBe(1)
    expect((await host.read(loyalty.at('ann')))?.context.orders).toBe(2)
  })

  test('G3: an event published from outside reaches all followers or none', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    site.store.fail(new Error('the disk is away'))
    const about = Order.at('1')
    await expect(host.publish(about, { type: 'Submitted', customer: 'ann' })).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
    await site.env.advance(1_000)
    await host.drain()
    const read = () =>
      Promise.all([host.read(billing.at('1')), host.read(shipping.at('1')), host.read(loyalty.at('ann'))])
    expect(await read()).toEqual([undefined, undefined, undefined])
    await host.publish(about, { type: 'Submitted', customer: 'ann' })
    await host.drain()
    expect((await read()).map((view) => view?.version)).toEqual([1, 1, 1])
  })

  test('all that follows from one published event belongs to one chain', async () => {
    await using site = new Site(kind)
    const host = await site.host(entities)
    const { message } = await host.publish(Order.at('1'), { type: 'Submitted', customer: 'ann' })
    await host.drain()
    expect(site.told('turn').map(({ correlationId }) => correlationId)).toEqual([message, message, message])
  })

  test('G11: a follower that can not take an event keeps it from no other', async () => {
    await using site = new Site(kind)
    const broken = defineSaga(
      'broken',
      bySource,
      setup({ types: bySource.types<Record<string, never>>() }).createMachine({
        context: () => {
          throw new Error('broken')
        },
      }),
    )
    const host = await site.host([broken, ...entities])
    await host.publish(Order.at('1'), { type: 'Submitted', customer: 'ann' })
    await site.env.advance(10_000)
    expect((await host.read(billing.at('1')))?.context.seen).toBe(1)
    expect(await host.parked.list()).toMatchObject([{ entity: 'broken/1', code: 'MACHINE_FAILED' }])
  })
})

const Tender = contract('tender', {
  commands: { Open: z.object({ item: z.string() }), Best: z.object({}) },
  events: { Requested: z.object({ item: z.string() }) },
  replies: { Winner: z.object({ supplier: z.string(), cents: z.number() }) },
})
const Supplier = (name: string) => contract(name, { replies: { Offer: z.object({ cents: z.number() }) } })
const [Near, Far, Dear] = [Supplier('near'), Supplier('far'), Supplier('dear')]
const requests = follow(Tender.event('Requested').bySource().starts())
const supplier = (of: ReturnType<typeof Supplier>, cents: number) =>
  defineSaga(
    of,
    requests,
    setup({ types: requests.types<Record<string, never>, never, never, typeof of>() }).createMachine({
      context: {},
      entry: of.reply({ type: 'Offer', cents }),
    }),
  )

describe.each(storesUnderTest)('scatter and gather, on $name', (kind) => {
  test('a saga with a contract of its own publishes a request and gathers what comes back', async () => {
    await using site = new Site(kind)
    type Replies = typeof Near | typeof Far | typeof Dear
    const closes = follow(Order.event('Submitted').bySource().starts())
    const tender = defineSaga(
      Tender,
      closes,
      setup({
        types: closes.types<{ item: string; offers: [string, number][] }, Replies, never, typeof Tender>(),
        actions: {
          note: assign({
            offers: ({ context }, { from, cents }: { from: string; cents: number }) => [
              ...context.offers,
              [from, cents] as [string, number],
            ],
          }),
        },
      }).createMachine({
        context: { item: '', offers: [] },
        initial: 'new',
        states: {
          new: {
            on: {
              Open: { target: 'gathering', actions: emit(({ event }) => ({ type: 'Requested', item: event.item })) },
            },
          },
          gathering: {
            on: {
              'near.Offer': {
                actions: { type: 'note', params: ({ event }) => ({ from: 'near', cents: event.cents }) },
              },
              'far.Offer': { actions: { type: 'note', params: ({ event }) => ({ from: 'far', cents: event.cents }) } },
              'dear.Offer': {
                actions: { type: 'note', params: ({ event }) => ({ from: 'dear', cents: event.cents }) },
              },
            },
            always: { guard: ({ context }) => context.offers.length === 3, target: 'decided' },
          },
          decided: {
            on: {
              Best: {
                actions: Tender.reply(({ context }) => {
                  const [supplier, cents] = context.offers.toSorted(([, one], [, two]) => one - two)[0] ?? ['', 0]
                  return { type: 'Winner', supplier, cents }
                }),
              },
            },
          },
        },
      }),
      { ignores: ['order.Submitted'] },
    )
    const host = await site.host([order, tender, supplier(Near, 30), supplier(Far, 20), supplier(Dear, 90)])
    await host.send(Tender.at('7'), { type: 'Open', item: 'pear' })
    await host.drain()
    expect(await host.ask(Tender.at('7'), { type: 'Best' })).toEqual({ type: 'Winner', supplier: 'far', cents: 20 })
  })
})
