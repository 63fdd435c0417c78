// G13: how many turns share a write, how many entities stay in memory and when hosts end changes nothing that lasts.
import { contract, defineAggregate, defineSaga, follow } from '@interstate/core'
import type { Policies } from '@interstate/runtime'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assign, emit, enqueueActions, setup } from 'xstate'
import { z } from 'zod'
import { Stage } from './stage.ts'
import { type StoreUnderTest, storesUnderTest } from './stores.ts'

// Messages of one stream travel the same way, so that each stop must see them in their order, whatever happens between.
const Stop = contract('stop', {
  commands: { Pass: z.object({ stream: z.string(), n: z.number(), way: z.array(z.string()) }) },
  events: { Passed: z.object({ stream: z.string(), n: z.number(), left: z.number() }) },
})
type Seen = Readonly<Record<string, readonly number[]>>
const noted = (seen: Seen, place: string, n: number): Seen => ({ ...seen, [place]: [...(seen[place] ?? []), n] })

const stop = defineAggregate(
  Stop,
  setup({ types: Stop.types<{ seen: Seen }>() }).createMachine({
    context: { seen: {} },
    on: {
      Pass: {
        actions: [
          assign(({ context, event: { stream, n, way } }) => {
            if (n % 11 === 10 && way.length === 1) throw new Error('never')
            return { seen: noted(context.seen, `${stream} ${way.length}`, n) }
          }),
          emit(({ event: { stream, n, way } }) => ({ type: 'Passed', stream, n, left: way.length })),
          enqueueActions(({ event: { stream, n, way }, enqueue }) => {
            const [next, ...more] = way
            if (next === undefined) return
            // What is delayed is a stream of its own from here on: others may overtake it.
            if (n % 5 !== 4) enqueue.sendTo(Stop.at(next), { type: 'Pass', stream, n, way: more })
            else enqueue.sendTo(Stop.at(next), { type: 'Pass', stream: `${stream}~`, n, way: more }, { delay: 1_000 })
          }),
        ],
      },
    },
  }),
)
const follows = follow(Stop.event('Passed').by('stream').starts())
const watch = defineSaga(
  'watch',
  follows,
  setup({ types: follows.types<{ seen: Seen }>() }).createMachine({
    context: ({ input: { message } }) => ({ seen: { [message.left]: [message.n] } }),
    on: {
      'stop.Passed': {
        actions: [
          assign({ seen: ({ context, event }) => noted(context.seen, `${event.left}`, event.n) }),
          enqueueActions(({ event: { stream, n, left }, enqueue }) => {
            if (left === 0 && n % 3 === 0) {
              enqueue.sendTo(Stop.at('end'), { type: 'Pass', stream: `${stream}!`, n, way: [] })
            }
          }),
        ],
      },
    },
  }),
  { sends: [Stop] },
)

const stops = ['s0', 's1', 's2', 's3'] as const
interface Script {
  /** The way of each stream. */
  readonly ways: readonly (readonly string[])[]
  readonly steps: readonly Step[]
}
type Step =
  | { readonly do: 'send'; readonly streams: readonly number[] }
  | { readonly do: 'restart' | 'crash' | 'settle' }
  | { readonly do: 'wait'; readonly ms: number }

const way = fc.array(fc.constantFrom(...stops), { minLength: 1, maxLength: 5 })
const script: fc.Arbitrary<Script> = fc.array(way, { minLength: 1, maxLength: 4 }).chain((ways) =>
  fc.record({
    ways: fc.constant(ways),
    steps: fc.array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({
            do: fc.constant('send' as const),
            streams: fc.array(fc.nat(ways.length - 1), { minLength: 1, maxLength: 12 }),
          }),
        },
        { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('restart', 'crash', 'settle') }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(1_500) }) },
      ),
      { minLength: 1, maxLength: 12 },
    ),
  }),
)
const policies: fc.Arbitrary<Policies> = fc.record({
  groupTurns: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 1_000 })),
  groupMs: fc.constantFrom(0, 1, 50),
  maxLive: fc.integer({ min: 1, max: 20 }),
  verify: fc.constantFrom('always', 'sampled', 'never'),
})

/** What lasts of a script: what each entity saw, and what was given up. */
async function play(under: StoreUnderTest, { ways, steps }: Script, how: Policies, ends: 'as written' | 'never') {
  const given: Policies = { ...how, retry: { attempts: 2, firstDelayMs: 10 } }
  await using stage = await Stage.open(under, { entities: [stop, watch], policies: given })
  let n = 0
  for (const step of steps) {
    switch (step.do) {
      case 'send':
        await Promise.all(
          step.streams.map((stream) => {
            n += 1
            const [first = 's0', ...rest] = ways[stream] ?? []
            return stage.host.send(Stop.at(first), { type: 'Pass', stream: `${stream}`, n, way: rest })
          }),
        )
        break
      case 'wait':
        await stage.env.advance(step.ms)
        break
      case 'settle':
        await stage.settle()
        break
      default:
        if (ends === 'as written') await stage[step.do]()
    }
  }
  await stage.calm()
  await stage.env.advance(60_000)
  await stage.calm()
  const seen = await Promise.all([...stops, 'end'].map(async (key) => (await stage.host.read(stop.at(key)))?.context))
  const streams = ways.flatMap((_, index) => [`${index}`, `${index}~`, `${index}~~`, `${index}!`, `${index}~!`])
  const heard = await Promise.all(streams.map(async (key) => (await stage.host.read(watch.at(key)))?.context))
  const letters = await stage.host.deadLetters.list({ limit: 1_000 })
  const dead = letters.map(({ entity, message }) => `${entity} ${message?.data.n}`).sort()
  expect(await stage.inbox()).toEqual([])
  return { seen, heard, dead }
}

const inMemory = storesUnderTest.find(({ name }) => name === 'memory') as StoreUnderTest
const oneByOne: Policies = { groupTurns: 1, maxLive: 10_000, verify: 'always' }

describe.each(storesUnderTest)('on $name', (under) => {
  const numRuns = under.name === 'memory' ? 150 : 10

  test('G6, G13: any grouping, any eviction and any restarts end as one turn a group does', async () => {
    const property = fc.asyncProperty(script, policies, async (played, how) => {
      expect(await play(under, played, how, 'as written')).toEqual(await play(inMemory, played, oneByOne, 'never'))
    })
    await fc.assert(property, { numRuns })
  }, 120_000)

  // Found by the property above.
  test('G16: an entity that recovers goes on with what is in the store when its failing message is put away', async () => {
    const steps: readonly Step[] = [
      { do: 'crash' },
      { do: 'send', streams: [0, 0] },
      { do: 'send', streams: [0, 0, 0, 0] },
      { do: 'send', streams: [1, 1, 0, 0] },
    ]
    const found = { ways: [['s2', 's0', 's0'], ['s2']], steps }
    const how: Policies = { groupTurns: 6, groupMs: 50, maxLive: 1, verify: 'always' }
    expect(await play(under, found, how, 'as written')).toEqual(await play(inMemory, found, oneByOne, 'never'))
  })

  test('G16: a group has a turn also where it has no time', async () => {
    const found: Script = { ways: [['s0', 's1']], steps: [{ do: 'send', streams: [0, 0, 0] }] }
    const how: Policies = { groupMs: 0, groupTurns: 1_000 }
    expect(await play(under, found, how, 'as written')).toEqual(await play(inMemory, found, oneByOne, 'never'))
  })
})
