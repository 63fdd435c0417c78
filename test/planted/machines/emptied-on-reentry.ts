// emptied-on-reentry.ts: a saga that gathers parts enters its state again for each, and begins with none each time.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const nothing = z.object({})
const Workshop = contract('workshop', {
  commands: { Make: z.object({ part: z.string() }) },
  replies: { Made: z.object({ part: z.string() }) },
})
const Bicycle = contract('bicycle', { commands: { Order: nothing } })

const workshop = defineAggregate(
  Workshop,
  setup({ types: Workshop.types() }).createMachine({
    on: { Make: { actions: Workshop.reply(({ event }) => ({ type: 'Made', part: event.part })) } },
  }),
)

const follows = follow()

const bicycle = (version: Version) =>
  defineSaga(
    Bicycle,
    follows,
    setup({ types: follows.types<{ parts: string[] }, typeof Workshop, never, typeof Bicycle>() }).createMachine({
      context: { parts: [] },
      initial: 'new',
      states: {
        new: {
          on: {
            Order: {
              target: 'gathering',
              actions: [
                sendTo(Workshop.at('frames'), { type: 'Make', part: 'frame' }),
                sendTo(Workshop.at('wheels'), { type: 'Make', part: 'wheels' }),
              ],
            },
          },
        },
        gathering: {
          entry: version === 'planted' ? assign({ parts: [] }) : [],
          on: {
            'workshop.Made': [
              { guard: ({ context }) => context.parts.length === 1, target: 'built' },
              {
                target: 'gathering',
                // With each part the patience begins anew.
                reenter: true,
                actions: assign({ parts: ({ context, event }) => [...context.parts, event.part] }),
              },
            ],
          },
          after: { 86400000: 'givenUp' },
        },
        built: { type: 'final' },
        givenUp: { type: 'final' },
      },
    }),
    { sends: [Workshop], unhandled: 'reject' },
  )

export const emptiedOnReentry: PlantedBug = {
  mistake: 'What was gathered is lost when the state is entered again',
  origin: '`reenter` was wanted for its timer; that the entry action clears the list each time was not.',
  finding: 'SOMETIMES_NEVER a bicycle is built',
  world: (version) => {
    const saga = bicycle(version)
    return world({ entities: [workshop, saga] })
      .stimuli({ order: [send(Bicycle.at('b1'), { type: 'Order' })] })
      .sometimes('a bicycle is built', (w) => w.any(saga, (each) => each.matches('built')))
  },
}
