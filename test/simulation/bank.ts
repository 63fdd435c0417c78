// bank.ts: accounts and transfers between them: the smallest system in which something can get lost, or happen twice.
import { contract, defineAggregate, defineSaga, effect, follow } from '@interstate/core'
import { send, type World, world } from '@interstate/testing'
import fc from 'fast-check'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'

const cents = z.number().int().positive()

export const Account = contract('account', {
  commands: { Open: z.object({ cents }), Debit: z.object({ cents }), Credit: z.object({ cents }) },
  replies: { Debited: z.object({}), Credited: z.object({}), Refused: z.object({ reason: z.string() }) },
})

export const Transfer = contract('transfer', {
  commands: { Start: z.object({ from: z.string(), to: z.string(), cents }) },
})

export const account = defineAggregate(
  Account,
  setup({
    types: Account.types<{ cents: number }>(),
    guards: { affordable: ({ context, event }) => event.type === 'Debit' && event.cents <= context.cents },
    actions: {
      add: assign({ cents: ({ context, event }) => context.cents + event.cents }),
      take: assign({ cents: ({ context, event }) => context.cents - event.cents }),
    },
  }).createMachine({
    context: { cents: 0 },
    initial: 'closed',
    states: {
      closed: { on: { Open: { target: 'open', actions: 'add' } } },
      open: {
        on: {
          Debit: [
            { guard: 'affordable', actions: ['take', Account.reply({ type: 'Debited' })] },
            { actions: Account.reply({ type: 'Refused', reason: 'too little' }) },
          ],
          Credit: { actions: ['add', Account.reply({ type: 'Credited' })] },
        },
      },
    },
  }),
)

/** How a bank may be wrong. */
export interface Mistakes {
  /** Money that can't be credited does not go back. */
  readonly refund?: 'forgotten'
  /** What the outside does with a letter that it gets again. */
  readonly letters?: 'sent again'
}

interface TransferContext {
  from: string
  to: string
  cents: number
}

const follows = follow()

export function transferOf({ refund }: Mistakes = {}) {
  return defineSaga(
    Transfer,
    follows,
    setup({
      types: follows.types<TransferContext, typeof Account, never, typeof Transfer>(),
      actors: { notify: effect<{ to: string }, null>(() => Promise.reject(new Error('no network in a test'))) },
    }).createMachine({
      context: { from: '', to: '', cents: 0 },
      initial: 'new',
      states: {
        new: {
          on: {
            Start: {
              target: 'debiting',
              actions: assign(({ event }) => ({ from: event.from, to: event.to, cents: event.cents })),
            },
          },
        },
        debiting: {
          entry: sendTo(
            ({ context }) => Account.at(context.from),
            ({ context }) => ({ type: 'Debit', cents: context.cents }),
          ),
          on: { 'account.Debited': 'crediting', 'account.Refused': 'refused', 'account.rejected': 'refused' },
        },
        crediting: {
          entry: sendTo(
            ({ context }) => Account.at(context.to),
            ({ context }) => ({ type: 'Credit', cents: context.cents }),
          ),
          on: {
            'account.Credited': 'notifying',
            'account.rejected': refund === 'forgotten' ? 'refused' : 'refunding',
          },
        },
        refunding: {
          entry: sendTo(
            ({ context }) => Account.at(context.from),
            ({ context }) => ({ type: 'Credit', cents: context.cents }),
          ),
          on: { 'account.Credited': 'refunded' },
        },
        notifying: {
          invoke: {
            src: 'notify',
            input: ({ context }) => ({ to: context.to }),
            onDone: 'done',
            onError: { target: 'notifying', reenter: true },
          },
        },
        refused: { type: 'final' },
        refunded: { type: 'final' },
        done: { type: 'final' },
      },
    }),
    { sends: [Account], unhandled: 'reject' },
  )
}

/** Letters that the outside has sent, by the idempotency key of the effect; how often each. */
export interface Post {
  readonly letters: Record<string, number>
}

const openingCents = 500

/** Two accounts, a third one that is closed, and any transfers between them. */
export function bank(mistakes: Mistakes = {}): World<Post> {
  const transfer = transferOf(mistakes)
  const key = fc.constantFrom('A', 'B', 'C')
  return world({ entities: [account, transfer] })
    .setup((w) => {
      for (const each of ['A', 'B']) w.send(Account.at(each), { type: 'Open', cents: openingCents } as never)
    })
    .stimuli({
      start: fc
        .record({ id: fc.integer({ min: 1, max: 99 }), from: key, to: key, cents: fc.integer({ min: 1, max: 700 }) })
        .map(({ id, ...rest }) => send(Transfer.at(`${id}`), { type: 'Start', ...rest })),
    })
    .outside<Post>({ letters: {} })
    .effects({
      notify: ({ idempotencyKey, outside: { letters } }) => {
        if (mistakes.letters !== 'sent again' && letters[idempotencyKey] !== undefined) return null
        letters[idempotencyKey] = (letters[idempotencyKey] ?? 0) + 1
        return null
      },
    })
    .always('no account is overdrawn', (w) => w.all(account).every(({ context }) => context.cents >= 0))
    .always('no money comes from nowhere', (w) => total(w.all(account)) <= 2 * openingCents)
    .always('a letter is sent once', (w) => Object.values(w.outside.letters).every((count) => count === 1))
    .eventually('all money is there', (w) => total(w.all(account)) === 2 * openingCents)
    .eventually('every transfer is settled', (w) => w.all(transfer).every(({ status }) => status === 'done'))
    .sometimes('a transfer is refused', (w) => w.any(transfer, (each) => each.matches('refused')))
    .sometimes('a transfer is done', (w) => w.any(transfer, (each) => each.matches('done')))
}

function total(accounts: readonly { readonly context: { readonly cents: number } }[]): number {
  return accounts.reduce((sum, { context }) => sum + context.cents, 0)
}
