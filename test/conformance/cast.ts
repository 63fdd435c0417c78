// cast.ts: the machines that these tests put on stage. What goes wrong with them is decided outside of them.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'

/** Takes numbers and keeps them in order. */
export const Till = contract('till', {
  commands: { Ring: z.object({ n: z.number() }) },
  events: { Rung: z.object({ n: z.number() }) },
})

/** Rings tills. */
export const Clerk = contract('clerk', {
  commands: { Tell: z.object({ to: z.string(), n: z.number() }) },
})

const numbers = z.object({ n: z.number() })

/** What every machine asks before it handles a number; it may throw. */
export type Trial = (n: number, by: string) => void

/** A till, a clerk and a saga that follows the till. `trial` is asked by the till and the saga. */
export function cast(trial: Trial) {
  const till = defineAggregate(
    Till,
    setup({ types: Till.types<{ key: string; rung: number[] }>() }).createMachine({
      context: ({ input }) => ({ key: input.key, rung: [] }),
      on: {
        Ring: {
          actions: [
            assign(({ context, event }) => {
              trial(event.n, `till ${context.key}`)
              return { rung: [...context.rung, event.n] }
            }),
            emit(({ event }) => ({ type: 'Rung', n: event.n })),
          ],
        },
      },
    }),
  )
  const clerk = defineAggregate(
    Clerk,
    setup({ types: Clerk.types<{ told: number }>() }).createMachine({
      context: { told: 0 },
      on: {
        Tell: {
          actions: [
            assign({ told: ({ context }) => context.told + 1 }),
            sendTo(
              ({ event }) => Till.at(event.to),
              ({ event }) => ({ type: 'Ring', n: event.n }),
            ),
          ],
        },
      },
    }),
    { sends: [Till] },
  )
  const follows = follow(Till.event('Rung').bySource().starts())
  const audit = defineSaga(
    'audit',
    follows,
    setup({ types: follows.types<{ heard: number[] }>() }).createMachine({
      context: ({ input }) => {
        const { n } = numbers.parse(input.message)
        trial(n, `audit ${input.key}`)
        return { heard: [n] }
      },
      on: {
        'till.Rung': {
          actions: assign(({ context, event }) => {
            trial(event.n, 'audit')
            return { heard: [...context.heard, event.n] }
          }),
        },
      },
    }),
  )
  return { till, clerk, audit, entities: [till, clerk, audit] }
}

/** Counts steps and sees whether each is greater than the one before: for many messages. It parks when it fails. */
export const Walk = contract('walk', { commands: { Step: z.object({ n: z.number() }) } })

export function walker(trial: Trial) {
  return defineAggregate(
    Walk,
    setup({ types: Walk.types<{ steps: number; last: number; back: number }>() }).createMachine({
      context: { steps: 0, last: -1, back: 0 },
      on: {
        Step: {
          actions: assign(({ context: { steps, last, back }, event: { n } }) => {
            trial(n, 'walk')
            return { steps: steps + 1, last: n, back: n > last ? back : back + 1 }
          }),
        },
      },
    }),
    { poison: 'park' },
  )
}

/** Numbers that bring a machine down, until somebody mends it. */
export function jam(): { readonly numbers: Set<number>; readonly trial: Trial } {
  const jammed = new Set<number>()
  return {
    numbers: jammed,
    trial: (n, by) => {
      if (jammed.has(n)) throw new Error(`${by} jams at ${n}`)
    },
  }
}
