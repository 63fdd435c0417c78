// order-of-senders.ts: a parcel that takes its label only once it is packed, though two sagas see to the two.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Order = contract('order', { commands: { Place: nothing }, events: { Placed: nothing } })
const Parcel = contract('parcel', {
  commands: { Pack: nothing, Label: nothing },
  replies: { Packed: nothing, Labelled: nothing },
})

const order = defineAggregate(
  Order,
  setup({ types: Order.types() }).createMachine({
    initial: 'open',
    states: { open: { on: { Place: { target: 'placed', actions: emit({ type: 'Placed' }) } } }, placed: {} },
  }),
)

const parcel = (version: Version) =>
  defineAggregate(
    Parcel,
    setup({
      types: Parcel.types(),
      actions: { packed: Parcel.reply({ type: 'Packed' }), labelled: Parcel.reply({ type: 'Labelled' }) },
    }).createMachine({
      initial: 'empty',
      states: {
        empty: {
          on: {
            Pack: { target: 'packed', actions: 'packed' },
            ...(version === 'planted' ? {} : { Label: { target: 'labelled', actions: 'labelled' } }),
          },
        },
        packed: { on: { Label: { target: 'ready', actions: 'labelled' } } },
        ...(version === 'planted' ? {} : { labelled: { on: { Pack: { target: 'ready', actions: 'packed' } } } }),
        ready: {},
      },
    }),
  )

const follows = follow(Order.event('Placed').bySource().starts())

const packing = defineSaga(
  'packing',
  follows,
  setup({ types: follows.types<{ order: string }, typeof Parcel>() }).createMachine({
    context: ({ input }) => ({ order: input.key }),
    initial: 'packing',
    states: {
      packing: {
        entry: sendTo(({ context }) => Parcel.at(context.order), { type: 'Pack' }),
        on: { 'parcel.Packed': 'packed' },
      },
      packed: { type: 'final' },
    },
  }),
  { sends: [Parcel] },
)

const labelling = defineSaga(
  'labelling',
  follows,
  setup({ types: follows.types<{ order: string }, typeof Parcel>() }).createMachine({
    context: ({ input }) => ({ order: input.key }),
    initial: 'labelling',
    states: {
      labelling: {
        entry: sendTo(({ context }) => Parcel.at(context.order), { type: 'Label' }),
        on: { 'parcel.Labelled': 'labelled' },
      },
      labelled: { type: 'final' },
    },
  }),
  { sends: [Parcel] },
)

export const orderOfSenders: PlantedBug = {
  mistake: 'An aggregate trusts the order of two senders',
  origin: 'On one machine the packer was always first; nothing promises an order across senders.',
  finding: 'MESSAGE_UNHANDLED labelling parcel.rejected',
  world: (version) =>
    world({ entities: [order, parcel(version), packing, labelling] }).stimuli({
      place: [send(Order.at('o1'), { type: 'Place' })],
    }),
}
