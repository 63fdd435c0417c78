// What a spec says wrong does not compile: the contract and the machine know all of it.
import { contract, defineAggregate, defineSaga, effect, follow, type TypedDefinition } from '@interstate/core'
import { expectTypeOf, test } from 'vitest'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { type SpecEffect, type SpecEvent, type SpecMessage, spec } from '../src/index.ts'

type MachineOf<D> = D extends TypedDefinition<unknown, infer M> ? M : never

const Stock = contract('stock', {
  commands: { Reserve: z.object({ quantity: z.number() }) },
  replies: { Reserved: z.object({}) },
})
const Payment = contract('payment', {
  commands: { Charge: z.object({ cents: z.number(), note: z.string().default('') }), Void: z.object({}) },
  events: { Charged: z.object({ cents: z.number() }), Refused: z.object({ reason: z.string() }) },
  replies: { Receipt: z.object({ cents: z.number() }) },
})
const Order = contract('order', { events: { Submitted: z.object({ orderId: z.string() }), Lost: z.object({}) } })

const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types<{ charged: number }>() }).createMachine({
    context: { charged: 0 },
    initial: 'open',
    states: {
      open: {
        on: {
          Charge: {
            target: 'charged',
            actions: [
              assign({ charged: ({ event }) => event.cents }),
              emit(({ event }) => ({ type: 'Charged', cents: event.cents })),
            ],
          },
          Void: {},
        },
      },
      charged: { type: 'final' },
    },
  }),
)

const follows = follow(Order.event('Submitted').by('orderId').starts(), Payment.event('Charged').bySource())
const fulfilment = defineSaga(
  'fulfilment',
  follows,
  setup({
    types: follows.types<{ order: string }, typeof Stock>(),
    actors: { book: effect<{ order: string }, { number: number }>(async () => ({ number: 1 })) },
  }).createMachine({
    context: ({ input }) => ({ order: input.key }),
    initial: 'reserving',
    states: {
      reserving: {
        entry: sendTo(Stock.at('all'), { type: 'Reserve', quantity: 1 }),
        on: { 'stock.Reserved': 'paying' },
      },
      paying: { on: { 'payment.Charged': 'booking' } },
      booking: {
        initial: 'calling',
        states: {
          calling: {
            invoke: { src: 'book', input: ({ context }) => ({ order: context.order }), onDone: '#fulfilment.done' },
          },
        },
      },
      done: { type: 'final' },
    },
    id: 'fulfilment',
  }),
  { sends: [Stock] },
)

test('an aggregate is given the commands of its contract, as a sender writes them, and nothing else', () => {
  expectTypeOf<SpecMessage<typeof Payment, MachineOf<typeof payment>>>().not.toBeAny()
  const it = spec(payment)
  it.when({ type: 'Charge', cents: 1 })
  it.when({ type: 'Charge', cents: 1, note: 'a default may be said' })
  // @ts-expect-error: no command of the contract.
  it.when({ type: 'Chrage', cents: 1 })
  // @ts-expect-error: another payload.
  it.when({ type: 'Charge', cents: '1' })
  // @ts-expect-error: a property is missing.
  it.given({ type: 'Charge' })
  // @ts-expect-error: an event that it publishes is none that it gets.
  it.given({ type: 'Charged', cents: 1 })
  // @ts-expect-error: an aggregate follows nothing.
  it.when({ type: 'order.Submitted', orderId: '1' })
})

test('a saga is given what it follows and the replies that it waits for', () => {
  const it = spec(fulfilment)
  it.given({ type: 'order.Submitted', orderId: '1' }, { type: 'stock.Reserved' })
  it.given({ type: 'stock.rejected', command: 'Reserve', reason: 'closed' })
  it.when({ type: 'payment.Charged', cents: 1 })
  // @ts-expect-error: an event of the contract that it does not follow.
  it.when({ type: 'payment.Refused', reason: 'limit' })
  // @ts-expect-error: an event of the starting contract that it does not follow.
  it.when({ type: 'order.Lost' })
  // @ts-expect-error: another payload.
  it.when({ type: 'payment.Charged', cents: '1' })
  // @ts-expect-error: it has no commands.
  it.when({ type: 'Charge', cents: 1 })
})

test('states and contexts are those of the machine', () => {
  spec(payment).givenState('charged', { charged: 1 })
  spec(fulfilment).givenState({ booking: 'calling' }, { order: '1' })
  // @ts-expect-error: no state of the machine.
  spec(payment).givenState('chraged', { charged: 1 })
  spec(fulfilment).givenState('booking', { order: '1' })
  // @ts-expect-error: the context must be whole.
  spec(payment).givenState('charged', {})
  const outcome = spec(fulfilment).when({ type: 'payment.Charged', cents: 1 })
  outcome.thenState('booking').thenState({ booking: 'calling' }).thenContext({}).thenContext({ order: '1' })
  // @ts-expect-error: no state of the machine.
  outcome.thenState('bocking')
  // @ts-expect-error: no property of the context.
  outcome.thenContext({ number: '1' })
})

test('what comes out is typed by the contract that it belongs to', () => {
  expectTypeOf<SpecEvent<typeof Payment>>().toEqualTypeOf<
    { type: 'Charged'; cents: number } | { type: 'Refused'; reason: string }
  >()
  const outcome = spec(payment).when({ type: 'Void' })
  outcome.thenPublishes({ type: 'Charged', cents: 1 }, { type: 'Refused', reason: 'limit' })
  // @ts-expect-error: no event of the contract.
  outcome.thenPublishes({ type: 'Charge', cents: 1 })
  // @ts-expect-error: another payload.
  outcome.thenPublishes({ type: 'Charged', cents: '1' })
  outcome.thenReplies({ type: 'Receipt', cents: 1 })
  // @ts-expect-error: no reply of the contract.
  outcome.thenReplies({ type: 'Charged', cents: 1 })
  outcome.thenSends(Stock.at('all'), { type: 'Reserve', quantity: 1 }, { after: { hours: 2 } })
  // @ts-expect-error: no command of the address.
  outcome.thenSends(Stock.at('all'), { type: 'Charge', cents: 1 })
  // @ts-expect-error: no unit of time.
  outcome.thenTimer({ fortnights: 1 })
  // @ts-expect-error: no code of an error.
  outcome.thenFails('OUT_OF_LUCK')
})

test('effects are known by their name, with what they get and what they give', () => {
  expectTypeOf<SpecEffect<MachineOf<typeof fulfilment>>>().toEqualTypeOf<'book'>()
  const it = spec(fulfilment)
  it.whenEffect('book', { output: { number: 1 } })
    .thenStarts('book')
    .thenStarts('book', { order: '1' })
    .thenStops('book')
  it.whenEffect('book', { error: new Error('closed'), id: 'first' })
  // @ts-expect-error: no effect of the machine.
  it.whenEffect('hook', { output: { number: 1 } })
  // @ts-expect-error: another output.
  it.whenEffect('book', { output: { number: '1' } })
  // @ts-expect-error: another input.
  it.whenEffect('book', { output: { number: 1 } }).thenStarts('book', { order: 1 })
  // @ts-expect-error: it has none.
  spec(payment).whenEffect('book', { output: 1 })
})
