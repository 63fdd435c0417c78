// Effects: calls to the outside world that survive crashes, may fail, may take too long, and are tried again.
import { contract, defineAggregate, effect } from '@interstate/core'
import { assign, setup } from 'xstate'
import { z } from 'zod'

/** An outside world that knows idempotency keys. */
export interface Printer {
  print(text: string, idempotencyKey: string): Promise<{ sheet: number }>
}

export const Label = contract('label', {
  commands: { Print: z.object({ text: z.string() }) },
  replies: { Printed: z.object({ sheet: z.number() }), Failed: z.object({ why: z.string() }) },
})

export function labelWith(printer: Printer) {
  return defineAggregate(
    Label,
    // #region simple
    setup({
      types: Label.types<{ text: string }>(),
      actors: {
        print: effect<{ text: string }, { sheet: number }>(({ input, idempotencyKey }) =>
          printer.print(input.text, idempotencyKey),
        ),
      },
    }).createMachine({
      context: { text: '' },
      initial: 'empty',
      states: {
        empty: {
          on: { Print: { target: 'printing', actions: assign({ text: ({ event }) => event.text }) } },
        },
        printing: {
          invoke: {
            src: 'print',
            input: ({ context }) => ({ text: context.text }),
            onDone: {
              target: 'printed',
              actions: Label.reply(({ event }) => ({ type: 'Printed', sheet: event.output.sheet })),
            },
            onError: {
              target: 'empty',
              actions: Label.reply(({ event }) => ({ type: 'Failed', why: (event.error as Error).message })),
            },
          },
        },
        printed: { type: 'final' },
      },
    }),
    // #endregion
  )
}

/** An outside world that can be asked again, with a key of ours. */
export interface Bank {
  transfer(cents: number, key: string, signal: AbortSignal): Promise<string>
}

export const Payout = contract('payout', {
  commands: { Pay: z.object({ cents: z.number().int().positive() }), Abort: z.object({}) },
})

export function payoutWith(bank: Bank) {
  return defineAggregate(
    Payout,
    // #region retries
    setup({
      types: Payout.types<{ key: string; cents: number; attempts: number; reference: string }>(),
      actors: {
        // One key for all attempts: whatever the last one came to, this one does not pay a second time.
        transfer: effect<{ cents: number; key: string }, string>(({ input, signal }) =>
          bank.transfer(input.cents, input.key, signal),
        ),
      },
      delays: { bankTimeout: 60_000, pause: ({ context }) => 1_000 * 2 ** context.attempts },
      guards: { triedEnough: ({ context }) => context.attempts === 3 },
    }).createMachine({
      context: ({ input }) => ({ key: input.key, cents: 0, attempts: 0, reference: '' }),
      initial: 'open',
      states: {
        open: {
          on: { Pay: { target: 'transferring', actions: assign({ cents: ({ event }) => event.cents }) } },
        },
        transferring: {
          entry: assign({ attempts: ({ context }) => context.attempts + 1 }),
          invoke: {
            src: 'transfer',
            input: ({ context }) => ({ cents: context.cents, key: `payout-${context.key}` }),
            onDone: { target: 'paid', actions: assign({ reference: ({ event }) => event.output }) },
            onError: 'failed',
          },
          // Leaving the state aborts the signal of the effect, and its result no longer counts.
          after: { bankTimeout: 'failed' },
          on: { Abort: 'aborted' },
        },
        failed: {
          always: { guard: 'triedEnough', target: 'givenUp' },
          after: { pause: 'transferring' },
          on: { Abort: 'aborted' },
        },
        paid: { type: 'final' },
        aborted: { type: 'final' },
        givenUp: { type: 'final' },
      },
    }),
    // #endregion
  )
}

export const Doorbell = contract('doorbell', { commands: { Ring: z.object({}) } })

export function doorbellWith(log: (line: string) => void) {
  return defineAggregate(
    Doorbell,
    // #region plain
    setup({
      types: Doorbell.types<{ rings: number }>(),
      actions: { log: ({ context }) => log(`rang ${context.rings} times`) },
    }).createMachine({
      context: { rings: 0 },
      on: { Ring: { actions: [assign({ rings: ({ context }) => context.rings + 1 }), 'log'] } },
    }),
    // #endregion
  )
}
