// G9: each timer is consumed at most once, never before it is due; cancel wins; and it is consumed at last.
import { contract, defineAggregate, turn } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, cancel, enqueueActions, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { cast, Till } from './cast.ts'
import { Stage, type StageOptions } from './stage.ts'
import { storesUnderTest } from './stores.ts'

const Alarm = contract('alarm', {
  commands: {
    Arm: z.object({}),
    Disarm: z.object({}),
    Raise: z.object({ ms: z.number(), name: z.string().default('raised') }),
    Cancel: z.object({ name: z.string() }),
    Mail: z.object({ ms: z.number(), n: z.number() }),
    Finish: z.object({}),
    Note: z.object({}),
    Tick: z.object({}),
  },
})
interface Rang {
  readonly name: string
  readonly at: number
}

/** Timers of all kinds: `after` in a state, a delayed event, a delayed message. */
function alarm(trial: (name: string) => void = () => {}) {
  const rings = (name: string, rang: readonly Rang[]): Rang[] => {
    trial(name)
    return [...rang, { name, at: turn().now }]
  }
  return defineAggregate(
    Alarm,
    setup({ types: Alarm.types<{ rang: Rang[] }, never, { type: 'rings'; name: string }>() }).createMachine({
      context: { rang: [] },
      initial: 'idle',
      on: {
        Raise: {
          actions: enqueueActions(({ event: { name, ms }, enqueue }) => {
            enqueue.raise({ type: 'rings', name }, { delay: ms, id: name })
          }),
        },
        rings: { actions: assign({ rang: ({ context, event }) => rings(event.name, context.rang) }) },
        Cancel: { actions: cancel(({ event }) => event.name) },
        Mail: {
          actions: sendTo(Till.at('t'), ({ event }) => ({ type: 'Ring' as const, n: event.n }), {
            delay: ({ event }) => event.ms,
            id: 'mail',
          }),
        },
        Note: {},
        Finish: '.finished',
      },
      states: {
        idle: { on: { Arm: 'armed', Disarm: {} } },
        armed: {
          on: { Disarm: 'idle', Tick: {}, Arm: { target: 'armed', reenter: true } },
          after: {
            1000: { target: 'idle', actions: assign({ rang: ({ context }) => rings('after', context.rang) }) },
          },
        },
        finished: { type: 'final' },
      },
    }),
    { sends: [Till] },
  )
}

describe.each(storesUnderTest)('on $name, a timer', (under) => {
  const { till, audit } = cast(() => {})
  const calmly = alarm()
  const open = (options: Partial<StageOptions> = {}): Promise<Stage> =>
    Stage.open(under, { entities: [calmly, till, audit], ...options })
  const at = (key = 'a') => Alarm.at(key)
  const rang = async ({ host }: Stage, key = 'a') => (await host.read(calmly.at(key)))?.context.rang ?? []
  const mailed = async ({ host }: Stage) => (await host.read(till.at('t')))?.context.rung ?? []
  const hour = 3_600_000

  const kinds = [
    {
      kind: 'after',
      arm: ({ host }: Stage) => host.send(at(), { type: 'Arm' }),
      disarm: ({ host }: Stage) => host.send(at(), { type: 'Disarm' }),
      fired: async (stage: Stage) => (await rang(stage)).filter(({ name }) => name === 'after').length,
    },
    {
      kind: 'a delayed event',
      arm: ({ host }: Stage) => host.send(at(), { type: 'Raise', ms: 1_000 }),
      disarm: ({ host }: Stage) => host.send(at(), { type: 'Cancel', name: 'raised' }),
      fired: async (stage: Stage) => (await rang(stage)).filter(({ name }) => name === 'raised').length,
    },
    {
      kind: 'a delayed message',
      arm: ({ host }: Stage) => host.send(at(), { type: 'Mail', ms: 1_000, n: 7 }),
      disarm: ({ host }: Stage) => host.send(at(), { type: 'Cancel', name: 'mail' }),
      fired: async (stage: Stage) => (await mailed(stage)).length,
    },
  ]

  describe.each(kinds)('that is $kind', ({ arm, disarm, fired }) => {
    test('fires once, and not before it is due', async () => {
      await using stage = await open()
      await arm(stage)
      await stage.env.advance(999)
      expect(await fired(stage)).toBe(0)
      await stage.env.advance(1)
      expect(await fired(stage)).toBe(1)
      await stage.env.advance(48 * hour)
      await stage.restart()
      await stage.env.advance(48 * hour)
      expect(await fired(stage)).toBe(1)
    })

    test.each(['restart', 'crash'] as const)('survives a %s and fires when it is due', async (end) => {
      await using stage = await open()
      await arm(stage)
      await stage.env.advance(400)
      await stage[end]({ meanwhileMs: 500 })
      await stage.env.advance(99)
      expect(await fired(stage)).toBe(0)
      await stage.env.advance(1)
      expect(await fired(stage)).toBe(1)
    })

    test.each(['restart', 'crash'] as const)('fires once when it came due while nobody ran it: %s', async (end) => {
      await using stage = await open()
      await arm(stage)
      await stage.settle()
      await stage[end]({ meanwhileMs: 72 * hour })
      await stage.settle()
      expect(await fired(stage)).toBe(1)
      await stage[end]({ meanwhileMs: 72 * hour })
      await stage.settle()
      expect(await fired(stage)).toBe(1)
    })

    test('never fires when it was cancelled', async () => {
      await using stage = await open()
      await arm(stage)
      await stage.env.advance(999)
      await disarm(stage)
      await stage.env.advance(hour)
      await stage.restart()
      await stage.env.advance(hour)
      expect(await fired(stage)).toBe(0)
    })

    test('never fires when it is cancelled at the very moment at which it is due', async () => {
      // One turn a group: the cancel stands in the queue when the firing comes behind it.
      await using stage = await open({ policies: { groupTurns: 1 } })
      await arm(stage)
      await stage.env.advance(999)
      const others = [1, 2, 3].map((n) => stage.host.send(Till.at(`t${n}`), { type: 'Ring', n }))
      const cancelled = disarm(stage)
      await new Promise((resolve) => setImmediate(resolve))
      await stage.env.advance(1)
      await Promise.all([...others, cancelled])
      await stage.env.advance(hour)
      expect(await fired(stage)).toBe(0)
    })

    test('fires once, late, when it is armed again', async () => {
      await using stage = await open()
      await arm(stage)
      await stage.env.advance(600)
      await arm(stage)
      await stage.env.advance(999)
      expect(await fired(stage)).toBe(0)
      await stage.env.advance(1)
      expect(await fired(stage)).toBe(1)
      await stage.env.advance(hour)
      expect(await fired(stage)).toBe(1)
    })

    test('can be armed again after it has fired', async () => {
      await using stage = await open()
      await arm(stage)
      await stage.env.advance(1_000)
      await arm(stage)
      await stage.env.advance(1_000)
      expect(await fired(stage)).toBe(2)
    })

    test('waits until the wall clock says so when that is stepped back', async () => {
      await using stage = await open()
      await arm(stage)
      await stage.env.advance(500)
      stage.env.stepClock(-hour)
      await stage.env.advance(hour)
      expect(await fired(stage)).toBe(0)
      await stage.env.advance(500)
      expect(await fired(stage)).toBe(1)
    })

    test('fires within a minute when the wall clock is stepped over it', async () => {
      await using stage = await open()
      await arm(stage)
      stage.env.stepClock(hour)
      await stage.env.advance(60_000)
      expect(await fired(stage)).toBe(1)
    })

    test('fires once when the process is killed while its firing is written', async () => {
      for (const moment of ['beforeWrite', 'afterWrite'] as const) {
        await using stage = await open()
        await arm(stage)
        await stage.settle()
        stage.store[moment] = async () => stage.store.kill()
        await stage.env.advance(1_000)
        expect(stage.store.killed).toBe(true)
        await stage.crash()
        await stage.calm()
        expect(await fired(stage)).toBe(1)
      }
    })

    test('is not lost when the store fails for a while', async () => {
      for (const call of ['due', 'nextDue', 'load', 'write'] as const) {
        await using stage = await open()
        await arm(stage)
        await stage.restart()
        const left = stage.store.fail(call, 3)
        await stage.env.advance(60_000)
        expect(left()).toBe(0)
        expect(await fired(stage)).toBe(1)
      }
    })
  })

  test('a long one is noticed when the wall clock is stepped forward', async () => {
    await using stage = await open()
    await stage.host.send(at(), { type: 'Raise', ms: 2 * hour })
    await stage.env.advance(hour / 2)
    stage.env.stepClock(hour)
    await stage.env.advance(hour / 2 - 1)
    expect(await rang(stage)).toEqual([])
    await stage.env.advance(60_000)
    expect(await rang(stage)).toHaveLength(1)
  })

  test('its turn has its own time, which never goes back', async () => {
    await using stage = await open()
    const begin = stage.env.now()
    await stage.host.send(at(), { type: 'Raise', ms: 1_000, name: 'one' })
    await stage.restart({ meanwhileMs: 5_000 })
    await stage.settle()
    stage.env.stepClock(-hour)
    await stage.host.send(at(), { type: 'Raise', ms: 1_000, name: 'two' })
    await stage.env.advance(2 * hour)
    const [one, two] = await rang(stage)
    expect(one).toEqual({ name: 'one', at: begin + 5_000 })
    expect(two?.name).toBe('two')
    expect(two?.at).toBeGreaterThanOrEqual(begin + 6_000)
  })

  test('those of one entity fire in the order in which they are due, also when all are late', async () => {
    await using stage = await open()
    const { host } = stage
    for (const ms of [500, 100, 300, 200, 400]) await host.send(at(), { type: 'Raise', ms, name: `${ms}` })
    await stage.restart({ meanwhileMs: hour })
    await stage.settle()
    expect((await rang(stage)).map(({ name }) => name)).toEqual(['100', '200', '300', '400', '500'])
  })

  test('those of five thousand entities, most of them not in memory, fire once each at the same moment', async () => {
    await using stage = await open({ policies: { maxLive: 100, verify: 'never' } })
    const { host } = stage
    const keys = Array.from({ length: 5_000 }, (_, index) => `k${index}`)
    await Promise.all(keys.map((key) => host.send(at(key), { type: 'Arm' })))
    await stage.settle()
    await stage.env.advance(1_000)
    await host.drain()
    const fired = await Promise.all(keys.map((key) => rang(stage, key)))
    expect(fired.filter(({ length }) => length === 1)).toHaveLength(5_000)
    expect(host.counters().turns.handled).toBe(10_000)
  })

  test('hundreds of one entity fire once each at the same moment', async () => {
    await using stage = await open({ policies: { verify: 'never' } })
    const { host } = stage
    const names = Array.from({ length: 600 }, (_, index) => `n${index}`)
    await Promise.all(names.map((name) => host.send(at(), { type: 'Raise', ms: 1_000, name })))
    await stage.env.advance(1_000)
    await host.drain()
    expect((await rang(stage)).map(({ name }) => name)).toEqual(names)
  })

  test('ends with its entity', async () => {
    await using stage = await open()
    await stage.host.send(at(), { type: 'Arm' })
    await stage.host.send(at(), { type: 'Finish' })
    await stage.env.advance(hour)
    expect(await rang(stage)).toEqual([])
    expect((await stage.stored('alarm', 'a'))?.wakeAt).toBeUndefined()
  })

  test('of an entity that this host does not know waits, and the others fire', async () => {
    await using stage = await open()
    const keys = Array.from({ length: 600 }, (_, index) => `k${index}`)
    await Promise.all(keys.map((key) => stage.host.send(at(key), { type: 'Arm' })))
    await stage.host.send(Till.at('t'), { type: 'Ring', n: 1 })
    await stage.restart({ entities: [till, audit], meanwhileMs: hour })
    await stage.host.drain()
    expect(stage.store.calls.get('due')).toBeLessThan(10)
    await stage.restart()
    await stage.host.drain()
    const fired = await Promise.all(keys.map((key) => rang(stage, key)))
    expect(fired.filter(({ length }) => length === 1)).toHaveLength(600)
  })

  describe('whose turn fails', () => {
    let broken = true
    const fragile = alarm((name) => {
      if (broken && name === 'broken') throw new Error('the bell is broken')
    })
    const openFragile = async (): Promise<Stage> => {
      broken = true
      return open({ entities: [fragile, till, audit] })
    }
    const parkTimer = async (stage: Stage): Promise<void> => {
      await stage.host.send(at(), { type: 'Raise', ms: 1_000, name: 'broken' })
      await stage.host.send(at(), { type: 'Raise', ms: 2_000, name: 'well' })
      await stage.host.send(at('b'), { type: 'Raise', ms: 1_000, name: 'well' })
      await stage.calm()
      await stage.env.advance(60_000)
    }

    test('is tried again and then parks its entity, be it an aggregate; others fire', async () => {
      await using stage = await openFragile()
      await parkTimer(stage)
      expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2, 3])
      expect(await stage.host.parked.list()).toMatchObject([
        { entity: 'alarm/a', code: 'MACHINE_FAILED', attempts: 4, message: 'alarm/a#broken#1' },
      ])
      expect(await rang(stage)).toEqual([])
      expect(await rang(stage, 'b')).toHaveLength(1)
      expect(await stage.host.deadLetters.list()).toEqual([])
    })

    test.each(['nothing', 'restart', 'crash'] as const)(
      'fires after unpark when the cause is mended; before that: %s',
      async (end) => {
        await using stage = await openFragile()
        await parkTimer(stage)
        await stage.host.send(at(), { type: 'Note' })
        if (end !== 'nothing') await stage[end]()
        broken = false
        await stage.host.parked.unpark('alarm/a' as never, 'retry')
        await stage.calm()
        expect((await rang(stage)).map(({ name }) => name)).toEqual(['broken', 'well'])
        expect(await stage.inbox()).toEqual([])
      },
    )

    test.each(['nothing', 'restart', 'crash'] as const)(
      'is put away by unpark as a dead letter, and its entity goes on without it; before that: %s',
      async (end) => {
        await using stage = await openFragile()
        await parkTimer(stage)
        if (end !== 'nothing') await stage[end]()
        await stage.host.parked.unpark('alarm/a' as never, 'dead-letter')
        await stage.calm()
        expect((await rang(stage)).map(({ name }) => name)).toEqual(['well'])
        const [letter] = await stage.host.deadLetters.list()
        expect(letter).toMatchObject({ entity: 'alarm/a', message: { kind: 'timeout', data: { timer: 'broken' } } })
        await expect(stage.host.deadLetters.requeue(letter?.id as never)).rejects.toMatchObject({
          code: 'REQUEUE_REFUSED',
        })
        expect(await stage.host.deadLetters.list()).toHaveLength(1)
      },
    )

    test('keeps its count of attempts over a restart', async () => {
      await using stage = await openFragile()
      await stage.host.send(at(), { type: 'Raise', ms: 1_000, name: 'broken' })
      await stage.env.advance(1_100)
      expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2])
      await stage.restart()
      await stage.calm()
      expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2, 3])
      expect(await stage.host.parked.list()).toHaveLength(1)
    })

    test('does not reset the attempts of a message that fails', async () => {
      await using stage = await openFragile()
      const failing = { ...fragile, poison: 'dead-letter' as const }
      await stage.restart({ entities: [failing, till, audit] })
      await stage.host.send(at(), { type: 'Raise', ms: 950, name: 'well' })
      // An immediate event fails as a message of its own would.
      await stage.host.send(at(), { type: 'Raise', ms: 0, name: 'broken' })
      await stage.env.advance(150)
      await stage.restart({ entities: [failing, till, audit], meanwhileMs: 60_000 })
      await stage.calm()
      expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2, 3])
    })
  })

  test('of a parked entity does not fire before a person lets it go on', async () => {
    await using stage = await open({ entities: [{ ...calmly, unhandled: 'park' as const }, till, audit] })
    await stage.host.send(at(), { type: 'Raise', ms: 1_000 })
    await stage.host.send(at(), { type: 'Tick' })
    await stage.env.advance(hour)
    expect(await stage.host.parked.list()).toHaveLength(1)
    expect(await rang(stage)).toEqual([])
    await stage.restart()
    await stage.env.advance(hour)
    expect(await rang(stage)).toEqual([])
    await stage.host.parked.unpark('alarm/a' as never, 'dead-letter')
    await stage.settle()
    expect(await rang(stage)).toHaveLength(1)
  })
})
