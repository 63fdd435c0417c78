// Effects on the outside world: after the commit, at least once, each under its own key; the result is one message.
import { contract, defineAggregate, effect, type Group } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { assign, setup, spawnChild, stopChild } from 'xstate'
import { z } from 'zod'
import { Stage, type StageOptions } from './stage.ts'
import { storesUnderTest } from './stores.ts'

const Trip = contract('trip', {
  commands: {
    Book: z.object({ n: z.number() }),
    Leave: z.object({}),
    Note: z.object({ n: z.number() }),
    Spawn: z.object({}),
    Despawn: z.object({}),
    Jam: z.object({}),
  },
})

/** One run of the effect, as the outside sees it. */
interface Run {
  readonly key: string
  readonly n: number
  readonly signal: AbortSignal
  readonly resolve: (output?: unknown) => void
  readonly reject: (reason: unknown) => void
}

interface Context {
  readonly notes: readonly number[]
  readonly results: readonly unknown[]
  readonly errors: readonly unknown[]
}

/** The outside world: it answers when the test wants it to. */
class Agency {
  runs: Run[] = []
  /** Plain custom actions that ran. */
  acted: number[] = []
  onAct: (n: number) => void = () => {}
  /** Answers at once. */
  answers: ((run: Run) => void) | undefined

  book(n: number, key: string, signal: AbortSignal): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const run = { key, n, signal, resolve, reject }
    this.runs.push(run)
    this.answers?.(run)
    return promise
  }

  run(index: number): Run {
    const run = this.runs.at(index)
    if (run === undefined) throw new Error(`There is no run ${index}.`)
    return run
  }
}

function tripOf(agency: () => Agency) {
  return defineAggregate(
    Trip,
    setup({
      types: Trip.types<Context>(),
      actors: {
        book: effect<{ n: number }, unknown>(({ input, idempotencyKey, signal }) =>
          agency().book(input.n, idempotencyKey, signal),
        ),
      },
      actions: {
        act: (_, { n }: { n: number }) => {
          agency().acted.push(n)
          agency().onAct(n)
        },
      },
    }).createMachine({
      context: { notes: [], results: [], errors: [] },
      initial: 'idle',
      on: {
        Note: {
          actions: [
            assign({ notes: ({ context, event }) => [...context.notes, event.n] }),
            { type: 'act', params: ({ event }) => ({ n: event.n }) },
          ],
        },
        Spawn: { actions: spawnChild('book', { id: 'aside', input: { n: -1 } }) },
        Despawn: { actions: stopChild('aside') },
      },
      states: {
        idle: { on: { Book: 'booking', Jam: {} } },
        booking: {
          invoke: {
            src: 'book',
            id: 'book',
            input: ({ event }) => ({ n: event.type === 'Book' ? event.n : 0 }),
            onDone: {
              target: 'idle',
              actions: assign({ results: ({ context, event }) => [...context.results, event.output] }),
            },
            onError: {
              target: 'idle',
              actions: assign({ errors: ({ context, event }) => [...context.errors, event.error] }),
            },
          },
          on: { Leave: 'idle', Book: { target: 'booking', reenter: true } },
        },
      },
    }),
  )
}

describe.each(storesUnderTest)('on $name, an effect', (under) => {
  let agency = new Agency()
  const trip = tripOf(() => agency)
  const open = (options: Partial<StageOptions> = {}): Promise<Stage> => {
    agency = new Agency()
    return Stage.open(under, { entities: [trip], ...options })
  }
  const send = ({ host }: Stage, message: object, key = 'a') => host.send(Trip.at(key), message as never)
  const book = (stage: Stage, n = 1, key = 'a') => send(stage, { type: 'Book', n }, key)
  const view = async ({ host }: Stage, key = 'a') => {
    const found = await host.read(trip.at(key))
    if (found === undefined) throw new Error(`${key} is not there.`)
    return found
  }

  test('G8: runs after the commit that started it, and not before', async () => {
    await using stage = await open()
    const release = stage.store.holdWrite()
    const sent = book(stage)
    await stage.settle()
    expect(agency.runs).toEqual([])
    release()
    await sent
    await stage.settle()
    expect(agency.runs).toMatchObject([{ n: 1 }])
  })

  test.each(['STORE_FULL', 'STORE_FAILED'] as const)('G8: does not run when its commit fails with %s', async (code) => {
    await using stage = await open()
    stage.store.fail('write', 1, code)
    await expect(book(stage)).rejects.toMatchObject({ code })
    await stage.env.advance(60_000)
    expect(agency.runs).toEqual([])
  })

  test('never runs when its state is left within the same group', async () => {
    await using stage = await open()
    await Promise.all([book(stage), send(stage, { type: 'Leave' })])
    await stage.settle()
    expect(stage.store.groups.filter(({ commits }) => commits.length > 0)).toHaveLength(1)
    expect(agency.runs).toEqual([])
  })

  test('comes back as one message', async () => {
    await using stage = await open()
    await book(stage)
    await stage.settle()
    agency.run(0).resolve({ seat: 7 })
    await stage.host.drain()
    expect(await view(stage)).toMatchObject({ value: 'idle', context: { results: [{ seat: 7 }] } })
    await stage.restart()
    await stage.host.drain()
    expect(agency.runs).toHaveLength(1)
    expect((await view(stage)).context.results).toHaveLength(1)
  })

  test.each([
    ['an error', new TypeError('no seats'), { name: 'TypeError', message: 'no seats' }],
    ['plain data', { code: 7 }, { code: 7 }],
    ['nothing', undefined, null],
    ['what is not plain', 7n, { name: 'Error', message: '7' }],
  ])('that rejects with %s comes back to onError as plain data', async (_, reason, error) => {
    await using stage = await open()
    await book(stage)
    await stage.settle()
    agency.run(0).reject(reason)
    await stage.host.drain()
    expect((await view(stage)).context).toMatchObject({ results: [], errors: [error] })
  })

  test('that throws at once comes back to onError', async () => {
    await using stage = await open()
    agency.answers = () => {
      throw new Error('closed')
    }
    await book(stage)
    await stage.host.drain()
    expect((await view(stage)).context.errors).toEqual([{ name: 'Error', message: 'closed' }])
  })

  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  test.each([
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['a function', () => {}],
    ['NaN', Number.NaN],
    ['a cycle', cycle],
    ['too much', 'x'.repeat(300_000)],
    ['a property that reaches the prototype', JSON.parse('{"__proto__": 1}')],
  ])('that resolves to %s comes back to onError', async (_, output) => {
    await using stage = await open()
    await book(stage)
    await stage.settle()
    agency.run(0).resolve(output)
    await stage.host.drain()
    const { results, errors } = (await view(stage)).context
    expect(results).toEqual([])
    expect(errors).toMatchObject([{ name: 'InterstateError' }])
  })

  test('that resolves to nothing comes back to onDone as null', async () => {
    await using stage = await open()
    await book(stage)
    await stage.settle()
    agency.run(0).resolve()
    await stage.host.drain()
    expect((await view(stage)).context.results).toEqual([null])
  })

  test('without onError is a failing message: tried again, then a dead letter', async () => {
    const bare = defineAggregate(
      Trip,
      setup({
        types: Trip.types<Context>(),
        actors: { book: effect<object, unknown>(({ signal }) => agency.book(0, 'bare', signal)) },
      }).createMachine({
        context: { notes: [], results: [], errors: [] },
        initial: 'idle',
        on: { Leave: {}, Note: {}, Spawn: {}, Despawn: {}, Jam: {} },
        states: { idle: { on: { Book: 'booking' } }, booking: { invoke: { src: 'book', input: {}, onDone: 'idle' } } },
      }),
    )
    await using stage = await open({ entities: [bare] })
    await book(stage)
    await stage.settle()
    agency.run(0).reject(new Error('no seats'))
    await stage.calm()
    expect(await stage.host.deadLetters.list()).toMatchObject([{ code: 'EFFECT_FAILED', attempts: 4 }])
  })

  describe('that was running when the host ended', () => {
    test.each(['restart', 'crash'] as const)('runs again with the same key and input: %s', async (end) => {
      await using stage = await open()
      await book(stage, 5)
      await stage.settle()
      await stage[end]()
      await stage.settle()
      expect(agency.runs).toHaveLength(2)
      const [first, second] = agency.runs
      expect(second).toMatchObject({ n: 5, key: first?.key })
      expect(first?.key).toMatch(/^\S+$/)
      // The outside answers the first run to nobody.
      first?.resolve('late')
      second?.resolve('well')
      await stage.host.drain()
      expect((await view(stage)).context.results).toEqual(['well'])
    })

    test('is aborted by a stop in good order', async () => {
      await using stage = await open()
      await book(stage)
      await stage.settle()
      expect(agency.run(0).signal.aborted).toBe(false)
      await stage.restart()
      expect(agency.run(0).signal.aborted).toBe(true)
    })

    test.each(['beforeWrite', 'afterWrite'] as const)(
      'has one result although the host is killed while that is written: %s',
      async (moment) => {
        await using stage = await open()
        await book(stage)
        await stage.settle()
        stage.store[moment] = async () => stage.store.kill()
        agency.run(0).resolve('first')
        await stage.settle()
        expect(stage.store.killed).toBe(true)
        agency.answers = (run) => run.resolve('second')
        await stage.crash()
        await stage.calm()
        expect((await view(stage)).context.results).toEqual(moment === 'beforeWrite' ? ['second'] : ['first'])
        expect(await stage.inbox()).toEqual([])
      },
    )

    test('runs also when the host is killed between the commit and the run', async () => {
      await using stage = await open()
      stage.store.afterWrite = async () => stage.store.kill()
      book(stage).catch(() => {})
      await stage.settle()
      expect(agency.runs).toEqual([])
      agency.answers = (run) => run.resolve('well')
      await stage.crash()
      await stage.calm()
      expect((await view(stage)).context.results).toEqual(['well'])
    })

    test('of more than a thousand entities: each runs again once', async () => {
      await using stage = await open({ policies: { verify: 'never', maxEffects: 5_000 } })
      const keys = Array.from({ length: 1_500 }, (_, index) => `k${index}`)
      await Promise.all(keys.map((key) => book(stage, 1, key)))
      await stage.settle()
      expect(agency.runs).toHaveLength(1_500)
      agency.runs = []
      agency.answers = (run) => run.resolve('well')
      await stage.crash()
      await stage.calm()
      expect(new Set(agency.runs.map(({ key }) => key)).size).toBe(1_500)
      expect(agency.runs).toHaveLength(1_500)
      for (const key of keys) expect((await view(stage, key)).context.results).toEqual(['well'])
    })
  })

  describe('whose state is left', () => {
    test('is aborted, and its late result changes nothing', async () => {
      await using stage = await open()
      await book(stage)
      await stage.settle()
      await send(stage, { type: 'Leave' })
      await stage.settle()
      expect(agency.run(0).signal.aborted).toBe(true)
      const { version } = await view(stage)
      agency.run(0).resolve('late')
      await stage.host.drain()
      expect(await view(stage)).toMatchObject({ value: 'idle', version, context: { results: [], errors: [] } })
    })

    test('is stale also when its result is on its way already', async () => {
      await using stage = await open()
      await book(stage)
      await stage.settle()
      const release = stage.store.holdWrite()
      await Promise.resolve()
      const left = send(stage, { type: 'Leave' })
      await stage.settle()
      agency.run(0).resolve('late')
      await stage.settle()
      release()
      await left
      await stage.calm()
      expect((await view(stage)).context.results).toEqual([])
      expect(stage.host.counters().turns.stale).toBe(1)
    })

    test('runs anew under another key when the state is entered again', async () => {
      await using stage = await open()
      await book(stage, 1)
      await stage.settle()
      await book(stage, 2)
      await stage.settle()
      const [first, second] = agency.runs
      expect(first?.signal.aborted).toBe(true)
      expect(second?.n).toBe(2)
      expect(second?.key).not.toBe(first?.key)
      first?.resolve('first')
      second?.resolve('second')
      await stage.host.drain()
      expect((await view(stage)).context.results).toEqual(['second'])
    })

    test('is stale also after a restart: what ran before does not count as what runs now', async () => {
      await using stage = await open()
      await book(stage, 1)
      await stage.settle()
      await book(stage, 2)
      await stage.settle()
      await stage.crash()
      await stage.settle()
      expect(agency.runs.map(({ n }) => n)).toEqual([1, 2, 2])
      for (const run of agency.runs) run.resolve(run.n)
      await stage.host.drain()
      expect((await view(stage)).context.results).toEqual([2])
    })
  })

  test('that is spawned runs beside an invoked one, and is stopped by stopChild', async () => {
    await using stage = await open()
    await send(stage, { type: 'Spawn' })
    await book(stage)
    await stage.settle()
    expect(agency.runs.map(({ n }) => n)).toEqual([-1, 1])
    await send(stage, { type: 'Despawn' })
    await stage.settle()
    expect(agency.runs.map(({ signal }) => signal.aborted)).toEqual([true, false])
    await stage.restart()
    await stage.settle()
    expect(agency.runs.map(({ n }) => n)).toEqual([-1, 1, 1])
  })

  test('has a key that no other effect has', async () => {
    await using stage = await open()
    await Promise.all([book(stage, 1, 'a'), book(stage, 2, 'b'), send(stage, { type: 'Spawn' }, 'a')])
    await stage.settle()
    expect(new Set(agency.runs.map(({ key }) => key)).size).toBe(3)
  })

  test('its result is not lost while the store fails', async () => {
    await using stage = await open()
    await book(stage)
    await stage.settle()
    const left = stage.store.fail('write', 5, 'STORE_FULL')
    agency.run(0).resolve('well')
    await stage.settle()
    await stage.env.advance(10_000)
    expect(left()).toBe(0)
    await stage.host.drain()
    expect((await view(stage)).context.results).toEqual(['well'])
    expect(agency.runs).toHaveLength(1)
  })

  test.each(['keys', 'load', 'write'] as const)(
    'its result is not lost when %s fails while it is let in with others',
    async (call) => {
      await using stage = await open({ policies: { maxLive: 1 } })
      await book(stage)
      await stage.settle()
      stage.store.fail(call, 2)
      agency.run(0).resolve('well')
      const other = stage.host.send(Trip.at('b'), { type: 'Note', n: 1 }, { idempotencyKey: '1~b' as never })
      // Where a call is let in before it is handled, nothing is loaded for it.
      if (under.scope === 'shard' && call === 'load') await other
      else await expect(other).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await stage.env.advance(10_000)
      await stage.host.drain()
      expect((await view(stage)).context.results).toEqual(['well'])
    },
  )

  test('its result is written once, also when the store failed at first', async () => {
    await using stage = await open()
    await book(stage)
    await stage.settle()
    stage.store.fail('write', 1)
    agency.run(0).resolve('well')
    await stage.settle()
    await stage.env.advance(10_000)
    await stage.host.drain()
    expect(await stage.inbox()).toEqual([])
    await stage.restart()
    await stage.calm()
    expect((await view(stage)).context.results).toEqual(['well'])
    expect(stage.told('turn').filter(({ type }) => type === 'result')).toHaveLength(1)
  })

  describe('whose entity is parked', () => {
    const parking = { ...trip, unhandled: 'park' as const }
    const openParked = async (): Promise<Stage> => {
      const stage = await open({ entities: [parking] })
      await book(stage)
      await send(stage, { type: 'Jam' })
      await stage.settle()
      expect(await stage.host.parked.list()).toHaveLength(1)
      expect(agency.runs).toHaveLength(1)
      return stage
    }

    test.each(['nothing', 'restart', 'crash'] as const)(
      'its result waits in the inbox until a person decides; before that: %s',
      async (end) => {
        await using stage = await openParked()
        agency.run(0).resolve('well')
        await stage.settle()
        expect(await stage.inbox()).toHaveLength(2)
        agency.answers = (run) => run.resolve('again')
        if (end !== 'nothing') await stage[end]()
        await stage.host.parked.unpark('trip/a' as never, 'dead-letter')
        await stage.calm()
        expect((await view(stage)).context.results).toEqual(['well'])
        expect(await stage.inbox()).toEqual([])
      },
    )

    test('goes on after unpark although the host has changed meanwhile', async () => {
      await using stage = await openParked()
      await stage.restart()
      await stage.host.parked.unpark('trip/a' as never, 'dead-letter')
      await stage.settle()
      agency.run(-1).resolve('well')
      await stage.calm()
      expect((await view(stage)).context.results).toEqual(['well'])
    })

    test('is not run twice at once by unpark', async () => {
      await using stage = await openParked()
      await stage.host.parked.unpark('trip/a' as never, 'dead-letter')
      await stage.settle()
      expect(agency.runs).toHaveLength(1)
    })
  })

  test('no more run at once than maxEffects says, and all run', async () => {
    await using stage = await open({ policies: { maxEffects: 3 } })
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`)
    await Promise.all(keys.map((key) => book(stage, 1, key)))
    await stage.settle()
    let most = 0
    for (let done = 0; done < 20; done += 1) {
      most = Math.max(most, agency.runs.length - done)
      agency.run(done).resolve(done)
      await stage.settle()
    }
    await stage.host.drain()
    expect(most).toBe(3)
    expect(agency.runs).toHaveLength(20)
    for (const key of keys) expect((await view(stage, key)).context.results).toHaveLength(1)
  })

  test('that waits for its place is dropped when its state is left', async () => {
    await using stage = await open({ policies: { maxEffects: 1 } })
    await Promise.all([book(stage, 1, 'a'), book(stage, 2, 'b'), book(stage, 3, 'c')])
    await stage.settle()
    await send(stage, { type: 'Leave' }, 'b')
    await stage.settle()
    agency.run(0).resolve()
    await stage.settle()
    expect(agency.runs.map(({ n }) => n)).toEqual([1, 3])
  })

  test('drain waits for it', async () => {
    await using stage = await open()
    await book(stage)
    let drained = false
    const drain = stage.host.drain().then(() => {
      drained = true
    })
    await stage.env.advance(3_600_000)
    expect(drained).toBe(false)
    agency.run(0).resolve()
    await drain
    expect((await view(stage)).value).toBe('idle')
  })
})

const hasTurns = ({ commits }: Group): boolean => commits.length > 0

describe.each(storesUnderTest)('on $name, a plain custom action', (under) => {
  let agency = new Agency()
  const trip = tripOf(() => agency)
  const open = (): Promise<Stage> => {
    agency = new Agency()
    return Stage.open(under, { entities: [trip] })
  }
  const note = ({ host }: Stage, n: number, key = 'a') => host.send(Trip.at(key), { type: 'Note', n })
  const notes = async ({ host }: Stage) => (await host.read(trip.at('a')))?.context.notes

  test('G8: runs once, after the commit', async () => {
    await using stage = await open()
    const release = stage.store.holdWrite(hasTurns)
    const sent = note(stage, 1)
    await stage.settle()
    expect(agency.acted).toEqual([])
    release()
    await sent
    await stage.settle()
    expect(agency.acted).toEqual([1])
    await stage.restart()
    await stage.calm()
    expect(agency.acted).toEqual([1])
  })

  test('runs once although its turn is undone and taken again', async () => {
    await using stage = await open()
    await note(stage, 1)
    stage.store.fail('write', 1)
    await expect(note(stage, 2)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await stage.env.advance(1_000)
    await note(stage, 3)
    await stage.settle()
    expect(agency.acted).toEqual([1, 3])
    expect(await notes(stage)).toEqual([1, 3])
  })

  test('runs at most once: never again after a crash between the commit and the run', async () => {
    await using stage = await open()
    stage.store.afterWrite = async (group) => {
      if (hasTurns(group)) stage.store.kill()
    }
    note(stage, 1).catch(() => {})
    await stage.settle()
    await stage.crash()
    await stage.calm()
    expect(await notes(stage)).toEqual([1])
    expect(agency.acted).toEqual([])
  })

  test('that throws is told, and hurts nobody', async () => {
    await using stage = await open()
    agency.onAct = (n) => {
      if (n === 1) throw new Error('torn')
    }
    await Promise.all([note(stage, 1), note(stage, 2), note(stage, 3, 'b')])
    await stage.calm()
    expect(agency.acted).toEqual([1, 2, 3])
    expect(await notes(stage)).toEqual([1, 2])
    expect(stage.told('action-failed')).toMatchObject([{ entity: 'trip/a', error: { message: 'torn' } }])
  })
})
