// boundary-amount.ts: an expense of exactly what is left of the budget is neither below nor above it.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const amount = z.object({ cents: z.number().int() })
const Expense = contract('expense', { commands: { Submit: amount }, events: { Submitted: amount } })
const Budget = contract('budget', { commands: { Ask: z.object({}) }, replies: { Left: amount } })

const expense = defineAggregate(
  Expense,
  setup({ types: Expense.types() }).createMachine({
    initial: 'draft',
    states: {
      draft: {
        on: {
          Submit: { target: 'submitted', actions: emit(({ event }) => ({ type: 'Submitted', cents: event.cents })) },
        },
      },
      submitted: {},
    },
  }),
)

const budget = defineAggregate(
  Budget,
  setup({ types: Budget.types<{ cents: number }>() }).createMachine({
    context: { cents: 5_000 },
    on: { Ask: { actions: Budget.reply(({ context }) => ({ type: 'Left', cents: context.cents })) } },
  }),
)

const follows = follow(Expense.event('Submitted').bySource().starts())

const approval = (version: Version) =>
  defineSaga(
    'approval',
    follows,
    setup({
      types: follows.types<{ cents: number }, typeof Budget>(),
      guards: {
        isBelow: ({ context, event }) =>
          event.type === 'budget.Left' &&
          (version === 'planted' ? context.cents < event.cents : context.cents <= event.cents),
        isAbove: ({ context, event }) => event.type === 'budget.Left' && context.cents > event.cents,
      },
    }).createMachine({
      context: ({ input }) => ({ cents: input.message.cents }),
      initial: 'asking',
      states: {
        asking: {
          entry: sendTo(Budget.at('travel'), { type: 'Ask' }),
          on: {
            'budget.Left': [
              { guard: 'isBelow', target: 'approved' },
              { guard: 'isAbove', target: 'declined' },
            ],
          },
        },
        approved: { type: 'final' },
        declined: { type: 'final' },
      },
    }),
    { sends: [Budget] },
  )

export const boundaryAmount: PlantedBug = {
  mistake: 'No branch takes the amount at the boundary',
  origin: 'Two guards were written, "below" and "above", and no last branch without one.',
  finding: 'MESSAGE_UNHANDLED approval budget.Left',
  world: (version) =>
    world({ entities: [expense, budget, approval(version)] }).stimuli({
      submit: [4_999, 5_000, 5_001].map((cents) => send(Expense.at('e1'), { type: 'Submit', cents })),
    }),
}
