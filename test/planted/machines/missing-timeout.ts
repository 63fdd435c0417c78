// missing-timeout.ts: a dispatcher waits for the answer of a courier who has gone home.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Courier = contract('courier', {
  commands: { Offer: nothing, GoHome: nothing },
  replies: { Accepted: nothing },
})
const Delivery = contract('delivery', { commands: { Request: nothing } })

const courier = defineAggregate(
  Courier,
  setup({ types: Courier.types() }).createMachine({
    initial: 'onDuty',
    states: {
      onDuty: { on: { Offer: { actions: Courier.reply({ type: 'Accepted' }) }, GoHome: 'home' } },
      // It comes to a phone that nobody looks at.
      home: { on: { Offer: {} } },
    },
  }),
)

const follows = follow()

const delivery = (version: Version) =>
  defineSaga(
    Delivery,
    follows,
    setup({ types: follows.types<{ key: string }, typeof Courier, never, typeof Delivery>() }).createMachine({
      context: ({ input }) => ({ key: input.key }),
      initial: 'new',
      states: {
        new: { on: { Request: 'offered' } },
        offered: {
          entry: sendTo(Courier.at('carla'), { type: 'Offer' }),
          on: { 'courier.Accepted': 'assigned' },
          ...(version === 'planted' ? {} : { after: { 900000: 'unassigned' } }),
        },
        assigned: { type: 'final' },
        ...(version === 'planted' ? {} : { unassigned: { type: 'final' } }),
      },
    }),
    { sends: [Courier], unhandled: 'reject' },
  )

export const missingTimeout: PlantedBug = {
  mistake: 'No timeout: a saga waits for ever',
  origin: 'On the happy path the courier always answers.',
  finding: 'SAGA_STUCK delivery',
  world: (version) =>
    world({ entities: [courier, delivery(version)] }).stimuli({
      request: [send(Delivery.at('d1'), { type: 'Request' })],
      goHome: [send(Courier.at('carla'), { type: 'GoHome' })],
    }),
}
