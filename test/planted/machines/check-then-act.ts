// check-then-act.ts: two bookings ask whether a seat is free, then both take it.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Seats = contract('seats', {
  commands: { Ask: nothing, Take: nothing },
  replies: { Free: z.object({ seats: z.number() }), Taken: nothing, SoldOut: nothing },
})
const Booking = contract('booking', { commands: { Book: nothing } })

const seats = (version: Version) =>
  defineAggregate(
    Seats,
    setup({ types: Seats.types<{ free: number }>() }).createMachine({
      context: { free: 1 },
      on: {
        Ask: { actions: Seats.reply(({ context }) => ({ type: 'Free', seats: context.free })) },
        Take: [
          {
            guard: ({ context }) => version === 'planted' || context.free > 0,
            actions: [assign({ free: ({ context }) => context.free - 1 }), Seats.reply({ type: 'Taken' })],
          },
          { actions: Seats.reply({ type: 'SoldOut' }) },
        ],
      },
    }),
  )

const follows = follow()
const front = Seats.at('front')

const booking = defineSaga(
  Booking,
  follows,
  setup({ types: follows.types<{ key: string }, typeof Seats, never, typeof Booking>() }).createMachine({
    context: ({ input }) => ({ key: input.key }),
    initial: 'new',
    states: {
      new: { on: { Book: 'asking' } },
      asking: {
        entry: sendTo(front, { type: 'Ask' }),
        on: { 'seats.Free': [{ guard: ({ event }) => event.seats > 0, target: 'taking' }, { target: 'soldOut' }] },
      },
      taking: {
        entry: sendTo(front, { type: 'Take' }),
        on: { 'seats.Taken': 'booked', 'seats.SoldOut': 'soldOut' },
      },
      booked: { type: 'final' },
      soldOut: { type: 'final' },
    },
  }),
  { sends: [Seats], unhandled: 'reject' },
)

export const checkThenAct: PlantedBug = {
  mistake: 'Check, then act: two sagas take one seat',
  origin: 'The answer to "is one free?" was true when it was given; between two messages somebody else comes.',
  finding: 'INVARIANT_BROKEN no seat is sold twice',
  world: (version) => {
    const house = seats(version)
    return world({ entities: [house, booking] })
      .stimuli({ book: ['ann', 'ben', 'cleo'].map((who) => send(Booking.at(who), { type: 'Book' })) })
      .always('no seat is sold twice', (w) => w.all(house).every(({ context }) => context.free >= 0))
  },
}
