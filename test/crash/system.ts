// system.ts: a small system in which every message leaves a trace, so that one lost, doubled or out of order is counted.
//
//   client --Hand n--> desk --Take--> counter        each desk numbers what it sends to a counter (G6)
//                      desk <-Taken-- counter
//                      desk --Stamp, delayed--> desk
//   every 4th hand     desk --Handed--> errand        waits, then calls the carrier (outside), then tells its desk
//   every 8th hand     desk --Recalled--> errand      may cancel the waiting in time, or come too late (G9)
//   client --Sign n--> guest                          without an idempotency key: at most once
import { contract, defineAggregate, defineSaga, effect, follow } from '@interstate/core'
import { number, object, picklist, string } from 'valibot'
import { assign, enqueueActions, sendTo, setup } from 'xstate'
import type { Carrier } from './carrier.ts'

/** Hands that one desk takes. Few, so that its tallies stay short. */
export const handsPerDesk = 20
/** Hands have a number; it says which desk takes it and where it goes from there. */
export const deskOf = (n: number): string => `d${Math.floor(n / handsPerDesk)}`
export const counterOf = (n: number): string => `c${Math.floor(n / (10 * handsPerDesk))}.${n % 3}`
export const hasErrand = (n: number): boolean => n % 4 === 0
export const isRecalled = (n: number): boolean => n % 8 === 0
const waitMs = (n: number): number => n % 7

/** How an errand ended. */
const end = picklist(['delivered', 'recalled'])

/** Takes what clients hand in. */
export const Desk = contract('desk', {
  commands: {
    Hand: object({ n: number() }),
    Stamp: object({ n: number() }),
    Done: object({ n: number(), end }),
  },
  events: { Handed: object({ n: number() }), Recalled: object({ n: number() }) },
  // Which of the desk's hands it was: another number for a repeat would betray a second handling.
  replies: { Accepted: object({ place: number() }) },
})

/** Counts what each desk sends. */
export const Counter = contract('counter', {
  commands: { Take: object({ desk: string(), n: number(), sequence: number() }) },
  replies: { Taken: object({ counter: string(), n: number(), sequence: number() }) },
})

/** Takes messages without a key. */
export const Guest = contract('guest', { commands: { Sign: object({ n: number() }) } })

export type DeskContext = {
  key: string
  hands: number
  /** How often each hand was handled, a digit for each. */
  handed: string
  stamped: string
  /** How many times an errand came back. */
  done: string
  /** The last number sent to each counter, and the last that came back. */
  sent: Record<string, number>
  back: Record<string, number>
  faults: string[]
}

export const desk = defineAggregate(
  Desk,
  setup({
    types: Desk.types<DeskContext, typeof Counter>(),
  }).createMachine({
    context: ({ input: { key } }) => ({
      key,
      hands: 0,
      handed: noneOf(handsPerDesk),
      stamped: noneOf(handsPerDesk),
      done: noneOf(handsPerDesk),
      sent: {},
      back: {},
      faults: [],
    }),
    on: {
      Hand: {
        actions: [
          assign({
            hands: ({ context }) => context.hands + 1,
            handed: ({ context, event: { n } }) => oneMore(context.handed, n % handsPerDesk),
            sent: ({ context, event: { n } }) => oneFurther(context.sent, counterOf(n)),
          }),
          sendTo(
            ({ event }) => Counter.at(counterOf(event.n)),
            ({ context: { key, sent }, event: { n } }) => ({
              type: 'Take',
              desk: key,
              n,
              sequence: sent[counterOf(n)] ?? 0,
            }),
          ),
          sendTo(
            ({ context }) => Desk.at(context.key),
            ({ event: { n } }) => ({ type: 'Stamp', n }),
            { delay: ({ event }) => waitMs(event.n) },
          ),
          enqueueActions(({ enqueue, event: { n } }) => {
            if (hasErrand(n)) enqueue.emit({ type: 'Handed', n })
          }),
          Desk.reply(({ context }) => ({ type: 'Accepted', place: context.hands })),
        ],
      },
      'counter.Taken': {
        actions: [
          assign(({ context, event: { counter, sequence } }) => follows(context, 'back', counter, sequence)),
          enqueueActions(({ enqueue, event: { n } }) => {
            if (isRecalled(n)) enqueue.emit({ type: 'Recalled', n })
          }),
        ],
      },
      Stamp: {
        actions: assign({ stamped: ({ context, event: { n } }) => oneMore(context.stamped, n % handsPerDesk) }),
      },
      Done: { actions: assign({ done: ({ context, event: { n } }) => oneMore(context.done, n % handsPerDesk) }) },
    },
  }),
  { sends: [Counter, Desk] },
)

export type CounterContext = { key: string; last: Record<string, number>; faults: string[] }

export const counter = defineAggregate(
  Counter,
  setup({ types: Counter.types<CounterContext>() }).createMachine({
    context: ({ input: { key } }) => ({ key, last: {}, faults: [] }),
    on: {
      Take: {
        actions: [
          assign(({ context, event }) => follows(context, 'last', event.desk, event.sequence)),
          Counter.reply(({ context, event: { n, sequence } }) => ({
            type: 'Taken',
            counter: context.key,
            n,
            sequence,
          })),
        ],
      },
    },
  }),
)

export const guest = defineAggregate(
  Guest,
  setup({ types: Guest.types<{ signed: Record<string, number> }>() }).createMachine({
    context: { signed: {} },
    on: { Sign: { actions: assign({ signed: ({ context, event }) => oneFurther(context.signed, String(event.n)) }) } },
  }),
)

const followed = follow(Desk.event('Handed').by('n').starts(), Desk.event('Recalled').by('n'))

/** The process that reaches outside, for the carrier that it calls. */
export function errandWith(carrier: Carrier) {
  return defineSaga(
    'errand',
    followed,
    setup({
      types: followed.types<{ n: number; booking: string }>(),
      actors: {
        book: effect<{ n: number }, string>(({ input, idempotencyKey }) => carrier.book(input.n, idempotencyKey)),
      },
      delays: { wait: ({ context }) => waitMs(context.n) },
      actions: {
        tell: sendTo(
          ({ context }) => Desk.at(deskOf(context.n)),
          ({ context }, how: 'delivered' | 'recalled') => ({ type: 'Done', n: context.n, end: how }),
        ),
      },
    }).createMachine({
      context: ({ input }) => ({ n: input.message.n, booking: '' }),
      initial: 'waiting',
      states: {
        waiting: { after: { wait: 'booking' }, on: { 'desk.Recalled': 'recalled' } },
        booking: {
          invoke: {
            src: 'book',
            input: ({ context }) => ({ n: context.n }),
            onDone: { target: 'delivered', actions: assign({ booking: ({ event }) => event.output }) },
          },
          on: { 'desk.Recalled': {} },
        },
        delivered: { type: 'final', entry: { type: 'tell', params: 'delivered' } },
        recalled: { type: 'final', entry: { type: 'tell', params: 'recalled' } },
      },
    }),
    { sends: [Desk] },
  )
}

/** All entities of the system. */
export function systemWith(carrier: Carrier) {
  const errand = errandWith(carrier)
  return { errand, entities: [desk, counter, guest, errand] }
}

/** A tally of nothing. */
const noneOf = (count: number): string => '0'.repeat(count)

/** A tally with one more at a place; at 9 it stays. */
function oneMore(tally: string, index: number): string {
  const count = Math.min(9, Number(tally[index]) + 1)
  return `${tally.slice(0, index)}${count}${tally.slice(index + 1)}`
}

function oneFurther(numbers: Record<string, number>, key: string): Record<string, number> {
  return { ...numbers, [key]: (numbers[key] ?? 0) + 1 }
}

/** Notes a number that must come right after the last one from there. */
function follows<K extends 'last' | 'back'>(
  context: { readonly faults: string[] } & { readonly [P in K]: Record<string, number> },
  list: K,
  from: string,
  sequence: number,
) {
  const expected = (context[list][from] ?? 0) + 1
  const fault = `number ${sequence} from ${from} came where ${expected} was due`
  return {
    [list]: { ...context[list], [from]: sequence },
    faults: sequence === expected ? context.faults : [...context.faults, fault].slice(-20),
  }
}
