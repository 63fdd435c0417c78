// #region imports
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import { createHost } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { analyse, VirtualEnv } from '@interstate/testing'
import { expect, test } from 'vitest'
import { emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { cart } from '../src/tutorial/cart.ts'
import { fulfilment } from '../src/tutorial/fulfilment.ts'
import { payment } from '../src/tutorial/payment.ts'
import { stock } from '../src/tutorial/stock.ts'

// #endregion

// #region clean
test('the shop fits together', () => {
  expect(analyse([cart, stock, payment, fulfilment])).toEqual([])
})
// #endregion

// #region room
const Guest = contract('guest', {
  commands: { Arrive: z.object({}) },
  events: { Arrived: z.object({}), Left: z.object({}) },
})
const Room = contract('room', {
  commands: { Book: z.object({}) },
  replies: { Booked: z.object({}), Full: z.object({}) },
})

const guest = defineAggregate(
  Guest,
  setup({ types: Guest.types() }).createMachine({ on: { Arrive: { actions: emit({ type: 'Arrived' }) } } }),
)
const room = defineAggregate(
  Room,
  setup({ types: Room.types() }).createMachine({
    initial: 'free',
    states: {
      free: { on: { Book: { target: 'taken', actions: Room.reply({ type: 'Booked' }) } } },
      taken: { on: { Book: { actions: Room.reply({ type: 'Full' }) } } },
    },
  }),
)
// #endregion

// #region stay
const follows = follow(Guest.event('Arrived').bySource().starts())

const stay = defineSaga(
  'stay',
  follows,
  setup({ types: follows.types<{ guest: string }, typeof Room>() }).createMachine({
    context: ({ input }) => ({ guest: input.key }),
    initial: 'booking',
    states: {
      booking: {
        entry: sendTo(Room.at('7'), { type: 'Book' }),
        on: { 'room.Booked': 'staying', 'room.Full': 'elsewhere' },
        after: { 60000: 'elsewhere' },
      },
      staying: {},
      elsewhere: { type: 'final' },
      goodbye: { type: 'final' },
    },
  }),
  { sends: [Room] },
)
// #endregion

const entities = [guest, room, stay]

// #region findings
test('what is wrong with a hotel', () => {
  expect(analyse([guest, room, stay]).map(({ name }) => name)).toEqual([
    'event-without-follower guest.Left',
    'state-unreachable stay in goodbye',
    'reply-unhandled stay in elsewhere: room.Booked',
    'reply-unhandled stay in elsewhere: room.Full',
  ])
})
// #endregion

test('each says what to do', () => {
  const [left] = analyse(entities)
  // #region finding
  expect(left).toEqual({
    code: 'event-without-follower',
    place: 'guest.Left',
    remedy: 'Follow it, or drop it from the contract. If it is for others outside this system, accept it.',
    severity: 'warning',
    name: 'event-without-follower guest.Left',
  })
  // #endregion
})

// #region accept
test('nothing but what is known is wrong with the hotel', () => {
  const accept = [
    // The newsletter of another team.
    'event-without-follower guest.Left',
    'state-unreachable stay in goodbye',
    'reply-unhandled stay in elsewhere: room.Booked',
    'reply-unhandled stay in elsewhere: room.Full',
  ]
  expect(analyse([guest, room, stay], { accept })).toEqual([])
})
// #endregion

test('an acceptance that has outlived its finding is told', () => {
  const found = analyse(entities, { accept: ['state-unreachable stay in attic'] })
  expect(found.at(-1)?.name).toBe('acceptance-outlived state-unreachable stay in attic')
})

test('a developing host warns, once for each finding that is not accepted', async () => {
  const env = new VirtualEnv()
  // #region host
  await using host = await createHost({
    entities: [guest, room, stay],
    store: memoryStore(),
    accept: ['event-without-follower guest.Left'],
    env,
  })
  // #endregion
  expect(host.counters().accepted).toBe(0)
  expect(env.warnings.map(({ code }) => code)).toEqual(['state-unreachable', 'reply-unhandled', 'reply-unhandled'])
  expect(env.warnings[0]?.text).toMatch(
    /^stay in goodbye\. .+ To accept it: accept: \['state-unreachable stay in goodbye'\]$/,
  )
})

test('signals tell it where somebody listens, and a policy turns it off', async () => {
  const told: string[] = []
  const env = new VirtualEnv()
  const start = async (policies: { analyse?: boolean }) => {
    await using _ = await createHost({
      entities,
      store: memoryStore(),
      env,
      policies,
      onSignal: (signal) => {
        if (signal.signal === 'finding') told.push(signal.finding.code)
      },
    })
  }
  await start({})
  expect(told).toEqual(['event-without-follower', 'state-unreachable', 'reply-unhandled', 'reply-unhandled'])
  await start({ analyse: false })
  expect(told).toHaveLength(4)
  expect(env.warnings).toEqual([])
})

test('in production nothing is analysed, unless a policy says so', async () => {
  const env = new VirtualEnv()
  const production = Object.assign(env, { defaultVerification: () => 'sampled' as const })
  const start = async (policies: { analyse?: boolean }) => {
    await using _ = await createHost({ entities, store: memoryStore(), env: production, policies })
  }
  await start({})
  expect(env.warnings).toEqual([])
  await start({ analyse: true })
  expect(env.warnings).toHaveLength(4)
})

test('without an environment of its own a host warns the process, once however many there are', async () => {
  const codes: string[] = []
  const { emitWarning } = process
  process.emitWarning = (_: unknown, options?: unknown) => void codes.push((options as { code: string }).code)
  const start = async () => {
    await using _ = await createHost({ entities, store: memoryStore() })
  }
  await start()
  await start()
  process.emitWarning = emitWarning
  expect(codes).toEqual(['event-without-follower', 'state-unreachable', 'reply-unhandled', 'reply-unhandled'])
})
