// A turn that the host must refuse: it hurts its own message and no other, alone as well as in a group with innocents.
import { contract, defineAggregate, defineSaga, type EntityId, follow, type MessageId } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, emit, raise, setup } from 'xstate'
import { z } from 'zod'
import { cast, jam, Till, Walk, walker } from './cast.ts'
import { Stage } from './stage.ts'
import { type StoreUnderTest, storesUnderTest } from './stores.ts'

const Maker = contract('maker', {
  commands: {
    Add: z.object({ n: z.number() }),
    Grow: z.object({}),
    Shout: z.object({}),
    Keep: z.object({ what: z.string() }),
    Loop: z.object({}),
    Flip: z.object({}),
  },
  events: { Shouted: z.object({}) },
})
type Guilty =
  | { type: 'Grow' | 'Shout' | 'Loop' | 'Flip' }
  | { type: 'Keep'; what: 'bigint' | 'cycle' | 'date' | 'function' | 'NaN' | 'map' }

const cycle: { self?: unknown } = {}
cycle.self = cycle
const kept: Record<string, unknown> = {
  bigint: 1n,
  cycle,
  date: new Date(0),
  function: () => {},
  NaN: Number.NaN,
  map: new Map(),
}
let flips = 0

const maker = defineAggregate(
  Maker,
  setup({
    types: Maker.types<{ added: number[]; kept?: unknown }, never, { type: 'again' }>(),
  }).createMachine({
    context: { added: [] },
    on: {
      Add: { actions: assign({ added: ({ context, event }) => [...context.added, event.n] }) },
      Grow: { actions: assign({ kept: 'x'.repeat(3_000) }) },
      Shout: { actions: Array.from({ length: 6 }, () => emit({ type: 'Shouted' })) },
      Keep: { actions: assign({ kept: ({ event }) => kept[event.what] }) },
      Loop: { actions: raise({ type: 'again' }) },
      again: { actions: raise({ type: 'again' }) },
      Flip: {
        actions: assign({
          kept: () => {
            flips += 1
            return flips
          },
        }),
      },
    },
  }),
)
const shouts = follow(Maker.event('Shouted').bySource().starts())
const echo = defineSaga(
  'echo',
  shouts,
  setup({ types: shouts.types<{ heard: boolean }>() }).createMachine({ context: { heard: true } }),
)
const limits = { maxSnapshotBytes: 2_500, maxOutbox: 5 }

describe.each(storesUnderTest)('on $name, a turn that must be refused', (under) => {
  const { till, clerk, audit } = cast(() => {})
  const open = (verify: 'always' | 'never'): Promise<Stage> =>
    Stage.open(under, {
      entities: [maker, echo, till, clerk, audit],
      limits,
      policies: { verify, retry: { attempts: 2 } },
    })

  const always: readonly (readonly [Guilty, string])[] = [
    [{ type: 'Grow' }, 'LIMIT_EXCEEDED'],
    [{ type: 'Shout' }, 'LIMIT_EXCEEDED'],
    [{ type: 'Loop' }, 'MACHINE_NEVER_SETTLES'],
    [{ type: 'Keep', what: 'bigint' }, 'NOT_PLAIN_DATA'],
    [{ type: 'Keep', what: 'cycle' }, 'NOT_PLAIN_DATA'],
  ]
  const verified: readonly (readonly [Guilty, string])[] = [
    [{ type: 'Keep', what: 'date' }, 'NOT_PLAIN_DATA'],
    [{ type: 'Keep', what: 'function' }, 'NOT_PLAIN_DATA'],
    [{ type: 'Keep', what: 'NaN' }, 'NOT_PLAIN_DATA'],
    [{ type: 'Keep', what: 'map' }, 'NOT_PLAIN_DATA'],
    [{ type: 'Flip' }, 'NOT_DETERMINISTIC'],
  ]
  const cases = [
    ...always.map(([guilty, code]) => ({ guilty, code, verify: 'always' as const })),
    ...always.map(([guilty, code]) => ({ guilty, code, verify: 'never' as const })),
    ...verified.map(([guilty, code]) => ({ guilty, code, verify: 'always' as const })),
  ]

  test.each(cases)('G11, G13: $guilty fails with $code, and alone; turns verified: $verify', async (each) => {
    await using stage = await open(each.verify)
    const { host } = stage
    const add = (key: string, n: number) => host.send(Maker.at(key), { type: 'Add', n })
    const [, sent] = await Promise.all([
      add('a', 1),
      host.send(Maker.at('a'), each.guilty as never),
      add('a', 2),
      add('b', 3),
      host.send(Till.at('t'), { type: 'Ring', n: 4 }),
    ])
    await stage.calm()
    const added = async (key: string) => (await host.read(maker.at(key)))?.context
    expect(await added('a')).toEqual({ added: [1, 2] })
    expect(await added('b')).toEqual({ added: [3] })
    expect((await host.read(till.at('t')))?.context.rung).toEqual([4])
    expect((await host.read(audit.at('t')))?.context.heard).toEqual([4])
    const letters = await host.deadLetters.list()
    expect(letters.map(({ id, code, attempts }) => ({ id, code, attempts }))).toEqual([
      { id: sent.message, code: each.code, attempts: 2 },
    ])
    // What is stored can be read again.
    await stage.restart()
    expect((await stage.host.read(maker.at('a')))?.context).toEqual({ added: [1, 2] })
  })

  test('many turns that each keep within the limit may send more together', async () => {
    await using stage = await open('never')
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => stage.host.send(Till.at('t'), { type: 'Ring', n })))
    await stage.calm()
    expect((await stage.host.read(audit.at('t')))?.context.heard).toHaveLength(8)
  })
})

describe.each(storesUnderTest)('on $name, whatever goes wrong', (under) => {
  test.each([1, 2, 3])('G12: each accepted message is in exactly one place (%i)', (seed) => conserves(under, seed))
})

/** Sends to machines of which many fail, restarts now and then, and looks for each message. */
async function conserves(under: StoreUnderTest, seed: number): Promise<void> {
  const { numbers: jammed, trial } = jam()
  for (let n = 0; n < 400; n += 7) jammed.add(n)
  const { till, clerk, audit } = cast(trial)
  const walk = walker(trial)
  await using stage = await Stage.open(under, {
    entities: [till, clerk, audit, walk, maker, echo],
    limits,
    seed,
    policies: { retry: { attempts: 2 }, groupTurns: 40 },
  })
  const accepted = new Set<MessageId>()
  const guilty: readonly Guilty[] = [{ type: 'Grow' }, { type: 'Shout' }, { type: 'Keep', what: 'bigint' }]
  for (let n = 0; n < 400; n += 4) {
    const { host } = stage
    const key = `${(n * seed) % 5}`
    const receipts = await Promise.all([
      host.send(Till.at(key), { type: 'Ring', n }),
      host.send(Walk.at(key), { type: 'Step', n: n + 1 }),
      host.publish(Till.at(`p${key}`), { type: 'Rung', n: n + 2 }),
      host.send(Maker.at(key), guilty[n % 3] as never),
    ])
    for (const { message } of receipts) accepted.add(message)
    if (stage.env.random() < 0.1) await stage.restart()
    if (stage.env.random() < 0.2) await stage.env.advance(100)
  }
  await stage.calm()
  await stage.restart()
  await stage.calm()
  const handled = stage.told('turn').map(({ message }) => message)
  const dead = (await stage.host.deadLetters.list({ limit: 10_000 })).map(({ id }) => id)
  const waiting = (await stage.inbox()).map(({ id }) => id)
  const places = [...handled, ...dead, ...waiting]
  expect(new Set(places).size).toBe(places.length)
  expect(accepted.difference(new Set(places))).toEqual(new Set())
  expect(dead.length).toBeGreaterThan(100)
  expect(waiting.length).toBeGreaterThan(50)
  // Only parked entities leave something waiting.
  const parked = new Set((await stage.host.parked.list()).map(({ entity }) => entity))
  expect(new Set((await stage.inbox()).map(({ to }): EntityId => to)).difference(parked)).toEqual(new Set())
}
