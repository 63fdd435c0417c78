// opposite-locks.ts: two transfers lock the same two accounts, each in its own order, and wait for each other.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { send, world } from '@interstate/testing'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import type { PlantedBug, Version } from './planted-bug.ts'

const by = z.object({ by: z.string() })
const Lock = contract('lock', { commands: { Take: by, Release: z.object({}) }, events: { Granted: by } })
const Transfer = contract('transfer', { commands: { Start: z.object({ from: z.string(), to: z.string() }) } })

/** Whoever stands first holds it. */
const lock = defineAggregate(
  Lock,
  setup({ types: Lock.types<{ queue: string[] }>() }).createMachine({
    context: { queue: [] },
    on: {
      Take: [
        {
          guard: ({ context }) => context.queue.length === 0,
          actions: [
            assign({ queue: ({ event }) => [event.by] }),
            emit(({ event }) => ({ type: 'Granted', by: event.by })),
          ],
        },
        { actions: assign({ queue: ({ context, event }) => [...context.queue, event.by] }) },
      ],
      Release: [
        {
          guard: ({ context }) => context.queue.length > 1,
          actions: [
            assign({ queue: ({ context }) => context.queue.slice(1) }),
            emit(({ context }) => ({ type: 'Granted', by: context.queue[0] ?? '' })),
          ],
        },
        { actions: assign({ queue: [] }) },
      ],
    },
  }),
)

const follows = follow(Lock.event('Granted').by('by'))

const transfer = (version: Version) =>
  defineSaga(
    Transfer,
    follows,
    setup({
      types: follows.types<{ key: string; first: string; second: string }, never, never, typeof Transfer>(),
    }).createMachine({
      context: ({ input }) => ({ key: input.key, first: '', second: '' }),
      initial: 'new',
      states: {
        new: {
          on: {
            Start: {
              target: 'lockingFirst',
              actions: assign(({ event: { from, to } }) => {
                const isInOrder = version === 'planted' || from < to
                return { first: isInOrder ? from : to, second: isInOrder ? to : from }
              }),
            },
          },
        },
        lockingFirst: {
          entry: sendTo(
            ({ context }) => Lock.at(context.first),
            ({ context }) => ({ type: 'Take', by: context.key }),
          ),
          on: { 'lock.Granted': 'lockingSecond' },
        },
        lockingSecond: {
          entry: sendTo(
            ({ context }) => Lock.at(context.second),
            ({ context }) => ({ type: 'Take', by: context.key }),
          ),
          on: { 'lock.Granted': 'done' },
        },
        done: {
          entry: [
            sendTo(({ context }) => Lock.at(context.second), { type: 'Release' }),
            sendTo(({ context }) => Lock.at(context.first), { type: 'Release' }),
          ],
          type: 'final',
        },
      },
    }),
    { sends: [Lock], unhandled: 'reject' },
  )

export const oppositeLocks: PlantedBug = {
  mistake: 'Two sagas wait for what the other holds',
  origin: 'Each locks the payer first, which is natural; two people who pay each other lock in opposite orders.',
  finding: 'SAGA_STUCK transfer',
  world: (version) =>
    world({ entities: [lock, transfer(version)] }).stimuli({
      start: [
        send(Transfer.at('t1'), { type: 'Start', from: 'ann', to: 'ben' }),
        send(Transfer.at('t2'), { type: 'Start', from: 'ben', to: 'ann' }),
      ],
    }),
}
