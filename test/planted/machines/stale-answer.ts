// stale-answer.ts: the price of what was chosen first arrives after the choice was changed.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const Rate = contract('rate', {
  commands: { Ask: z.object({}) },
  replies: { Quoted: z.object({ plan: z.string(), cents: z.number() }) },
})
const Subscription = contract('subscription', { commands: { Choose: z.object({ plan: z.string() }) } })

const priceOf = (plan: string) => (plan === 'gold' ? 9_900 : 900)

const rate = defineAggregate(
  Rate,
  setup({ types: Rate.types<{ plan: string }>() }).createMachine({
    context: ({ input }) => ({ plan: input.key }),
    on: {
      Ask: {
        actions: Rate.reply(({ context }) => ({ type: 'Quoted', plan: context.plan, cents: priceOf(context.plan) })),
      },
    },
  }),
)

const follows = follow()

const subscription = (version: Version) =>
  defineSaga(
    Subscription,
    follows,
    setup({
      types: follows.types<{ plan: string; cents: number }, typeof Rate, never, typeof Subscription>(),
    }).createMachine({
      context: { plan: '', cents: 0 },
      initial: 'choosing',
      states: {
        choosing: {
          on: {
            Choose: {
              actions: [
                assign({ plan: ({ event }) => event.plan }),
                sendTo(({ event }) => Rate.at(event.plan), { type: 'Ask' }),
              ],
            },
            'rate.Quoted': [
              {
                guard: ({ context, event }) => version === 'planted' || event.plan === context.plan,
                target: 'agreed',
                actions: assign({ cents: ({ event }) => event.cents }),
              },
              // For a choice that was changed since: its own answer is still to come.
              {},
            ],
          },
        },
        agreed: { type: 'final' },
      },
    }),
    { sends: [Rate], unhandled: 'reject' },
  )

export const staleAnswer: PlantedBug = {
  mistake: 'The answer to an older question is taken for that to the newer',
  origin: 'The reply is recognised by its type only, and while there is one question at a time that is enough.',
  finding: 'INVARIANT_BROKEN the price agreed is that of the plan',
  world: (version) => {
    const saga = subscription(version)
    return world({ entities: [rate, saga] })
      .stimuli({
        choose: ['basic', 'gold'].map((plan) => send(Subscription.at('s1'), { type: 'Choose', plan })),
      })
      .always('the price agreed is that of the plan', (w) =>
        w.all(saga).every(({ context, status }) => status !== 'done' || context.cents === priceOf(context.plan)),
      )
  },
}
