// late-reservation.ts: a shop gives up waiting for the warehouse, whose answer comes all the same.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Order = contract('order', { commands: { Place: z.object({}) }, events: { Placed: z.object({}) } })
const held = z.object({ order: z.string() })
const Stock = contract('stock', { commands: { Reserve: held, Release: held }, events: { Reserved: held } })

const order = defineAggregate(
  Order,
  setup({ types: Order.types() }).createMachine({
    initial: 'open',
    states: { open: { on: { Place: { target: 'placed', actions: emit({ type: 'Placed' }) } } }, placed: {} },
  }),
)

const stock = defineAggregate(
  Stock,
  setup({ types: Stock.types<{ holds: string[] }>() }).createMachine({
    context: { holds: [] },
    on: {
      Reserve: {
        actions: [
          assign({ holds: ({ context, event }) => [...context.holds, event.order] }),
          emit(({ event }) => ({ type: 'Reserved', order: event.order })),
        ],
      },
      Release: {
        actions: assign({ holds: ({ context, event }) => context.holds.filter((each) => each !== event.order) }),
      },
    },
  }),
)

const follows = follow(Order.event('Placed').bySource().starts(), Stock.event('Reserved').by('order'))
const shelf = Stock.at('shelf')

const fulfilment = (version: Version) =>
  defineSaga(
    'fulfilment',
    follows,
    setup({ types: follows.types<{ order: string }>() }).createMachine({
      context: ({ input }) => ({ order: input.key }),
      initial: 'reserving',
      states: {
        reserving: {
          entry: sendTo(shelf, ({ context }) => ({ type: 'Reserve', order: context.order })),
          on: { 'stock.Reserved': 'shipped' },
          after: {
            600000: {
              target: 'cancelled',
              // The shelf handles it after the Reserve, whenever that may be: both come from here.
              actions:
                version === 'planted'
                  ? []
                  : sendTo(shelf, ({ context }) => ({ type: 'Release', order: context.order })),
            },
          },
        },
        shipped: { type: 'final' },
        cancelled: { type: 'final' },
      },
    }),
    { sends: [Stock] },
  )

export const lateReservation: PlantedBug = {
  mistake: 'A late answer leaves stock held',
  origin:
    'The timeout was added for an answer that never comes; that it may come later, to a saga that is done, nobody thought of.',
  finding: 'EVENTUALLY_NEVER a cancelled order holds no stock',
  world: (version) => {
    const saga = fulfilment(version)
    return world({ entities: [order, stock, saga] })
      .stimuli({ place: ['o1', 'o2'].map((each) => send(Order.at(each), { type: 'Place' })) })
      .eventually('a cancelled order holds no stock', (w) => {
        const holds = w.all(stock).flatMap(({ context }) => context.holds)
        return w.all(saga).every((each) => !each.matches('cancelled') || !holds.includes(each.key))
      })
  },
}
