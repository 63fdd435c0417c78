// done-too-early.ts: a saga that asked two warehouses is done with the answer of the first.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Order = contract('order', { commands: { Place: nothing }, events: { Placed: nothing } })
const Shelf = contract('shelf', { commands: { Pick: z.object({ order: z.string() }) }, replies: { Picked: nothing } })

const order = defineAggregate(
  Order,
  setup({ types: Order.types() }).createMachine({
    initial: 'open',
    states: { open: { on: { Place: { target: 'placed', actions: emit({ type: 'Placed' }) } } }, placed: {} },
  }),
)

const shelf = defineAggregate(
  Shelf,
  setup({ types: Shelf.types<{ picked: string[] }>() }).createMachine({
    context: { picked: [] },
    on: {
      Pick: {
        actions: [
          assign({ picked: ({ context, event }) => [...context.picked, event.order] }),
          Shelf.reply({ type: 'Picked' }),
        ],
      },
    },
  }),
)

const follows = follow(Order.event('Placed').bySource().starts())
const shelves = ['shirts', 'shoes'] as const

const outfit = (version: Version) =>
  defineSaga(
    'outfit',
    follows,
    setup({ types: follows.types<{ order: string; picked: number }, typeof Shelf>() }).createMachine({
      context: ({ input }) => ({ order: input.key, picked: 0 }),
      initial: 'picking',
      states: {
        picking: {
          entry: shelves.map((each) =>
            sendTo(Shelf.at(each), ({ context }) => ({ type: 'Pick' as const, order: context.order })),
          ),
          on: {
            'shelf.Picked': [
              {
                guard: ({ context }) => version === 'planted' || context.picked + 1 === shelves.length,
                target: 'sent',
              },
              { actions: assign({ picked: ({ context }) => context.picked + 1 }) },
            ],
          },
        },
        sent: { type: 'final' },
      },
    }),
    { sends: [Shelf] },
  )

export const doneTooEarly: PlantedBug = {
  mistake: 'A saga is done before all have answered',
  origin: 'It once asked one warehouse; the second was added to the question and not to the answer.',
  finding: 'INVARIANT_BROKEN a parcel leaves with everything in it',
  world: (version) => {
    const saga = outfit(version)
    return world({ entities: [order, shelf, saga] })
      .stimuli({ place: ['o1', 'o2'].map((each) => send(Order.at(each), { type: 'Place' })) })
      .always('a parcel leaves with everything in it', (w) => {
        const isWhole = (key: string) => shelves.every((each) => w.one(shelf.at(each))?.context.picked.includes(key))
        return w.all(saga).every((each) => !each.matches('sent') || isWhole(each.key))
      })
  },
}
