// dice-in-the-machine.ts: a code drawn with Math.random is another one when the turn is run again.
import { contract, defineAggregate, turn } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Voucher = contract('voucher', { commands: { Issue: z.object({ mailbox: z.string() }) } })
const Mailbox = contract('mailbox', { commands: { Deliver: z.object({ code: z.string() }) } })

const voucher = (version: Version) =>
  defineAggregate(
    Voucher,
    setup({ types: Voucher.types<{ code: string }>() }).createMachine({
      context: { code: '' },
      initial: 'open',
      states: {
        open: {
          on: {
            Issue: {
              target: 'issued',
              actions: [
                assign({
                  code: () => (version === 'planted' ? Math.random().toString(36).slice(2) : turn().id()),
                }),
                sendTo(
                  ({ event }) => Mailbox.at(event.mailbox),
                  ({ context }) => ({ type: 'Deliver', code: context.code }),
                ),
              ],
            },
          },
        },
        issued: {},
      },
    }),
    { sends: [Mailbox] },
  )

const mailbox = defineAggregate(
  Mailbox,
  setup({ types: Mailbox.types<{ codes: string[] }>() }).createMachine({
    context: { codes: [] },
    on: { Deliver: { actions: assign({ codes: ({ context, event }) => [...context.codes, event.code] }) } },
  }),
)

export const diceInTheMachine: PlantedBug = {
  mistake: 'Chance in a transition',
  origin:
    'It is one line and works; but a turn that is run again after a crash draws another code than the one mailed.',
  finding: 'NOT_DETERMINISTIC voucher Issue',
  world: (version) =>
    world({ entities: [voucher(version), mailbox] }).stimuli({
      issue: [send(Voucher.at('v1'), { type: 'Issue', mailbox: 'ann' })],
    }),
}
