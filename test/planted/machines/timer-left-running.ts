// timer-left-running.ts: the timer that frees a held seat is not cancelled when the seat is paid.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { cancel, emit, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Seat = contract('seat', { commands: { Hold: nothing, Pay: nothing }, events: { Paid: nothing } })
const Ticket = contract('ticket', { commands: { Print: nothing } })

const seat = (version: Version) =>
  defineAggregate(
    Seat,
    setup({ types: Seat.types<Record<never, never>, never, { type: 'Expired' }>() }).createMachine({
      context: {},
      initial: 'free',
      on: { Expired: '.free' },
      states: {
        free: { on: { Hold: 'held' } },
        held: {
          entry: raise({ type: 'Expired' }, { delay: 900_000, id: 'expiry' }),
          exit: version === 'planted' ? [] : cancel('expiry'),
          on: { Pay: { target: 'paid', actions: emit({ type: 'Paid' }) } },
        },
        paid: {},
      },
    }),
  )

const ticket = defineAggregate(
  Ticket,
  setup({ types: Ticket.types() }).createMachine({
    initial: 'none',
    states: { none: { on: { Print: 'printed' } }, printed: {} },
  }),
)

const follows = follow(Seat.event('Paid').bySource().starts())

const ticketing = defineSaga(
  'ticketing',
  follows,
  setup({ types: follows.types<{ seat: string }>() }).createMachine({
    context: ({ input }) => ({ seat: input.key }),
    initial: 'printing',
    states: {
      printing: { entry: sendTo(({ context }) => Ticket.at(context.seat), { type: 'Print' }), type: 'final' },
    },
  }),
  { sends: [Ticket] },
)

export const timerLeftRunning: PlantedBug = {
  mistake: 'A timer fires after the success that it was not cancelled by',
  origin: '`after` ends with its state; a delayed event raised by hand does not, and the handler stands at the root.',
  finding: 'INVARIANT_BROKEN the seat of a ticket is sold',
  world: (version) => {
    const place = seat(version)
    return world({ entities: [place, ticket, ticketing] })
      .stimuli({
        hold: [send(Seat.at('a1'), { type: 'Hold' })],
        pay: [send(Seat.at('a1'), { type: 'Pay' })],
      })
      .always('the seat of a ticket is sold', (w) =>
        w.all(ticket).every((each) => !each.matches('printed') || w.one(place.at(each.key))?.matches('paid') === true),
      )
  },
}
