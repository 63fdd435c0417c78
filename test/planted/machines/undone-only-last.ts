// undone-only-last.ts: of three bookings the third is refused, and only the second is undone.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
/** Where something is booked: `flight`, `hotel`, `car`. */
const Desk = contract('desk', {
  commands: { Book: nothing, Cancel: nothing, Close: nothing },
  replies: { Booked: nothing, Cancelled: nothing },
})
const Trip = contract('trip', { commands: { Plan: nothing } })

const desk = defineAggregate(
  Desk,
  setup({ types: Desk.types() }).createMachine({
    initial: 'free',
    states: {
      free: { on: { Book: { target: 'booked', actions: Desk.reply({ type: 'Booked' }) }, Close: 'closed' } },
      booked: { on: { Cancel: { target: 'free', actions: Desk.reply({ type: 'Cancelled' }) } } },
      closed: {},
    },
  }),
)

const follows = follow()

const trip = (version: Version) =>
  defineSaga(
    Trip,
    follows,
    setup({ types: follows.types<{ key: string }, typeof Desk, never, typeof Trip>() }).createMachine({
      context: ({ input }) => ({ key: input.key }),
      initial: 'new',
      states: {
        new: { on: { Plan: 'flying' } },
        flying: {
          entry: sendTo(Desk.at('flight'), { type: 'Book' }),
          on: { 'desk.Booked': 'sleeping', 'desk.rejected': 'failed' },
        },
        sleeping: {
          entry: sendTo(Desk.at('hotel'), { type: 'Book' }),
          on: { 'desk.Booked': 'driving', 'desk.rejected': 'undoingFlight' },
        },
        driving: {
          entry: sendTo(Desk.at('car'), { type: 'Book' }),
          on: { 'desk.Booked': 'booked', 'desk.rejected': 'undoingHotel' },
        },
        undoingHotel: {
          entry: sendTo(Desk.at('hotel'), { type: 'Cancel' }),
          on: { 'desk.Cancelled': version === 'planted' ? 'failed' : 'undoingFlight' },
        },
        undoingFlight: {
          entry: sendTo(Desk.at('flight'), { type: 'Cancel' }),
          on: { 'desk.Cancelled': 'failed' },
        },
        booked: { type: 'final' },
        failed: { type: 'final' },
      },
    }),
    { sends: [Desk], unhandled: 'reject' },
  )

export const undoneOnlyLast: PlantedBug = {
  mistake: 'Only the last step is undone',
  origin:
    'The car was added to a trip of two steps, with the compensation of the step before it and not of all before it.',
  finding: 'EVENTUALLY_NEVER a failed trip keeps no booking',
  world: (version) => {
    const saga = trip(version)
    return world({ entities: [desk, saga] })
      .stimuli({
        plan: [send(Trip.at('t1'), { type: 'Plan' })],
        close: ['flight', 'hotel', 'car'].map((what) => send(Desk.at(what), { type: 'Close' })),
      })
      .eventually(
        'a failed trip keeps no booking',
        (w) => !w.any(saga, (each) => each.matches('failed')) || !w.any(desk, (each) => each.matches('booked')),
      )
  },
}
