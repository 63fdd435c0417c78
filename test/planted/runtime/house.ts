// house.ts: a small system that uses everything a host offers: chains, answers, timers of all kinds, effects, sagas, keys,
// retries, dead letters. Every number that a client tells goes through all of it, and leaves a trace everywhere.
import { contract, defineAggregate, defineSaga, effect, follow, turn } from '@interstate/core'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'

const number = { n: z.number() }
export const Clerk = contract('clerk', {
  commands: { Tell: z.object({ to: z.string(), ...number }), Choke: z.object(number) },
  replies: { Told: z.object(number) },
})
export const Till = contract('till', { commands: { Ring: z.object({ part: z.number(), ...number }) } })
export const Payment = contract('payment', {
  commands: { Pay: z.object({ till: z.string(), ...number }) },
  events: { Paid: z.object({ till: z.string(), ...number }) },
})
export const Alarm = contract('alarm', {
  commands: { Arm: z.object({ ms: z.number() }), Disarm: z.object({}), Post: z.object({ ms: z.number(), ...number }) },
})

/** What a till has seen of each sender, as `number.part`. */
type Seen = Readonly<Record<string, readonly string[]>>

/** What the machines of the house meet outside. */
export interface Outside {
  /** Pays under a key. */
  pay(key: string, n: number): Promise<void>
  /** Throws while a number can't be handled. */
  trial(n: number): void
}

/** See the file head. */
export function house(outside: Outside) {
  const clerk = defineAggregate(
    Clerk,
    setup({ types: Clerk.types<{ told: { to: string; n: number }[]; choked: number[] }>() }).createMachine({
      context: { told: [], choked: [] },
      on: {
        Tell: {
          actions: [
            assign({ told: ({ context, event: { to, n } }) => [...context.told, { to, n }] }),
            sendTo(
              ({ event }) => Till.at(event.to),
              ({ event: { n } }) => ({ type: 'Ring', n, part: 1 }),
            ),
            sendTo(
              ({ event }) => Till.at(event.to),
              ({ event: { n } }) => ({ type: 'Ring', n, part: 2 }),
            ),
            Clerk.reply(({ event: { n } }) => ({ type: 'Told', n })),
          ],
        },
        Choke: {
          actions: assign(({ context, event: { n } }) => {
            outside.trial(n)
            return { choked: [...context.choked, n] }
          }),
        },
      },
    }),
    { sends: [Till] },
  )
  const till = defineAggregate(
    Till,
    setup({ types: Till.types<{ key: string; seen: Seen }>() }).createMachine({
      context: ({ input }) => ({ key: input.key, seen: {} }),
      on: {
        Ring: {
          actions: [
            assign(({ context: { seen }, event: { n, part } }) => {
              outside.trial(n)
              const { from } = turn().message
              return { seen: { ...seen, [from]: [...(seen[from] ?? []), `${n}.${part}`] } }
            }),
            sendTo(
              ({ event }) => Payment.at(`${event.n}`),
              ({ context, event: { n } }) => ({ type: 'Pay', till: context.key, n }),
            ),
          ],
        },
      },
    }),
    { sends: [Payment] },
  )
  /** Two parts make a payment; it is worth waiting for no longer than a minute. */
  const payment = defineAggregate(
    Payment,
    setup({
      types: Payment.types<{ till: string; n: number; parts: number }>(),
      actors: { pay: effect<{ n: number }, void>(({ input, idempotencyKey }) => outside.pay(idempotencyKey, input.n)) },
    }).createMachine({
      context: { till: '', n: 0, parts: 0 },
      initial: 'open',
      states: {
        open: {
          on: {
            Pay: [
              {
                guard: ({ context }) => context.parts === 1,
                target: 'paying',
                actions: assign({ parts: 2 }),
              },
              { actions: assign(({ event: { till, n } }) => ({ till, n, parts: 1 })) },
            ],
          },
          after: { 60000: 'expired' },
        },
        paying: {
          invoke: {
            src: 'pay',
            input: ({ context }) => ({ n: context.n }),
            onDone: { target: 'paid', actions: emit(({ context: { till, n } }) => ({ type: 'Paid', till, n })) },
          },
        },
        paid: { type: 'final' },
        expired: { on: { Pay: { actions: assign({ parts: ({ context }) => context.parts + 1 }) } } },
      },
    }),
  )
  const follows = follow(Payment.event('Paid').by('till').starts())
  const audit = defineSaga(
    'audit',
    follows,
    setup({ types: follows.types<{ heard: number[] }>() }).createMachine({
      context: ({ input }) => ({ heard: [input.message.n] }),
      on: { 'payment.Paid': { actions: assign({ heard: ({ context, event }) => [...context.heard, event.n] }) } },
    }),
  )
  const alarm = defineAggregate(
    Alarm,
    setup({
      types: Alarm.types<{ due: number; delay: number; rang: { due: number; at: number }[] }>(),
      delays: { armed: ({ context }) => context.delay },
    }).createMachine({
      context: { due: 0, delay: 0, rang: [] },
      initial: 'idle',
      on: {
        Arm: {
          target: '.armed',
          reenter: true,
          actions: assign({ due: ({ event }) => turn().now + event.ms, delay: ({ event }) => event.ms }),
        },
        Post: {
          actions: sendTo(Till.at('0'), ({ event: { n } }) => ({ type: 'Ring' as const, n, part: 1 }), {
            delay: ({ event }) => event.ms,
          }),
        },
      },
      states: {
        idle: { on: { Disarm: {} } },
        armed: {
          on: { Disarm: 'idle' },
          after: {
            armed: {
              target: 'idle',
              actions: assign({ rang: ({ context: { rang, due } }) => [...rang, { due, at: turn().now }] }),
            },
          },
        },
      },
    }),
    { sends: [Till] },
  )
  return { clerk, till, payment, audit, alarm, entities: [clerk, till, payment, audit, alarm] }
}
