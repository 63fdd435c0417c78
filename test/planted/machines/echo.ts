// echo.ts: two systems that tell each other of every change, also of that which the other told them.
import { contract, defineAggregate } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const address = z.object({ email: z.string() })
/** `Change` is a person's wish and is told on; `Copy` is what the other system told. */
const commands = { Change: address, Copy: address }
const Customer = contract('customer', { commands })
const Debtor = contract('debtor', { commands })

const customer = (version: Version) =>
  defineAggregate(
    Customer,
    setup({ types: Customer.types<{ key: string; email: string }>() }).createMachine({
      context: ({ input }) => ({ key: input.key, email: '' }),
      on: {
        Change: {
          actions: [
            assign({ email: ({ event }) => event.email }),
            sendTo(
              ({ context }) => Debtor.at(context.key),
              ({ event }) => ({ type: version === 'planted' ? 'Change' : 'Copy', email: event.email }),
            ),
          ],
        },
        Copy: { actions: assign({ email: ({ event }) => event.email }) },
      },
    }),
    { sends: [Debtor] },
  )

const debtor = (version: Version) =>
  defineAggregate(
    Debtor,
    setup({ types: Debtor.types<{ key: string; email: string }>() }).createMachine({
      context: ({ input }) => ({ key: input.key, email: '' }),
      on: {
        Change: {
          actions: [
            assign({ email: ({ event }) => event.email }),
            sendTo(
              ({ context }) => Customer.at(context.key),
              ({ event }) => ({ type: version === 'planted' ? 'Change' : 'Copy', email: event.email }),
            ),
          ],
        },
        Copy: { actions: assign({ email: ({ event }) => event.email }) },
      },
    }),
    { sends: [Customer] },
  )

export const echo: PlantedBug = {
  mistake: 'Two aggregates echo each other for ever',
  origin: 'Each was taught to tell the other of its changes, by two teams in the same week.',
  finding: 'MESSAGES_LOOP',
  world: (version) =>
    world({ entities: [customer(version), debtor(version)] }).stimuli({
      change: [
        send(Customer.at('ann'), { type: 'Change', email: 'ann@a.example' }),
        send(Debtor.at('ann'), { type: 'Change', email: 'ann@b.example' }),
      ],
    }),
}
