// system.ts: entities of every kind, as the golden files hold them.
// Files of old versions have these very machines in them, so nothing here may change: what is new gets a name of its own.
import { contract, defineAggregate, defineSaga, effect, follow } from '@interstate/core'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'

/** Keeps money; may be frozen and closed. */
export const Account = contract('account', {
  version: 2,
  commands: {
    Deposit: z.object({ cents: z.number().int(), note: z.string().optional() }),
    Freeze: z.object({}),
    Thaw: z.object({}),
    Close: z.object({}),
  },
  events: { Deposited: z.object({ account: z.string(), cents: z.number() }) },
  replies: { Balance: z.object({ cents: z.number() }) },
})

/** Writes entries down, and may find one that it can't bear. */
export const Journal = contract('journal', { commands: { Enter: z.object({ text: z.string() }) } })

/** Like the journal, but one that it can't bear is put away. */
export const Sieve = contract('sieve', { commands: { Pass: z.object({ text: z.string() }) } })

type AccountContext = { key: string; cents: number; notes: string[] }

const account = defineAggregate(
  Account,
  setup({
    types: Account.types<AccountContext>(),
  }).createMachine({
    version: '3',
    context: ({ input: { key } }) => ({ key, cents: 0, notes: [] }),
    initial: 'open',
    output: ({ context }) => ({ cents: context.cents }),
    states: {
      open: {
        initial: 'poor',
        states: {
          poor: { always: { guard: ({ context }) => context.cents >= 1_000, target: 'rich' } },
          rich: {},
          last: { type: 'history' },
        },
        on: {
          Deposit: {
            actions: [
              assign({
                cents: ({ context, event }) => context.cents + event.cents,
                notes: ({ context, event: { note } }) =>
                  note === undefined ? context.notes : [...context.notes, note],
              }),
              emit(({ context, event }) => ({ type: 'Deposited', account: context.key, cents: event.cents })),
              Account.reply(({ context }) => ({ type: 'Balance', cents: context.cents })),
            ],
          },
          Freeze: 'frozen',
          Close: 'closed',
        },
      },
      frozen: {
        on: { Thaw: 'open.last' },
        // A timer that has not fired when the file is written.
        after: { 86400000: 'open.last' },
      },
      closed: { type: 'final' },
    },
  }),
)

/** Keeps texts, as long as it can bear them. */
const journalMachine = (bears: Bears) =>
  setup({ types: Journal.types<{ entries: string[] }>() }).createMachine({
    context: { entries: [] },
    on: {
      Enter: {
        actions: assign(({ context, event }) => {
          if (!bears(event.text)) throw new Error(`can't bear ${event.text}`)
          return { entries: [...context.entries, event.text] }
        }),
      },
    },
  })

const sieveMachine = (bears: Bears) =>
  setup({ types: Sieve.types<{ passed: string[] }>() }).createMachine({
    context: { passed: [] },
    on: {
      Pass: {
        guard: ({ event }) => event.text !== '',
        actions: assign(({ context, event }) => {
          if (!bears(event.text)) throw new Error(`can't bear ${event.text}`)
          return { passed: [...context.passed, event.text] }
        }),
      },
    },
  })

const follows = follow(Account.event('Deposited').by('account').starts())

/** Thanks whoever deposits: by a letter, outside, and later by a gift. */
const thanksBy = (post: Post) =>
  defineSaga(
    'thanks',
    follows,
    setup({
      types: follows.types<{ account: string; letter: string }, typeof Account>(),
      actors: {
        letter: effect<{ account: string }, string>(({ input, idempotencyKey }) =>
          post.send(input.account, idempotencyKey),
        ),
      },
    }).createMachine({
      context: ({ input }) => ({ account: input.key, letter: '' }),
      initial: 'writing',
      // A delayed message that is not sent when the file is written.
      entry: sendTo(
        ({ context }) => Account.at(context.account),
        { type: 'Deposit', cents: 1, note: 'a gift' },
        { delay: 604_800_000, id: 'gift' },
      ),
      on: { 'account.Deposited': {}, 'account.Balance': {}, 'account.rejected': {} },
      states: {
        writing: {
          invoke: {
            src: 'letter',
            input: ({ context }) => ({ account: context.account }),
            onDone: { target: 'waiting', actions: assign({ letter: ({ event }) => event.output }) },
          },
        },
        waiting: { after: { 1209600000: 'over' } },
        over: { type: 'final' },
      },
    }),
    { sends: [Account] },
  )

/** Whether a text can be borne. */
export type Bears = (text: string) => boolean

/** Takes letters, outside. */
export interface Post {
  send(account: string, key: string): Promise<string>
}

/** The definitions, for the texts that they bear and the post that they write to. */
export function systemWith({ bears, post }: { readonly bears: Bears; readonly post: Post }) {
  const journal = defineAggregate(Journal, journalMachine(bears), { poison: 'park' })
  const sieve = defineAggregate(Sieve, sieveMachine(bears))
  const thanks = thanksBy(post)
  return { account, journal, sieve, thanks, entities: [account, journal, sieve, thanks] }
}
