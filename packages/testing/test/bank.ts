// bank.ts: two accounts and a saga that moves money between them.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { type Stimulus, send, type WorldView, world } from '../src/index.ts'

const moved = z.object({ transfer: z.string(), cents: z.number().int().positive() })

export const Account = contract('account', {
  commands: { Open: z.object({ cents: z.number().int() }), Debit: moved, Credit: moved },
  events: { Debited: moved, Credited: moved, Declined: moved },
})
export const Transfer = contract('transfer', {
  commands: { Start: z.object({ from: z.string(), to: z.string(), cents: z.number().int().positive() }) },
})

export const account = defineAggregate(
  Account,
  setup({
    types: Account.types<{ cents: number }>(),
    guards: { covers: ({ context }, { cents }: { cents: number }) => context.cents >= cents },
  }).createMachine({
    context: { cents: 0 },
    initial: 'closed',
    states: {
      closed: {
        on: {
          Open: { target: 'open', actions: assign({ cents: ({ event }) => event.cents }) },
          '*': { actions: emit(({ event }) => ({ ...event, type: 'Declined' }) as never) },
        },
      },
      open: {
        on: {
          Debit: [
            {
              guard: { type: 'covers', params: ({ event }) => event },
              actions: [
                assign({ cents: ({ context, event }) => context.cents - event.cents }),
                emit(({ event }) => ({ ...event, type: 'Debited' })),
              ],
            },
            { actions: emit(({ event }) => ({ ...event, type: 'Declined' })) },
          ],
          Credit: {
            actions: [
              assign({ cents: ({ context, event }) => context.cents + event.cents }),
              emit(({ event }) => ({ ...event, type: 'Credited' })),
            ],
          },
        },
      },
    },
  }),
)

interface Moving {
  key: string
  from: string
  to: string
  cents: number
}
const follows = follow(
  Account.event('Debited').by('transfer'),
  Account.event('Credited').by('transfer'),
  Account.event('Declined').by('transfer'),
)
const moving = ({ context: { key, cents } }: { context: Moving }) => ({ transfer: key, cents })

/** @param refunds - Whether money that could not be credited goes back. */
export function transferThat(refunds: 'refunds' | 'forgets') {
  return defineSaga(
    Transfer,
    follows,
    setup({ types: follows.types<Moving, never, never, typeof Transfer>() }).createMachine({
      context: ({ input }) => ({ key: input.key, from: '', to: '', cents: 0 }),
      initial: 'new',
      states: {
        new: {
          on: {
            Start: { target: 'debiting', actions: assign(({ event: { from, to, cents } }) => ({ from, to, cents })) },
          },
        },
        debiting: {
          entry: sendTo(
            ({ context }) => Account.at(context.from),
            (args) => ({ type: 'Debit', ...moving(args) }),
          ),
          on: { 'account.Debited': 'crediting', 'account.Declined': 'failed' },
        },
        crediting: {
          entry: sendTo(
            ({ context }) => Account.at(context.to),
            (args) => ({ type: 'Credit', ...moving(args) }),
          ),
          on: { 'account.Credited': 'done', 'account.Declined': refunds === 'refunds' ? 'refunding' : 'failed' },
        },
        refunding: {
          entry: sendTo(
            ({ context }) => Account.at(context.from),
            (args) => ({ type: 'Credit', ...moving(args) }),
          ),
          on: { 'account.Credited': 'failed' },
        },
        done: { type: 'final' },
        failed: { type: 'final' },
      },
    }),
    { sends: [Account], unhandled: 'reject' },
  )
}
export const transfer = transferThat('refunds')

export function start(key: string, from: string, to: string, cents: number): Stimulus {
  return send(Transfer.at(key), { type: 'Start', from, to, cents })
}

/** What is on accounts and what was taken from one and is not yet on another. */
export function total(w: WorldView, of = transfer): number {
  const onAccounts = w.all(account).map(({ context }) => context.cents)
  const arrived = (key: string): boolean =>
    w.underWay.some(({ type, to }) => type === 'account.Credited' && to === `transfer/${key}`)
  const held = w
    .all(of)
    .filter((each) => (each.matches('crediting') || each.matches('refunding')) && !arrived(each.key))
    .map(({ context }) => context.cents)
  const taken = w.underWay.filter(({ type }) => type === 'account.Debited').map(({ data }) => Number(data.cents))
  return [...onAccounts, ...held, ...taken].reduce((sum, cents) => sum + cents, 0)
}

/** The two-account transfer world. `C` is no account. */
export const bank = world({ entities: [account, transfer] })
  .setup((w) => {
    w.send(Account.at('A'), { type: 'Open', cents: 500 })
    w.send(Account.at('B'), { type: 'Open', cents: 500 })
  })
  .stimuli({ start: [start('1', 'A', 'B', 300), start('2', 'B', 'A', 300), start('3', 'A', 'C', 300)] })
  .always('money is conserved', (w) => total(w) === 1_000)
  .always('no account is overdrawn', (w) => w.all(account).every(({ context }) => context.cents >= 0))
  .eventually('every transfer settles', (w) => w.all(transfer).every(({ status }) => status === 'done'))
  .sometimes('a refund happens', (w) => w.any(transfer, (each) => each.matches('refunding')))
