import { describe, expectTypeOf, test } from 'vitest'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { type Address, contract, defineAggregate, defineSaga, follow } from '../src/index.ts'

const Order = contract('order', {
  commands: { Submit: z.object({ orderId: z.string(), cents: z.number() }) },
  events: { Submitted: z.object({ orderId: z.string(), cents: z.number(), lines: z.array(z.string()) }) },
})
const Payment = contract('payment', {
  commands: { Charge: z.object({ cents: z.number().int().positive() }) },
  events: { Charged: z.object({ cents: z.number() }), Refused: z.object({ reason: z.string() }) },
  replies: { Balance: z.object({ cents: z.number() }) },
})

const payment = defineAggregate(
  Payment,
  setup({
    types: Payment.types<{ charged: number }>(),
    guards: { affordable: ({ event }) => event.cents <= 100_000 },
  }).createMachine({
    context: { charged: 0 },
    initial: 'open',
    states: {
      open: {
        on: {
          Charge: [
            {
              guard: 'affordable',
              target: 'charged',
              actions: [
                assign({ charged: ({ event }) => event.cents }),
                emit(({ event }) => ({ type: 'Charged', cents: event.cents })),
                Payment.reply(({ context }) => ({ type: 'Balance', cents: context.charged })),
              ],
            },
            { actions: emit({ type: 'Refused', reason: 'limit' }) },
          ],
        },
      },
      charged: { type: 'final' },
    },
  }),
)

const follows = follow(
  Order.event('Submitted').by('orderId').starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Refused').bySource(),
)
const fulfilment = defineSaga(
  'fulfilment',
  follows,
  setup({ types: follows.types<{ orderId: string; cents: number }, typeof Payment>() }).createMachine({
    context: ({ input }) => ({ orderId: input.key, cents: input.message.cents }),
    initial: 'charging',
    states: {
      charging: {
        entry: sendTo(
          ({ context }) => Payment.at(context.orderId),
          ({ context }) => ({ type: 'Charge', cents: context.cents }),
        ),
        after: { 1800000: 'cancelling' },
        on: {
          'payment.Charged': { target: 'shipping', actions: assign({ cents: ({ event }) => event.cents }) },
          'payment.Balance': {},
          'payment.rejected': 'cancelling',
          'payment.Refused': 'cancelling',
        },
      },
      shipping: {},
      cancelling: {},
    },
  }),
  { sends: [Payment] },
)

describe('types carry the contract', () => {
  test('payloads flow from the schema', () => {
    expectTypeOf(fulfilment.at('1')).not.toBeAny()
    expectTypeOf(Payment.at('1')).toExtend<Address<typeof Payment>>()
    expectTypeOf<Parameters<ReturnType<typeof Payment.at>['send']>[0]>().toEqualTypeOf<{
      type: 'Charge'
      cents: number
    }>()
    expectTypeOf(payment.name).toEqualTypeOf<string>()
  })

  test('what is wrong does not compile', () => {
    // @ts-expect-error an event that the contract does not have
    Payment.event('Stolen')
    // @ts-expect-error a property that the event does not have
    Order.event('Submitted').by('orderNumber')
    // @ts-expect-error a property that is no key
    Order.event('Submitted').by('lines')
    setup({ types: Payment.types<{ n: number }>() }).createMachine({
      context: { n: 0 },
      // @ts-expect-error a command that the contract does not have
      on: { Steal: {} },
    })
    setup({ types: Payment.types<{ n: number }>() }).createMachine({
      context: { n: 0 },
      // @ts-expect-error a wrong payload in emit
      entry: emit({ type: 'Charged', cents: 'many' }),
    })
    setup({ types: Payment.types<{ n: number }>() }).createMachine({
      context: { n: 0 },
      // @ts-expect-error a wrong payload in sendTo
      entry: sendTo(() => Payment.at('1'), { type: 'Charge', cent: 1 }),
    })
    setup({ types: Payment.types<{ n: number }>() }).createMachine({
      context: { n: 0 },
      // @ts-expect-error a wrong payload in a reply
      entry: Payment.reply({ type: 'Balance', cents: 'x' }),
    })
    setup({ types: follows.types<{ n: number }>() }).createMachine({
      context: { n: 0 },
      // @ts-expect-error an event that the saga does not follow
      on: { 'payment.Stolen': {} },
    })
    const other = setup({ types: Order.types<{ n: number }>() }).createMachine({ context: { n: 0 } })
    // @ts-expect-error a machine of another contract
    defineAggregate(Payment, other)
  })
})
