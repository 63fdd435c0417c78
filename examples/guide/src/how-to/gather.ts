// Publish, and gather several replies: a buyer asks all herbalists for an offer and takes the cheapest in time.
import { contract, defineSaga, follow } from '@interstate/core'
import { assign, emit, type MachineContext, setup } from 'xstate'
import { z } from 'zod'

// #region contracts
export const Purchase = contract('purchase', {
  commands: { Open: z.object({ herb: z.string(), grams: z.number().positive() }) },
  events: { Wanted: z.object({ herb: z.string(), grams: z.number() }) },
})

const offers = { Offered: z.object({ cents: z.number().int() }) }
export const Meadow = contract('meadow', { replies: offers })
export const Forest = contract('forest', { replies: offers })
export const Swamp = contract('swamp', { replies: offers })
// #endregion

// #region herbalists
const follows = follow(Purchase.event('Wanted').bySource().starts())

export const meadow = defineSaga(
  Meadow,
  follows,
  setup({ types: follows.types<{ cents: number }>() }).createMachine({
    context: ({ input }) => ({ cents: Math.round(input.message.grams * 4) }),
    initial: 'asked',
    states: {
      asked: {
        entry: Meadow.reply(({ context }) => ({ type: 'Offered', cents: context.cents })),
        type: 'final',
      },
    },
  }),
)

export const forest = defineSaga(
  Forest,
  follows,
  setup({ types: follows.types<{ cents: number }>() }).createMachine({
    context: ({ input }) => ({ cents: Math.round(input.message.grams * 3) }),
    initial: 'asked',
    states: {
      asked: {
        entry: Forest.reply(({ context }) => ({ type: 'Offered', cents: context.cents })),
        type: 'final',
      },
    },
  }),
)

/** Never answers. */
export const swamp = defineSaga(
  Swamp,
  follows,
  setup({ types: follows.types<MachineContext>() }).createMachine({
    initial: 'asked',
    states: { asked: {} },
  }),
)
// #endregion

// #region buyer
type Replies = typeof Meadow | typeof Forest | typeof Swamp
type Offer = { from: string; cents: number }

export const purchase = defineSaga(
  Purchase,
  follow(),
  setup({
    types: Purchase.types<{ offers: Offer[] }, Replies>(),
    delays: { patience: 5 * 60_000 },
    guards: { allAnswered: ({ context }) => context.offers.length === 3 },
    actions: {
      note: assign({ offers: ({ context }, offer: Offer) => [...context.offers, offer] }),
    },
  }).createMachine({
    context: { offers: [] },
    initial: 'new',
    states: {
      new: {
        on: {
          Open: {
            target: 'gathering',
            actions: emit(({ event }) => ({ type: 'Wanted', herb: event.herb, grams: event.grams })),
          },
        },
      },
      gathering: {
        always: { guard: 'allAnswered', target: 'decided' },
        on: {
          'meadow.Offered': {
            actions: { type: 'note', params: ({ event }) => ({ from: 'meadow', cents: event.cents }) },
          },
          'forest.Offered': {
            actions: { type: 'note', params: ({ event }) => ({ from: 'forest', cents: event.cents }) },
          },
          'swamp.Offered': {
            actions: { type: 'note', params: ({ event }) => ({ from: 'swamp', cents: event.cents }) },
          },
        },
        after: { patience: 'decided' },
      },
      decided: { type: 'final' },
    },
    output: ({ context }) => context.offers.toSorted((one, two) => one.cents - two.cents)[0] ?? null,
  }),
  // An offer that comes too late is counted and dropped.
  { ignores: ['meadow.Offered', 'forest.Offered', 'swamp.Offered'] },
)
// #endregion
