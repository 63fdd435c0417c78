// What a green check does not say, and what it needs to be told: each limit that the explanation names, shown.
import { contract, defineAggregate, defineSaga, effect, follow, turn } from '@interstate/core'
import { send, spec, world } from '@interstate/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assign, emit, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Account, account } from '../src/account.ts'
import { transfer as firstTransfer } from '../src/first/transfer.ts'
import { Transfer } from '../src/transfer.contract.ts'
import { transfer } from '../src/transfer.ts'

const start = (key: string, from: string, to: string) => send(Transfer.at(key), { type: 'Start', from, to, cents: 100 })
const opened = world({ entities: [account, transfer] })
  .setup((w) => w.send(Account.at('A'), { type: 'Open', cents: 500 }))
  .setup((w) => w.send(Account.at('B'), { type: 'Open', cents: 500 }))
  .stimuli({
    start: [start('1', 'A', 'B'), start('2', 'B', 'A'), start('3', 'A', 'nobody'), start('4', 'nobody', 'A')],
  })

const Till = contract('till', { commands: { Pay: z.object({ cents: z.number().int().positive() }) } })
const pay = (cents: number) => send(Till.at('1'), { type: 'Pay', cents })

describe('A check looks at what it is given', () => {
  // #region guards
  const till = defineAggregate(
    Till,
    setup({ types: Till.types() }).createMachine({
      initial: 'fine',
      states: { fine: { on: { Pay: { guard: ({ event }) => event.cents === 437, target: 'broken' } } }, broken: {} },
    }),
    { unhandled: 'ignore' },
  )
  const paid = world({ entities: [till] }).always('it is fine', (w) =>
    w.all(till).every((each) => each.matches('fine')),
  )
  // #endregion

  test('guards are executed and not solved: a value that nobody names is not tried', async () => {
    const drawn = paid.stimuli({ pay: fc.integer({ min: 1, max: 1_000 }).map(pay) })
    await drawn.check({ unreached: 'report' })
    await expect(drawn.stimuli({ due: [pay(437)] }).check()).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' })
  })

  test('a mistake that needs four calls is not in the scope of three', async () => {
    const drawer = defineAggregate(
      Till,
      setup({ types: Till.types<{ coins: number }>() }).createMachine({
        context: { coins: 0 },
        on: { Pay: { actions: assign({ coins: ({ context }) => context.coins + 1 }) } },
      }),
    )
    const full = world({ entities: [drawer] })
      .stimuli({ pay: [pay(100)] })
      .always('the drawer shuts', (w) => w.all(drawer).every(({ context }) => context.coins < 4))
    await full.check({ stimuli: 3 })
    await expect(full.check({ stimuli: 4 })).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' })
  })

  test('an action that is none of XState is not run', async () => {
    let rung = 0
    const bell = defineAggregate(
      Till,
      setup({ types: Till.types() }).createMachine({
        on: {
          Pay: {
            actions: () => {
              rung += 1
            },
          },
        },
      }),
    )
    await world({ entities: [bell] })
      .stimuli({ pay: [pay(100)] })
      .check()
    expect(rung).toBe(0)
  })

  test('a saga that only two calls in a row would move on passes for stuck', async () => {
    const Door = contract('door', {
      commands: { Knock: z.object({}) },
      events: { Heard: z.object({}), Opened: z.object({}) },
    })
    const door = defineAggregate(
      Door,
      setup({ types: Door.types() }).createMachine({
        initial: 'quiet',
        states: {
          quiet: { on: { Knock: { target: 'heard', actions: emit({ type: 'Heard' }) } } },
          heard: { on: { Knock: 'almost' } },
          almost: { on: { Knock: { target: 'open', actions: emit({ type: 'Opened' }) } } },
          open: {},
        },
      }),
    )
    const follows = follow(Door.event('Heard').bySource().starts(), Door.event('Opened').bySource())
    const guest = defineSaga(
      'guest',
      follows,
      setup({ types: follows.types() }).createMachine({
        initial: 'waiting',
        states: { waiting: { on: { 'door.Opened': 'inside' } }, inside: { type: 'final' } },
      }),
    )
    const knocks = world({ entities: [door, guest] }).stimuli({ knock: [send(Door.at('1'), { type: 'Knock' })] })
    await expect(knocks.check()).rejects.toMatchObject({ finding: 'SAGA_STUCK guest' })
    await knocks.accept('SAGA_STUCK guest').check()
  })
})

test('an abstraction is trusted where machines look at what it leaves out', async () => {
  const drawer = defineAggregate(
    Till,
    setup({ types: Till.types<{ coins: number }>() }).createMachine({
      context: { coins: 0 },
      initial: 'fine',
      states: {
        fine: {
          on: {
            Pay: [
              { guard: ({ context }) => context.coins >= 2, target: 'broken' },
              { actions: assign({ coins: ({ context }) => context.coins + 1 }) },
            ],
          },
        },
        broken: {},
      },
    }),
  )
  const full = world({ entities: [drawer] })
    .stimuli({ pay: [pay(100)] })
    .always('the drawer is fine', (w) => w.all(drawer).every((each) => each.matches('fine')))
  await expect(full.check()).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' })
  const blind = full.abstract(drawer, () => 'nothing')
  // Only that the state is never reached gives it away.
  await expect(blind.check()).rejects.toMatchObject({ finding: 'STATE_UNREACHED till.broken' })
})

test('a clock that somebody looks at goes on for ever', async () => {
  const ticking = (looks: boolean) => {
    const till = defineAggregate(
      Till,
      setup({ types: Till.types<{ at: number }>() }).createMachine({
        context: { at: 0 },
        initial: 'shut',
        states: {
          shut: { on: { Pay: 'open' } },
          open: {
            entry: assign({ at: () => (looks ? turn().now : 0) }),
            after: { 1000: { target: 'open', reenter: true } },
          },
        },
      }),
    )
    const calls = world({ entities: [till] }).stimuli({ pay: [pay(100)] })
    // Leaving the time out of the context changes nothing: it goes on.
    return calls.abstract(till, () => 'any time')
  }
  await ticking(false).check()
  await expect(ticking(true).check({ maxStates: 1_000 })).rejects.toMatchObject({ code: 'SEARCH_STOPPED' })
})

describe('What a host may do, and no check does', () => {
  const done = z.object({})

  test('an effect that was stopped acts afterwards', async () => {
    const Order = contract('order', { commands: { Pay: done, Cancel: done } })
    const nowhere = effect<void, null>(() => Promise.reject(new Error('There is no bank here.')))
    const order = defineAggregate(
      Order,
      setup({ types: Order.types(), actors: { charge: nowhere, refund: nowhere } }).createMachine({
        initial: 'new',
        states: {
          new: { on: { Pay: 'charging' } },
          charging: { invoke: { src: 'charge', onDone: 'paid' }, on: { Cancel: 'refunding' } },
          refunding: { invoke: { src: 'refund', onDone: 'cancelled' } },
          paid: {},
          cancelled: {},
        },
      }),
      { unhandled: 'ignore' },
    )
    // A charge that is on its way when the order is cancelled may come after the refund: here it never does.
    await world({ entities: [order] })
      .outside({ charged: false })
      .effects({
        charge: ({ outside }) => {
          outside.charged = true
          return null
        },
        refund: ({ outside }) => {
          outside.charged = false
          return null
        },
      })
      .stimuli({ calls: (['Pay', 'Cancel'] as const).map((type) => send(Order.at('1'), { type })) })
      .always('who cancelled is not charged', (w) => w.outside.charged === false || !cancelled(w.all(order)))
      .sometimes('somebody cancels', (w) => cancelled(w.all(order)))
      .check()
  })

  test('some orders of timers that several turns at certain times would set', async () => {
    const Clock = contract('clock', { commands: { One: done, Two: done, Three: done } })
    type Ring = { type: 'A' } | { type: 'B' } | { type: 'C' } | { type: 'D' } | { type: 'E' }
    const clock = defineAggregate(
      Clock,
      setup({
        types: Clock.types<{ rang: string }, never, Ring>(),
        actions: { ring: assign({ rang: ({ context, event }) => context.rang + event.type }) },
      }).createMachine({
        context: { rang: '' },
        on: {
          One: { actions: raise({ type: 'A' }, { delay: 10_000 }) },
          Two: { actions: raise({ type: 'C' }, { delay: 5_000 }) },
          Three: { actions: [raise({ type: 'E' }, { delay: 1_000 }), raise({ type: 'D' }, { delay: 5_500 })] },
          C: { actions: ['ring', raise({ type: 'B' }, { delay: 2_000 })] },
          '*': { actions: 'ring' },
        },
      }),
    )
    // Two a second and a half after One, and Three three and a half after that.
    spec(clock)
      .given({ type: 'One' })
      .givenPassed({ milliseconds: 1_500 })
      .given({ type: 'Two' })
      .givenPassed({ milliseconds: 3_500 })
      .given({ type: 'Three' })
      .whenPassed({ seconds: 6 })
      .thenContext({ rang: 'ECBAD' })
    const seen = new Set<unknown>()
    await world({ entities: [clock] })
      .stimuli({ calls: (['One', 'Two', 'Three'] as const).map((type) => send(Clock.at('1'), { type })) })
      .always('heard', (w) => w.all(clock).every(({ context }) => seen.add(context.rang)))
      .check()
    expect(seen).toContain('CEBAD')
    expect(seen).not.toContain('ECBAD')
  })

  test('time passes where no timer runs, also for a machine that looks at the clock', async () => {
    const Voucher = contract('voucher', { commands: { Issue: done, Redeem: done } })
    const voucher = defineAggregate(
      Voucher,
      setup({ types: Voucher.types<{ issued: number; age: number }>() }).createMachine({
        context: { issued: 0, age: 0 },
        initial: 'none',
        states: {
          none: { on: { Issue: { target: 'issued', actions: assign({ issued: () => turn().now }) } } },
          issued: {
            on: {
              Redeem: { target: 'redeemed', actions: assign({ age: ({ context }) => turn().now - context.issued }) },
            },
          },
          redeemed: {},
        },
      }),
      { unhandled: 'ignore' },
    )
    spec(voucher)
      .given({ type: 'Issue' })
      .givenPassed({ hours: 2 })
      .when({ type: 'Redeem' })
      .thenContext({ age: 7_200_000 })
      .andAnythingElse()
    await world({ entities: [voucher] })
      .stimuli({ calls: (['Issue', 'Redeem'] as const).map((type) => send(Voucher.at('1'), { type })) })
      .always('none is redeemed late', (w) => w.all(voucher).every(({ context }) => context.age === 0))
      .sometimes('one is redeemed', (w) => w.any(voucher, (each) => each.matches('redeemed')))
      .check()
  })

  const cancelled = (orders: readonly { matches(state: 'cancelled'): boolean }[]): boolean =>
    orders.some((each) => each.matches('cancelled'))
})

test('interchangeable keys that stand as numbers are not exchanged, and a mistake may be lost', async () => {
  const Box = contract('box', { commands: { Build: z.object({}), Mark: z.object({}) } })
  const Desk = contract('desk', {
    commands: { Claim: z.object({ by: z.string() }), Other: z.object({}), Own: z.object({}) },
  })
  const box = defineAggregate(
    Box,
    setup({ types: Box.types() }).createMachine({
      initial: 'plain',
      states: { plain: { on: { Build: {}, Mark: 'marked' } }, marked: {} },
    }),
    { unhandled: 'ignore' },
  )
  const deskThatKeeps = (owner: (key: string) => string | number) =>
    defineAggregate(
      Desk,
      setup({ types: Desk.types<{ owner: string | number }>() }).createMachine({
        context: { owner: '' },
        initial: 'free',
        states: {
          free: { on: { Claim: { target: 'owned', actions: assign({ owner: ({ event }) => owner(event.by) }) } } },
          owned: {
            on: {
              Other: {
                target: 'over',
                actions: sendTo(({ context }) => Box.at(String(context.owner) === '1' ? '2' : '1'), { type: 'Mark' }),
              },
              Own: {
                target: 'over',
                actions: sendTo(({ context }) => Box.at(String(context.owner)), { type: 'Mark' }),
              },
            },
          },
          over: {},
        },
      }),
      { unhandled: 'ignore', sends: [Box] },
    )
  const checked = (owner: (key: string) => string | number) => {
    const desk = deskThatKeeps(owner)
    return world({ entities: [box, desk] })
      .setup((w) => {
        for (const key of ['1', '2']) w.send(Box.at(key), { type: 'Build' })
      })
      .stimuli({
        claim: ['1', '2'].map((by) => send(Desk.at('d'), { type: 'Claim', by })),
        mark: (['Other', 'Own'] as const).map((type) => send(Desk.at('d'), { type })),
      })
      .always('no owner has a marked box', (w) =>
        w
          .all(desk)
          .every(({ context }) =>
            w.all(box).every(({ key, matches }) => owner(key) !== context.owner || !matches('marked')),
          ),
      )
  }
  const broken = { code: 'INVARIANT_BROKEN' }
  await expect(checked(String).check({ stimuli: 2 })).rejects.toMatchObject(broken)
  await expect(checked(Number).check({ stimuli: 2 })).rejects.toMatchObject(broken)
  await expect(checked(String).interchangeable(Box, ['1', '2']).check({ stimuli: 2 })).rejects.toMatchObject(broken)
  await checked(Number).interchangeable(Box, ['1', '2']).check({ stimuli: 2 })
})

describe('What is accepted by its name is no finding', () => {
  test('be it a message that nobody handles', async () => {
    const deaf = world({ entities: [account, firstTransfer] })
      .setup((w) => w.send(Account.at('A'), { type: 'Open', cents: 500 }))
      .stimuli({ start: [start('1', 'A', 'nobody')] })
    await expect(deaf.check()).rejects.toMatchObject({ finding: 'MESSAGE_UNHANDLED transfer account.Declined' })
    await deaf.accept('MESSAGE_UNHANDLED transfer account.Declined').check({ unreached: 'report' })
  })

  test('or a turn that fails', async () => {
    const fails = () => {
      throw new RangeError('The drawer is stuck.')
    }
    const stuck = defineAggregate(
      Till,
      setup({ types: Till.types<{ cents: number }>() }).createMachine({
        context: { cents: 0 },
        on: { Pay: { actions: assign(fails) } },
      }),
    )
    const paying = world({ entities: [stuck] }).stimuli({ pay: [pay(100)] })
    await expect(paying.check()).rejects.toMatchObject({ finding: 'TURN_FAILED till Pay' })
    await paying.accept('TURN_FAILED till Pay').check({ unreached: 'report' })
  })
})

describe('Steps that commute are taken in one order', () => {
  test('where no property looks at the entity whose steps they are', async () => {
    const blind = await opened.check()
    const looking = await opened
      .always('all are counted', (w) => [...w.all(account), ...w.all(transfer)].length < 9)
      .check()
    expect(blind.reduced).toBeGreaterThan(0)
    expect(looking.reduced).toBe(0)
    expect(blind.steps).toBeLessThan(looking.steps)
  })

  test('and nowhere as soon as one property looks at messages under way', async () => {
    const counting = await opened.always('few are under way', (w) => w.underWay.length < 100).check()
    expect(counting.reduced).toBe(0)
  })
})
