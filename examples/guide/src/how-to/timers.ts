// Timers: a state that is left after a while, a message that is sent later, and taking one back.
import { contract, defineAggregate } from '@interstate/core'
import { assign, cancel, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'

export const Letter = contract('letter', {
  commands: { Write: z.object({ text: z.string() }) },
})

export const letter = defineAggregate(
  Letter,
  setup({ types: Letter.types<{ texts: string[] }>() }).createMachine({
    context: { texts: [] },
    on: {
      Write: { actions: assign({ texts: ({ context, event }) => [...context.texts, event.text] }) },
    },
  }),
)

export const Invoice = contract('invoice', {
  commands: { Issue: z.object({ cents: z.number() }), Pay: z.object({}), Extend: z.object({}) },
})

const day = 24 * 60 * 60_000

// #region machine
type Internal = { type: 'PAYMENT_OVERDUE' }

export const invoice = defineAggregate(
  Invoice,
  setup({
    types: Invoice.types<{ cents: number; key: string }, never, Internal>(),
    delays: { paymentTerm: 14 * day },
  }).createMachine({
    context: ({ input }) => ({ cents: 0, key: input.key }),
    initial: 'draft',
    states: {
      draft: {
        on: { Issue: { target: 'issued', actions: assign({ cents: ({ event }) => event.cents }) } },
      },
      issued: {
        entry: [
          // A message to another entity, in ten days. Its id is what `cancel` takes.
          sendTo(
            ({ context }) => Letter.at(context.key),
            { type: 'Write', text: 'Please think of our invoice.' },
            { delay: 10 * day, id: 'reminder' },
          ),
          // An event to itself.
          raise({ type: 'PAYMENT_OVERDUE' }, { delay: 'paymentTerm', id: 'overdue' }),
        ],
        on: {
          Pay: { target: 'paid', actions: [cancel('reminder'), cancel('overdue')] },
          // The same id again: the old timer is replaced, and never fires.
          Extend: { actions: raise({ type: 'PAYMENT_OVERDUE' }, { delay: 'paymentTerm', id: 'overdue' }) },
          PAYMENT_OVERDUE: 'collecting',
        },
      },
      collecting: {
        on: { Pay: 'paid' },
        // `after` belongs to its state: leaving the state takes it back.
        after: { [30 * day]: 'writtenOff' },
      },
      paid: { type: 'final' },
      writtenOff: { type: 'final' },
    },
  }),
  { sends: [Letter] },
)
// #endregion
