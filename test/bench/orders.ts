// orders.ts: W2, orders through saga, stock, saga, payment, saga: five messages each.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'

export const Order = contract('order', {
  commands: { Place: z.object({ orderId: z.string(), item: z.string(), cents: z.number().int().positive() }) },
})
export const Stock = contract('stock', {
  commands: { Reserve: z.object({ orderId: z.string(), quantity: z.number().int().positive() }) },
  events: { Reserved: z.object({ orderId: z.string() }) },
})
export const Payment = contract('payment', {
  commands: { Charge: z.object({ cents: z.number().int().positive() }) },
  events: { Charged: z.object({ cents: z.number() }) },
})

export const stock = defineAggregate(
  Stock,
  setup({ types: Stock.types<{ reserved: number }>() }).createMachine({
    context: { reserved: 0 },
    on: {
      Reserve: {
        actions: [
          assign({ reserved: ({ context, event }) => context.reserved + event.quantity }),
          emit(({ event }) => ({ type: 'Reserved' as const, orderId: event.orderId })),
        ],
      },
    },
  }),
)

export const payment = defineAggregate(
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
              emit(({ event }) => ({ type: 'Charged' as const, cents: event.cents })),
            ],
          },
        },
      },
      charged: { type: 'final' },
    },
  }),
)

const follows = follow(Stock.event('Reserved').by('orderId'), Payment.event('Charged').bySource())

export const order = defineSaga(
  Order,
  follows,
  setup({
    types: follows.types<{ orderId: string; cents: number }, never, never, typeof Order>(),
  }).createMachine({
    context: { orderId: '', cents: 0 },
    initial: 'new',
    states: {
      new: {
        on: {
          Place: {
            target: 'reserving',
            actions: [
              assign({ orderId: ({ event }) => event.orderId, cents: ({ event }) => event.cents }),
              sendTo(
                ({ event }) => Stock.at(event.item),
                ({ event }) => ({ type: 'Reserve' as const, orderId: event.orderId, quantity: 1 }),
              ),
            ],
          },
        },
      },
      reserving: { on: { 'stock.Reserved': 'charging' } },
      charging: {
        entry: sendTo(
          ({ context }) => Payment.at(context.orderId),
          ({ context }) => ({ type: 'Charge' as const, cents: context.cents }),
        ),
        on: { 'payment.Charged': 'done' },
      },
      done: { type: 'final' },
    },
  }),
  { sends: [Stock, Payment] },
)

/** W2 as it stands in the docs. */
export const w2 = { orders: 10_000, items: 100, messagesPerOrder: 5 } as const

/** The n-th order. */
export function orderOf(n: number): { orderId: string; item: string; cents: number } {
  return { orderId: `o${n}`, item: `item${n % w2.items}`, cents: 100 + (n % 1_000) }
}
