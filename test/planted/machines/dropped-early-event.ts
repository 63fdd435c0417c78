// dropped-early-event.ts: the money comes while the saga is packing, is ignored, and never comes again.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Invoice = contract('invoice', { commands: { Open: nothing, Pay: nothing }, events: { Paid: nothing } })
const Warehouse = contract('warehouse', { commands: { Pack: nothing }, replies: { Packed: nothing } })
const Order = contract('order', { commands: { Submit: nothing } })

const invoice = defineAggregate(
  Invoice,
  setup({ types: Invoice.types() }).createMachine({
    initial: 'none',
    states: {
      none: { on: { Open: 'open' } },
      open: { on: { Pay: { target: 'paid', actions: emit({ type: 'Paid' }) } } },
      paid: {},
    },
  }),
)

const warehouse = defineAggregate(
  Warehouse,
  setup({ types: Warehouse.types() }).createMachine({
    on: { Pack: { actions: Warehouse.reply({ type: 'Packed' }) } },
  }),
)

const follows = follow(Invoice.event('Paid').bySource())

const order = (version: Version) =>
  defineSaga(
    Order,
    follows,
    setup({
      types: follows.types<{ key: string; paid: boolean }, typeof Warehouse, never, typeof Order>(),
    }).createMachine({
      context: ({ input }) => ({ key: input.key, paid: false }),
      initial: 'new',
      states: {
        new: { on: { Submit: 'packing' } },
        packing: {
          entry: [
            sendTo(({ context }) => Invoice.at(context.key), { type: 'Open' }),
            sendTo(Warehouse.at('north'), { type: 'Pack' }),
          ],
          on: {
            'warehouse.Packed': [{ guard: ({ context }) => context.paid, target: 'shipped' }, { target: 'awaiting' }],
            ...(version === 'planted' ? {} : { 'invoice.Paid': { actions: assign({ paid: true }) } }),
          },
        },
        awaiting: { on: { 'invoice.Paid': 'shipped' } },
        shipped: { type: 'final' },
      },
    }),
    {
      sends: [Invoice, Warehouse],
      unhandled: 'reject',
      ...(version === 'planted' ? { ignores: ['invoice.Paid'] } : {}),
    },
  )

export const droppedEarlyEvent: PlantedBug = {
  mistake: 'An event that comes early is dropped',
  origin: 'The alarm "unhandled invoice.Paid" was silenced with `ignores`; the event is a fact and is told once.',
  finding: 'SAGA_STUCK order',
  world: (version) =>
    world({ entities: [invoice, warehouse, order(version)] }).stimuli({
      submit: [send(Order.at('o1'), { type: 'Submit' })],
      pay: [send(Invoice.at('o1'), { type: 'Pay' })],
    }),
}
