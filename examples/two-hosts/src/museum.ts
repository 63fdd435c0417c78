// museum.ts: visitors come in through doors; each door tells its hall. Most doors and halls are in different shards.
import { contract, defineAggregate } from '@interstate/core'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'

export const doors = 24
export const halls = 6

const Door = contract('door', { commands: { Enter: z.object({ hall: z.string() }) } })
const Hall = contract('hall', { commands: { Count: z.object({}) } })

export const door = defineAggregate(
  Door,
  setup({ types: Door.types<{ visitors: number }, typeof Hall>() }).createMachine({
    context: { visitors: 0 },
    on: {
      Enter: {
        actions: [
          assign({ visitors: ({ context }) => context.visitors + 1 }),
          sendTo(({ event }) => Hall.at(event.hall), { type: 'Count' }),
        ],
      },
    },
  }),
  { sends: [Hall] },
)

export const hall = defineAggregate(
  Hall,
  setup({ types: Hall.types<{ visitors: number }>() }).createMachine({
    context: { visitors: 0 },
    on: { Count: { actions: assign({ visitors: ({ context }) => context.visitors + 1 }) } },
  }),
)
