// What may be exchanged where keys are interchangeable, and what is refused since it could not be.
import { contract, defineAggregate } from '@interstate/core'
import { expect, test } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { send, world } from '../src/index.ts'
import { finding } from './finding.ts'

const nothing = z.object({})
const keys = ['1', '2', '3']
const Cart = contract('cart', { commands: { Born: nothing, Mark: nothing } })
const cart = defineAggregate(
  Cart,
  setup({ types: Cart.types() }).createMachine({
    initial: 'plain',
    on: { Born: {} },
    states: { plain: { on: { Mark: 'marked' } }, marked: { on: { Mark: {} } } },
  }),
)
const Other = contract('other', { commands: { Go: nothing } })
const other = defineAggregate(Other, setup({ types: Other.types() }).createMachine({ on: { Go: {} } }))
const carts = world({ entities: [cart, other] })
  .setup((w) => {
    for (const key of keys) w.send(Cart.at(key), { type: 'Born' })
  })
  .stimuli({ mark: keys.map((key) => send(Cart.at(key), { type: 'Mark' })) })
  .accept('STATE_UNREACHED other')

const Desk = contract('desk', { commands: { Claim: z.object({ by: z.string() }), Kick: nothing, KickOwner: nothing } })
const Relay = contract('relay', { commands: { Pass: z.object({ to: z.string() }) } })
/** A desk whose owner is to stay unmarked; `KickOwner` marks it all the same, by way of a relay. */
const desk = defineAggregate(
  Desk,
  setup({ types: Desk.types<{ owner: string }>() }).createMachine({
    context: { owner: '' },
    initial: 'free',
    on: { Claim: {}, Kick: {}, KickOwner: {} },
    states: {
      free: { on: { Claim: { target: 'owned', actions: assign({ owner: ({ event }) => event.by }) } } },
      owned: {
        on: {
          Kick: {
            target: 'kicked',
            actions: sendTo(({ context }) => Cart.at(context.owner.endsWith('1') ? '2' : '1'), { type: 'Mark' }),
          },
          KickOwner: {
            target: 'kicked',
            actions: sendTo(Relay.at('r'), ({ context }) => ({ type: 'Pass', to: context.owner.slice(-1) })),
          },
        },
      },
      kicked: {},
    },
  }),
  { sends: [Cart, Relay] },
)
const relay = defineAggregate(
  Relay,
  setup({ types: Relay.types() }).createMachine({
    on: { Pass: { actions: sendTo(({ event }) => Cart.at(event.to), { type: 'Mark' }) } },
  }),
  { sends: [Cart] },
)
const claimed = (as: (key: string) => string) =>
  world({ entities: [cart, other, desk, relay] })
    .setup((w) => {
      for (const key of ['1', '2']) w.send(Cart.at(key), { type: 'Born' })
    })
    .stimuli({
      claim: ['1', '2'].map((key) => send(Desk.at('d'), { type: 'Claim', by: as(key) })),
      kick: (['Kick', 'KickOwner'] as const).map((type) => send(Desk.at('d'), { type })),
    })
    .always('no owner is marked', (w) =>
      w
        .all(desk)
        .every(({ context }) => w.all(cart).every((each) => as(each.key) !== context.owner || !each.matches('marked'))),
    )

test('A key that another machine keeps is exchanged with the others', async () => {
  const plain = claimed((key) => key)
  for (const each of [plain, plain.interchangeable(Cart, ['1', '2'])]) {
    expect((await finding(each.check({ stimuli: 2 }))).finding).toBe('INVARIANT_BROKEN no owner is marked')
  }
})

test('A key inside a longer text is refused, since it could not be exchanged', async () => {
  const labelled = claimed((key) => `cart-${key}`).interchangeable(Cart, ['1', '2'])
  const error = await finding(labelled.check({ stimuli: 2 }))
  expect(error.code).toBe('SYMMETRY_BROKEN')
  expect(error.message).toContain('holds the interchangeable key "1"')
})

test('So is an address of another type with that key', async () => {
  const others = carts.stimuli({ other: [send(Other.at('1'), { type: 'Go' })] })
  await others.check()
  expect((await finding(others.interchangeable(Cart, keys).check())).code).toBe('SYMMETRY_BROKEN')
})

test('Two types whose keys share a text are refused, and so is one key that is named twice', async () => {
  const given = [
    claimed((key) => key)
      .interchangeable(Cart, ['1', '2'])
      .interchangeable(Other, ['1', '2']),
    carts.interchangeable(Cart, ['1', '2']).interchangeable(Cart, ['2', '3']),
    carts.interchangeable(Cart, ['1', '1']),
  ]
  for (const each of given) {
    const error = await finding(each.check())
    expect(error.code).toBe('WORLD_INVALID')
    expect(error.message).toContain('named twice')
  }
  await carts.interchangeable(Cart, keys).check({ unreached: 'report' })
})

test('The order of properties that are no keys counts', async () => {
  const Queue = contract('queue', { commands: { Join: z.object({ who: z.string() }), Serve: nothing } })
  const queue = defineAggregate(
    Queue,
    setup({ types: Queue.types<{ waiting: Record<string, boolean>; served: string }>() }).createMachine({
      context: { waiting: {}, served: '' },
      initial: 'open',
      on: { Join: {}, Serve: {} },
      states: {
        open: {
          on: {
            Join: { actions: assign({ waiting: ({ context, event }) => ({ ...context.waiting, [event.who]: true }) }) },
            Serve: {
              target: 'closed',
              actions: assign({ served: ({ context }) => Object.keys(context.waiting)[0] ?? '' }),
            },
          },
        },
        closed: {},
      },
    }),
  )
  const served = world({ entities: [queue, cart] })
    .stimuli({
      join: ['ann', 'bob'].map((who) => send(Queue.at('q'), { type: 'Join', who })),
      serve: [send(Queue.at('q'), { type: 'Serve' })],
    })
    .always('bob is not served before ann', (w) =>
      w.all(queue).every(({ context: { served, waiting } }) => served !== 'bob' || waiting.ann === undefined),
    )
  for (const each of [served, served.interchangeable(Cart, ['1', '2'])]) {
    expect((await finding(each.check({ unreached: 'report' }))).code).toBe('INVARIANT_BROKEN')
  }
})
