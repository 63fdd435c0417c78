// What is wrong does not compile, and what is right needs no annotation: types flow from the schemas of a contract into
// guards, actions, addresses and replies, whatever library made the schemas.
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { assign, emit, not, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'
import {
  type CommandFor,
  contract,
  defineAggregate,
  defineSaga,
  type EventFor,
  effect,
  follow,
  type QualifiedMessage,
  type ReceivedMessage,
  type ReplyFor,
  type SentMessage,
  type View,
} from '../src/index.ts'

const options = { version: 1 } as const
const ByZod = contract('zod', {
  ...options,
  commands: {
    Charge: z.object({
      cents: z.number(),
      currency: z.string().default('EUR'),
      note: z.string().transform((text) => text.length),
    }),
    Void: z.object({}),
  },
  events: { Charged: z.object({ cents: z.number() }) },
  replies: { Receipt: z.object({ id: z.string() }) },
})
const ByValibot = contract('valibot', {
  ...options,
  commands: {
    Charge: v.object({
      cents: v.number(),
      currency: v.optional(v.string(), 'EUR'),
      note: v.pipe(
        v.string(),
        v.transform((text) => text.length),
      ),
    }),
    Void: v.object({}),
  },
  events: { Charged: v.object({ cents: v.number() }) },
  replies: { Receipt: v.object({ id: v.string() }) },
})
const ByArktype = contract('arktype', {
  ...options,
  commands: {
    Charge: type({ cents: 'number', currency: "string = 'EUR'", note: type('string').pipe((text) => text.length) }),
    Void: type({}),
  },
  events: { Charged: type({ cents: 'number' }) },
  replies: { Receipt: type({ id: 'string' }) },
})

type Sent = { type: 'Charge'; cents: number; note: string; currency?: string | undefined } | { type: 'Void' }
type Received = { type: 'Charge'; cents: number; note: number; currency: string } | { type: 'Void' }

describe('payload types flow from the schemas, whatever library made them', () => {
  test('a sender writes what goes into a schema, a receiver sees what comes out of it', () => {
    expectTypeOf<CommandFor<ReturnType<typeof ByZod.at>>>().toEqualTypeOf<Sent>()
    expectTypeOf<CommandFor<ReturnType<typeof ByValibot.at>>>().toEqualTypeOf<Sent>()
    // arktype means exactly optional: a property that is there is no undefined.
    type Exactly = { type: 'Charge'; cents: number; note: string; currency?: string } | { type: 'Void' }
    expectTypeOf<CommandFor<ReturnType<typeof ByArktype.at>>>().toEqualTypeOf<Exactly>()
    expectTypeOf<ReceivedMessage<(typeof ByZod)['commands']>>().toEqualTypeOf<Received>()
    expectTypeOf<ReceivedMessage<(typeof ByValibot)['commands']>>().toEqualTypeOf<Received>()
    expectTypeOf<ReceivedMessage<(typeof ByArktype)['commands']>>().toEqualTypeOf<Received>()
  })

  test('addresses know their commands, events and replies', () => {
    for (const at of [ByZod.at('1'), ByValibot.at('1'), ByArktype.at('1')] as const) {
      expectTypeOf<EventFor<typeof at>>().toEqualTypeOf<{ type: 'Charged'; cents: number }>()
      expectTypeOf<ReplyFor<typeof at>>().toEqualTypeOf<{ type: 'Receipt'; id: string }>()
    }
    expectTypeOf<SentMessage<(typeof ByZod)['events']>>().toEqualTypeOf<{ type: 'Charged'; cents: number }>()
    expectTypeOf<QualifiedMessage<'zod', (typeof ByZod)['events']>>().toEqualTypeOf<{
      type: 'zod.Charged'
      cents: number
    }>()
    const Silent = contract('silent', {})
    expectTypeOf<CommandFor<ReturnType<typeof Silent.at>>>().toEqualTypeOf<never>()
    expectTypeOf<EventFor<ReturnType<typeof Silent.at>>>().toEqualTypeOf<never>()
    expectTypeOf<ReplyFor<ReturnType<typeof Silent.at>>>().toEqualTypeOf<never>()
  })

  test('a machine without a context of its own needs no type argument', () => {
    expectTypeOf(ByZod.types().events).toEqualTypeOf<Received>()
    const follows = follow(ByZod.event('Charged').bySource().starts())
    expectTypeOf(follows.types().events).toEqualTypeOf<{ type: 'zod.Charged'; cents: number }>()
    defineAggregate(ByZod, setup({ types: ByZod.types() }).createMachine({ on: { Charge: {}, Void: {} } }))
    defineSaga('saga', follows, setup({ types: follows.types() }).createMachine({ on: { 'zod.Charged': {} } }))
    // @ts-expect-error an unknown event all the same
    setup({ types: ByZod.types() }).createMachine({ on: { Steal: {} } })
  })

  test('guards, assigns, actions and context see them without annotation', () => {
    setup({
      types: ByZod.types<{ total: number; last: string }>(),
      guards: {
        isLarge: ({ context, event }) => {
          expectTypeOf(context).toEqualTypeOf<{ total: number; last: string }>()
          expectTypeOf(event).toEqualTypeOf<Received>()
          return event.type === 'Charge' && event.cents > 100
        },
      },
    }).createMachine({
      context: ({ input }) => {
        expectTypeOf(input).toEqualTypeOf<{ key: string }>()
        return { total: 0, last: input.key }
      },
      on: {
        Charge: {
          guard: not('isLarge'),
          actions: [
            assign({
              total: ({ context, event }) => context.total + event.cents + event.note,
              last: ({ event }) => event.currency,
            }),
            emit(({ event }) => ({ type: 'Charged', cents: event.cents })),
            ByZod.reply(({ context, event }) => {
              expectTypeOf(context.total).toEqualTypeOf<number>()
              expectTypeOf(event).toEqualTypeOf<Extract<Received, { type: 'Charge' }>>()
              return { type: 'Receipt', id: event.currency }
            }),
            ({ event }) => expectTypeOf(event.type).toEqualTypeOf<'Charge'>(),
          ],
        },
        '*': { actions: ({ event }) => expectTypeOf(event).toEqualTypeOf<Received>() },
      },
    })
  })
})

describe('what is wrong does not compile', () => {
  const machine = setup({ types: ByZod.types<{ n: number }, typeof ByValibot, { type: 'Tick'; at: number }>() })

  test('in a contract', () => {
    // @ts-expect-error a key that is no text
    ByZod.at(42)
    // @ts-expect-error no key
    ByZod.at()
    // @ts-expect-error an event that it does not have
    ByZod.event('Stolen')
    // @ts-expect-error a command is no event
    ByZod.event('Charge')
    // @ts-expect-error a schema that is none
    contract('bad', { commands: { Charge: { cents: 'number' } } })
    // @ts-expect-error a section that it does not have
    contract('bad', { queries: {} })
  })

  test('in a guard', () => {
    setup({
      types: ByZod.types<{ n: number }>(),
      guards: {
        // @ts-expect-error a payload that no command has
        wrong: ({ event }) => event.euros > 1,
        // @ts-expect-error a context that the machine does not have
        other: ({ context }) => context.m > 1,
      },
    })
    machine.createMachine({
      context: { n: 0 },
      on: {
        // @ts-expect-error cents is a number
        Charge: { guard: ({ event }) => event.cents === 'many' },
      },
    })
  })

  test('in a machine: an event that it does not take, a guard or a delay that it does not have', () => {
    // @ts-expect-error an unknown event
    machine.createMachine({ context: { n: 0 }, on: { Steal: {} } })
    // @ts-expect-error a foreign event that it does not wait for
    machine.createMachine({ context: { n: 0 }, on: { 'arktype.Receipt': {} } })
    // @ts-expect-error an unknown guard
    machine.createMachine({ context: { n: 0 }, on: { Charge: { guard: 'nobody' } } })
    // @ts-expect-error an unknown delay
    machine.createMachine({ context: { n: 0 }, entry: raise({ type: 'Tick', at: 1 }, { delay: 'soon' }) })
    // @ts-expect-error a context that is another one
    machine.createMachine({ context: { n: 'zero' } })
    machine.createMachine({
      context: { n: 0 },
      on: { Charge: {}, Void: {}, Tick: {}, 'valibot.Receipt': {}, 'valibot.rejected': {}, 'valibot.*': {}, '*': {} },
    })
  })

  test('in an assign', () => {
    machine.createMachine({
      context: { n: 0 },
      on: {
        // @ts-expect-error currency is a text
        Charge: { actions: assign({ n: ({ event }) => event.currency }) },
      },
    })
    // @ts-expect-error a property that the context does not have
    machine.createMachine({ context: { n: 0 }, entry: assign({ m: 1 }) })
  })

  test('in a raise', () => {
    // @ts-expect-error an unknown event
    machine.createMachine({ context: { n: 0 }, entry: raise({ type: 'Tock' }) })
    // @ts-expect-error a wrong payload
    machine.createMachine({ context: { n: 0 }, entry: raise({ type: 'Tick', at: 'noon' }) })
    machine.createMachine({ context: { n: 0 }, entry: raise({ type: 'Tick', at: 1 }, { delay: 10 }) })
  })

  test('in a sendTo', () => {
    // @ts-expect-error an unknown command
    machine.createMachine({ context: { n: 0 }, entry: sendTo(() => ByZod.at('1'), { type: 'Steal' }) })
    machine.createMachine({
      context: { n: 0 },
      // @ts-expect-error a wrong payload
      entry: sendTo(() => ByZod.at('1'), { type: 'Charge', cents: '1', note: '' }),
    })
    // @ts-expect-error a payload that lacks something
    machine.createMachine({ context: { n: 0 }, entry: sendTo(() => ByZod.at('1'), { type: 'Charge', cents: 1 }) })
    machine.createMachine({
      context: { n: 0 },
      entry: sendTo(
        () => ByZod.at('1'),
        // @ts-expect-error a wrong payload out of a function
        () => ({ type: 'Charge', cents: 1, note: 7 }),
      ),
    })
    // @ts-expect-error an event is no command
    machine.createMachine({ context: { n: 0 }, entry: sendTo(() => ByZod.at('1'), { type: 'Charged', cents: 1 }) })
    machine.createMachine({
      context: { n: 0 },
      entry: sendTo(
        () => ByZod.at('1'),
        ({ context }) => ({ type: 'Charge', cents: context.n, note: '' }),
        { delay: 10, id: 'x' },
      ),
    })
  })

  test('in an emit', () => {
    // @ts-expect-error an unknown event
    machine.createMachine({ context: { n: 0 }, entry: emit({ type: 'Stolen' }) })
    // @ts-expect-error a wrong payload
    machine.createMachine({ context: { n: 0 }, entry: emit({ type: 'Charged', cents: '1' }) })
    // @ts-expect-error a wrong payload out of a function
    machine.createMachine({ context: { n: 0 }, entry: emit(() => ({ type: 'Charged' })) })
    const silent = setup({ types: contract('silent', { commands: { Go: z.object({}) } }).types<{ n: number }>() })
    // @ts-expect-error a contract without events
    silent.createMachine({ context: { n: 0 }, entry: emit({ type: 'Charged', cents: 1 }) })
  })

  test('in a reply', () => {
    // @ts-expect-error an unknown reply
    ByZod.reply({ type: 'Invoice' })
    // @ts-expect-error a wrong payload
    ByZod.reply({ type: 'Receipt', id: 7 })
    machine.createMachine({
      context: { n: 0 },
      // @ts-expect-error a wrong payload out of a function
      entry: ByZod.reply(({ context }) => ({ type: 'Receipt', id: context.n })),
    })
    // @ts-expect-error a contract without replies
    contract('silent', {}).reply({ type: 'Receipt' })
    machine.createMachine({
      context: { n: 0 },
      on: { Charge: { actions: ByZod.reply(({ event }) => ({ type: 'Receipt', id: event.currency })) } },
    })
  })

  test('in follow().by', () => {
    const Order = contract('order', {
      events: {
        Placed: z.object({
          id: z.string(),
          number: z.number(),
          lines: z.array(z.string()),
          maybe: z.string().optional(),
          when: z.object({}),
        }),
      },
    })
    Order.event('Placed').by('id')
    Order.event('Placed').by('number')
    Order.event('Placed').by(({ id, number }) => `${id}-${number}`)
    // @ts-expect-error a property that the event does not have
    Order.event('Placed').by('orderId')
    // @ts-expect-error a list is no key
    Order.event('Placed').by('lines')
    // @ts-expect-error an object is no key
    Order.event('Placed').by('when')
    // @ts-expect-error what may be missing is no key
    Order.event('Placed').by('maybe')
    // @ts-expect-error a function that gives no text
    Order.event('Placed').by(({ number }) => number)
    // @ts-expect-error before it is known how the event finds its saga
    follow(Order.event('Placed'))
  })

  test('in defineAggregate', () => {
    const right = machine.createMachine({ context: { n: 0 } })
    const of = defineAggregate(ByZod, right, { sends: [ByValibot, ByArktype] })
    expectTypeOf<CommandFor<ReturnType<typeof of.at>>>().toEqualTypeOf<Sent>()
    // @ts-expect-error a machine of another contract
    defineAggregate(contract('other', { commands: { Other: z.object({ x: z.number() }) } }), right)
    // @ts-expect-error no machine
    defineAggregate(ByZod, {})
    // @ts-expect-error an unknown policy
    defineAggregate(ByZod, right, { unhandled: 'shrug' })
    // @ts-expect-error what it sends to is a contract
    defineAggregate(ByZod, right, { sends: ['valibot'] })
  })

  test('in defineSaga', () => {
    const follows = follow(ByZod.event('Charged').bySource().starts())
    const right = setup({ types: follows.types<{ n: number }>() }).createMachine({ context: { n: 0 } })
    defineSaga('saga', follows, right)
    // @ts-expect-error what it follows is given by follow()
    defineSaga('saga', [ByZod.event('Charged').bySource().starts()], right)
    // @ts-expect-error a machine that does not take an event that the saga follows
    defineSaga('saga', follow(ByZod.event('Charged').bySource().starts(), ByValibot.event('Charged').bySource()), right)
    // @ts-expect-error a machine that does not take the saga's own commands
    defineSaga(contract('own', { commands: { Go: z.object({ x: z.number() }) } }), follows, right)
    // @ts-expect-error an event that it does not follow
    setup({ types: follows.types<{ n: number }>() }).createMachine({ context: { n: 0 }, on: { 'valibot.Charged': {} } })
  })
})

test('effects: input and output are typed in the machine', () => {
  const charge = effect<{ cents: number }, { receipt: string }>(async ({ input, idempotencyKey, signal }) => {
    expectTypeOf(input).toEqualTypeOf<{ cents: number }>()
    expectTypeOf(idempotencyKey).toEqualTypeOf<string>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    return { receipt: `${input.cents}` }
  })
  const machine = setup({ types: ByZod.types<{ receipt: string; cents: number }>(), actors: { charge } })
  machine.createMachine({
    context: { receipt: '', cents: 1 },
    invoke: {
      src: 'charge',
      input: ({ context }) => ({ cents: context.cents }),
      onDone: { actions: assign({ receipt: ({ event }) => event.output.receipt }) },
    },
  })
  machine.createMachine({
    context: { receipt: '', cents: 1 },
    // @ts-expect-error a wrong input
    invoke: { src: 'charge', input: { cents: 'many' } },
  })
  machine.createMachine({
    context: { receipt: '', cents: 1 },
    invoke: {
      src: 'charge',
      input: { cents: 1 },
      // @ts-expect-error an output that it does not have
      onDone: { actions: assign({ receipt: ({ event }) => event.output.invoice }) },
    },
  })
  machine.createMachine({
    context: { receipt: '', cents: 1 },
    // @ts-expect-error an unknown actor
    invoke: { src: 'refund' },
  })
})

test('a saga of its own contract: it scatters commands, gathers replies, publishes and answers', () => {
  const Supplier = contract('supplier', {
    commands: { Quote: z.object({ sku: z.string() }) },
    replies: { Quoted: z.object({ cents: z.number() }) },
  })
  const Request = contract('request', { events: { Opened: z.object({ id: z.string(), skus: z.array(z.string()) }) } })
  const Tender = contract('tender', {
    commands: { Stop: z.object({ why: z.string() }) },
    events: { Awarded: z.object({ supplier: z.string(), cents: z.number() }) },
    replies: { Stopped: z.object({}) },
  })
  const follows = follow(Request.event('Opened').by('id').starts())
  const machine = setup({
    types: follows.types<{ sku: string; best: number }, typeof Supplier, { type: 'Closed' }, typeof Tender>(),
  }).createMachine({
    context: ({ input }) => {
      // A command brings it to life too: then there is no event.
      expectTypeOf(input).toEqualTypeOf<{
        key: string
        message: { type: 'request.Opened'; id: string; skus: string[] } | undefined
      }>()
      return { sku: input.message?.skus[0] ?? '', best: Number.POSITIVE_INFINITY }
    },
    entry: ['a', 'b', 'c'].map((supplier) =>
      sendTo(
        () => Supplier.at(supplier),
        ({ context }: { context: { sku: string } }) => ({ type: 'Quote' as const, sku: context.sku }),
      ),
    ) as never,
    on: {
      'supplier.Quoted': { actions: assign({ best: ({ context, event }) => Math.min(context.best, event.cents) }) },
      'supplier.rejected': {
        actions: ({ event }) =>
          expectTypeOf(event).toEqualTypeOf<{ type: 'supplier.rejected'; command: string; reason: string }>(),
      },
      Stop: {
        actions: [
          ({ event }) => expectTypeOf(event.why).toEqualTypeOf<string>(),
          Tender.reply({ type: 'Stopped' }),
          raise({ type: 'Closed' }),
        ],
      },
      Closed: { actions: emit(({ context }) => ({ type: 'Awarded', supplier: 'a', cents: context.best })) },
      'request.Opened': {},
    },
  })
  const tender = defineSaga(Tender, follows, machine, { sends: [Supplier] })
  expectTypeOf<CommandFor<ReturnType<typeof tender.at>>>().toEqualTypeOf<{ type: 'Stop'; why: string }>()
  expectTypeOf<ReplyFor<ReturnType<typeof tender.at>>>().toEqualTypeOf<{ type: 'Stopped' }>()

  const types = follows.types<{ n: number }, typeof Supplier, never, typeof Tender>()
  expectTypeOf(types.emitted).toEqualTypeOf<{ type: 'Awarded'; supplier: string; cents: number }>()
  // @ts-expect-error an event that is not its own
  setup({ types }).createMachine({ context: { n: 0 }, entry: emit({ type: 'Opened', id: '1', skus: [] }) })
  // @ts-expect-error a reply that it does not wait for
  setup({ types }).createMachine({ context: { n: 0 }, on: { 'supplier.Sold': {} } })

  const Quiet = contract('quiet', { events: { Done: z.object({}) } })
  const born = follows.types<{ n: number }, never, never, typeof Quiet>()
  expectTypeOf(born.input).toEqualTypeOf<{
    key: string
    message: { type: 'request.Opened'; id: string; skus: string[] }
  }>()
})

test('several start events: the input is any of them', () => {
  const A = contract('a', { events: { X: z.object({ x: z.number() }) } })
  const B = contract('b', { events: { Y: z.object({ y: z.string() }), Z: z.object({ z: z.boolean() }) } })
  const follows = follow(A.event('X').by('x').starts(), B.event('Y').by('y').starts(), B.event('Z').bySource())
  const { input, events } = follows.types<{ n: number }>()
  expectTypeOf(input).toEqualTypeOf<{ key: string; message: { type: 'a.X'; x: number } | { type: 'b.Y'; y: string } }>()
  expectTypeOf(events).toEqualTypeOf<
    { type: 'a.X'; x: number } | { type: 'b.Y'; y: string } | { type: 'b.Z'; z: boolean }
  >()
})

test('what host.read gives is typed by the machine', () => {
  const machine = setup({ types: ByZod.types<{ total: number }>() }).createMachine({
    context: { total: 0 },
    initial: 'open',
    states: { open: {}, shut: {} },
  })
  expectTypeOf<View<typeof machine>['context']>().toEqualTypeOf<{ total: number }>()
  expectTypeOf<View<typeof machine>['value']>().toEqualTypeOf<'open' | 'shut'>()
})
