// started-twice.ts: one incident, reported in two ways, starts two claims.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const incident = z.object({ incident: z.string() })
const Form = contract('form', { commands: { Submit: incident }, events: { Submitted: incident } })
const Call = contract('call', { commands: { Note: incident }, events: { Noted: incident } })
const Payout = contract('payout', { commands: { Pay: incident }, replies: { Paid: z.object({}) } })

const form = defineAggregate(
  Form,
  setup({ types: Form.types() }).createMachine({
    initial: 'empty',
    states: {
      empty: {
        on: {
          Submit: {
            target: 'submitted',
            actions: emit(({ event }) => ({ type: 'Submitted', incident: event.incident })),
          },
        },
      },
      submitted: {},
    },
  }),
)

const call = defineAggregate(
  Call,
  setup({ types: Call.types() }).createMachine({
    initial: 'ringing',
    states: {
      ringing: {
        on: {
          Note: { target: 'noted', actions: emit(({ event }) => ({ type: 'Noted', incident: event.incident })) },
        },
      },
      noted: {},
    },
  }),
)

const payout = defineAggregate(
  Payout,
  setup({ types: Payout.types<{ incident: string }>() }).createMachine({
    context: { incident: '' },
    initial: 'open',
    states: {
      open: {
        on: {
          Pay: {
            target: 'paid',
            actions: [assign({ incident: ({ event }) => event.incident }), Payout.reply({ type: 'Paid' })],
          },
        },
      },
      paid: {},
    },
  }),
)

function claim(version: Version) {
  const noted = Call.event('Noted')
  const follows = follow(
    Form.event('Submitted').by('incident').starts(),
    (version === 'planted' ? noted.bySource() : noted.by('incident')).starts(),
  )
  return defineSaga(
    'claim',
    follows,
    setup({ types: follows.types<{ key: string; incident: string }, typeof Payout>() }).createMachine({
      context: ({ input }) => ({ key: input.key, incident: input.message.incident }),
      initial: 'paying',
      states: {
        paying: {
          entry: sendTo(
            ({ context }) => Payout.at(context.key),
            ({ context }) => ({ type: 'Pay', incident: context.incident }),
          ),
          on: { 'payout.Paid': 'closed', 'form.Submitted': {}, 'call.Noted': {} },
        },
        closed: { type: 'final' },
      },
    }),
    { sends: [Payout] },
  )
}

export const startedTwice: PlantedBug = {
  mistake: 'Two start events start two sagas for one thing',
  origin: 'The second channel was added with its own number as the key of the saga.',
  finding: 'INVARIANT_BROKEN an incident is paid once',
  world: (version) =>
    world({ entities: [form, call, payout, claim(version)] })
      .stimuli({
        submit: [send(Form.at('f1'), { type: 'Submit', incident: 'storm' })],
        note: [send(Call.at('c1'), { type: 'Note', incident: 'storm' })],
      })
      .always('an incident is paid once', (w) => {
        const paid = w.all(payout).filter((each) => each.matches('paid'))
        return new Set(paid.map(({ context }) => context.incident)).size === paid.length
      }),
}
