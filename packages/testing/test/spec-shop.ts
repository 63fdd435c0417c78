// spec-shop.ts: a small shop to write specs of: it has every way in and every way out.
import { contract, defineAggregate, defineSaga, effect, follow, turn } from '@interstate/core'
import { assign, cancel, emit, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'

export const Letter = contract('letter', { commands: { Write: z.object({ text: z.string() }) } })

export const Payment = contract('payment', {
  commands: {
    Charge: z.object({ cents: z.number().int().positive(), currency: z.string().default('EUR') }),
    Confirm: z.object({}),
    Break: z.object({}),
    Overdo: z.object({}),
    Remind: z.object({}),
    Forget: z.object({}),
    Ping: z.object({}),
  },
  events: {
    Charged: z.object({ cents: z.number(), at: z.number() }),
    Refused: z.object({ reason: z.string() }),
    Noted: z.object({}),
  },
  replies: { Receipt: z.object({ cents: z.number() }) },
})
type Internal = { type: 'EXPIRED' } | { type: 'NOTE' }

export const payment = defineAggregate(
  Payment,
  setup({ types: Payment.types<{ cents: number; currency: string }, never, Internal>() }).createMachine({
    context: { cents: 0, currency: '' },
    initial: 'open',
    states: {
      open: {
        on: {
          Charge: [
            {
              guard: ({ event }) => event.cents > 100_000,
              actions: [emit({ type: 'Refused', reason: 'limit' }), emit({ type: 'Noted' })],
            },
            {
              guard: ({ event }) => event.cents > 5_000,
              target: 'unconfirmed',
              actions: assign({ cents: ({ event }) => event.cents, currency: ({ event }) => event.currency }),
            },
            {
              target: 'charged',
              actions: assign({ cents: ({ event }) => event.cents, currency: ({ event }) => event.currency }),
            },
          ],
          Break: {
            actions: () => undefined,
            guard: () => {
              throw new Error('it broke')
            },
          },
          Overdo: { actions: emit({ type: 'Charged' } as never) },
          Remind: {
            actions: sendTo(Letter.at('desk'), { type: 'Write', text: 'Pay!' }, { delay: 7_200_000, id: 'reminder' }),
          },
          Forget: { actions: cancel('reminder') },
          Ping: { actions: sendTo(({ self }) => self, { type: 'NOTE' }) },
          NOTE: { actions: emit({ type: 'Noted' }) },
        },
      },
      unconfirmed: {
        entry: raise({ type: 'EXPIRED' }, { delay: 1_800_000, id: 'expiry' }),
        exit: cancel('expiry'),
        on: { Confirm: 'charged', EXPIRED: 'expired' },
      },
      charged: {
        type: 'final',
        entry: [
          emit(({ context }) => ({ type: 'Charged', cents: context.cents, at: turn().now })),
          Payment.reply(({ context }) => ({ type: 'Receipt', cents: context.cents })),
        ],
      },
      expired: { after: { 60000: 'open' } },
    },
    output: ({ context }) => ({ paid: context.cents }),
  }),
  { sends: [Letter], ignores: ['Confirm'] },
)

export const Stock = contract('stock', {
  commands: { Reserve: z.object({ quantity: z.number() }), Release: z.object({}) },
  replies: { Reserved: z.object({ shelf: z.string() }) },
})
export const Order = contract('order', {
  events: { Submitted: z.object({ orderId: z.string(), potion: z.string() }), Withdrawn: z.object({}) },
})

const follows = follow(
  Order.event('Submitted').by('orderId').starts(),
  Payment.event('Charged').bySource(),
  Payment.event('Refused').bySource(),
)

export const fulfilment = defineSaga(
  'fulfilment',
  follows,
  setup({
    types: follows.types<{ order: string; potion: string; shelf: string; from: string }, typeof Stock>(),
    actors: {
      book: effect<{ order: string }, { number: number }>(async () => ({ number: 1 })),
      label: effect<{ order: string }, string>(async () => 'label'),
    },
    delays: { patience: ({ context }) => (context.potion === 'luck' ? 1_000 : 60_000) },
  }).createMachine({
    id: 'fulfilment',
    context: ({ input: { key, message } }) => ({ order: key, potion: message.potion, shelf: '', from: '' }),
    initial: 'reserving',
    states: {
      reserving: {
        entry: sendTo(({ context }) => Stock.at(context.potion), { type: 'Reserve', quantity: 1 }),
        on: {
          'stock.Reserved': {
            target: 'paying',
            actions: assign({ shelf: ({ event }) => event.shelf, from: () => String(turn().message.from) }),
          },
          'stock.rejected': 'failed',
        },
      },
      paying: {
        on: { 'payment.Charged': 'booking', 'payment.Refused': 'undoing' },
        after: { patience: 'undoing' },
      },
      booking: {
        initial: 'calling',
        states: {
          calling: {
            invoke: [
              {
                src: 'book',
                input: ({ context }) => ({ order: context.order }),
                onDone: '#fulfilment.done',
                onError: '#fulfilment.undoing',
              },
              { src: 'label', id: 'first', input: ({ context }) => ({ order: context.order }) },
              { src: 'label', id: 'second', input: ({ context }) => ({ order: context.order }) },
            ],
          },
        },
      },
      undoing: {
        entry: sendTo(({ context }) => Stock.at(context.potion), { type: 'Release' }),
        on: { 'payment.Charged': {} },
      },
      done: { type: 'final' },
      failed: { type: 'final' },
    },
  }),
  { sends: [Stock] },
)
