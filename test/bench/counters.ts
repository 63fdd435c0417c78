// counters.ts: W1, one-way messages to counters.
import { contract, defineAggregate } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

export const Counter = contract('counter', { commands: { Add: z.object({ by: z.number().int() }) } })

export const counter = defineAggregate(
  Counter,
  setup({ types: Counter.types<{ total: number }>() }).createMachine({
    context: { total: 0 },
    on: { Add: { actions: assign({ total: ({ context, event }) => context.total + event.by }) } },
  }),
)

/** W1 as it stands in the docs. */
export const w1 = { messages: 50_000, entities: 1_000, inFlight: 5_000 } as const

/** The key of the counter that the n-th message goes to. */
export function counterKey(n: number, entities: number): string {
  return `c${n % entities}`
}
