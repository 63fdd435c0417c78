// A message that fails: tried again, then put away or parked, and a person has the last word.
import { InterstateError } from '@interstate/core'
import { describe, expect, test } from 'vitest'
import { Clerk, cast, jam, Till, Walk, walker } from './cast.ts'
import { Stage } from './stage.ts'
import { storesUnderTest } from './stores.ts'

describe.each(storesUnderTest)('on $name, a message that fails', (under) => {
  const { numbers: jammed, trial } = jam()
  const { till, audit, entities } = cast(trial)
  const walk = walker(trial)
  const open = async (failing: readonly number[], options = {}): Promise<Stage> => {
    jammed.clear()
    for (const n of failing) jammed.add(n)
    return Stage.open(under, { entities, ...options })
  }
  const rung = async ({ host }: Stage, key = 'a') => (await host.read(till.at(key)))?.context.rung
  const heard = async ({ host }: Stage, key = 'a') => (await host.read(audit.at(key)))?.context.heard
  const ring = ({ host }: Stage, n: number, key = 'a') => host.send(Till.at(key), { type: 'Ring', n })
  const publish = ({ host }: Stage, n: number, key = 'a') => host.publish(Till.at(key), { type: 'Rung', n })

  test('G11: is tried again after growing waits, then becomes a dead letter of an aggregate', async () => {
    await using stage = await open([1])
    const begin = stage.env.now()
    await ring(stage, 1)
    await stage.env.advance(60_000)
    const tries = [begin, ...stage.told('retry').map(({ at }) => at)]
    const waits = tries.slice(1).map((at, index) => at - (tries[index] as number))
    expect(waits).toHaveLength(3)
    for (const [index, longest] of [100, 800, 6_400].entries()) {
      expect(waits[index]).toBeLessThanOrEqual(longest)
      expect(waits[index]).toBeGreaterThanOrEqual(longest * 0.8)
    }
    const [letter, ...more] = await stage.host.deadLetters.list()
    expect(more).toEqual([])
    expect(letter).toMatchObject({ entity: 'till/a', code: 'MACHINE_FAILED', attempts: 4, message: { data: { n: 1 } } })
    expect(letter?.text).toContain('till a jams at 1')
    expect(await stage.inbox()).toEqual([])
  })

  test('G11: parks a saga, and says with which message', async () => {
    await using stage = await open([1])
    const { message } = await publish(stage, 1)
    await stage.calm()
    expect(await stage.host.deadLetters.list()).toEqual([])
    const [parked, ...more] = await stage.host.parked.list()
    expect(more).toEqual([])
    expect(parked).toMatchObject({ entity: 'audit/a', message, code: 'MACHINE_FAILED', attempts: 4 })
    expect((await stage.inbox()).map(({ id }) => id)).toEqual([message])
  })

  test('an aggregate may park instead, and a saga may put away', async () => {
    jammed.clear()
    jammed.add(1)
    const changed = [
      { ...till, poison: 'park' as const },
      { ...audit, poison: 'dead-letter' as const },
    ]
    await using stage = await Stage.open(under, { entities: changed })
    await ring(stage, 1)
    await publish(stage, 1, 'b')
    await stage.calm()
    expect((await stage.host.parked.list()).map(({ entity }) => entity)).toEqual(['till/a'])
    expect((await stage.host.deadLetters.list()).map(({ entity }) => entity)).toEqual(['audit/b'])
  })

  test.each(['restart', 'crash'] as const)('G11: keeps its count of attempts over a %s', async (end) => {
    await using stage = await open([1])
    await ring(stage, 1)
    await stage.env.advance(100)
    expect(stage.told('retry')).toHaveLength(2)
    await stage[end]()
    await stage.env.advance(800)
    expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2, 3])
    await stage[end]()
    await stage.calm()
    expect(stage.told('retry')).toHaveLength(3)
    const [letter] = await stage.host.deadLetters.list()
    expect(letter?.attempts).toBe(4)
  })

  test('G11: keeps its count of attempts when another message comes before it after a crash', async () => {
    await using stage = await open([1])
    const { host } = stage
    const tell = (clerk: string, to: string, n: number) => host.send(Clerk.at(clerk), { type: 'Tell', to, n })
    const d = Array.from({ length: 64 }, (_, index) => tell('d', 'z', index + 10))
    await Promise.all([...d, tell('c', 'a', 1), tell('d', 'a', 2)])
    await stage.restart()
    await stage.calm()
    expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2, 3])
    expect(await rung(stage)).toEqual([2])
    expect((await stage.host.deadLetters.list()).map(({ attempts }) => attempts)).toEqual([4])
  })

  test('G11: is not tried earlier because the host starts again', async () => {
    await using stage = await open([1])
    await ring(stage, 1)
    await stage.env.advance(150)
    const before = stage.told('retry').length
    await stage.restart()
    await stage.env.advance(400)
    expect(stage.told('retry')).toHaveLength(before)
  })

  test('G11: stops no other entity, and no other message of its sender', async () => {
    await using stage = await open([1])
    const { host } = stage
    await host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n: 1 })
    await host.send(Clerk.at('c'), { type: 'Tell', to: 'b', n: 2 })
    await host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n: 3 })
    await host.send(Clerk.at('c'), { type: 'Tell', to: 'd', n: 4 })
    await ring(stage, 5, 'e')
    await stage.settle()
    expect([await rung(stage, 'b'), await rung(stage, 'd'), await rung(stage, 'e')]).toEqual([[2], [4], [5]])
    expect(await rung(stage)).toBeUndefined()
    await stage.calm()
    expect(await rung(stage)).toEqual([3])
  })

  test.each(['nothing', 'restart', 'crash'] as const)(
    'G6: what stands behind it waits, and keeps its order; meanwhile: %s',
    async (end) => {
      await using stage = await open([2])
      const { host } = stage
      await Promise.all([1, 2, 3].map((n) => host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n })))
      await stage.settle()
      await Promise.all([4, 5].map((n) => host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n })))
      expect(await rung(stage)).toEqual([1])
      if (end !== 'nothing') await stage[end]()
      await stage.host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n: 6 })
      jammed.clear()
      await stage.calm()
      expect(await rung(stage)).toEqual([1, 2, 3, 4, 5, 6])
    },
  )

  test('G6: order holds when the receiver begins to fail between two turns of the sender in one group', async () => {
    await using stage = await open([1])
    const { host } = stage
    const many = Array.from({ length: 100 }, (_, index) => index + 10)
    // The clerk's turns are cut after 64; then the till fails on 1; then the clerk goes on.
    const sent = many.map((n) => host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n }))
    await Promise.all([...sent, ring(stage, 1)])
    if (under.scope === 'store') expect(stage.store.groups).toHaveLength(1)
    jammed.clear()
    await stage.crash()
    await stage.calm()
    expect((await rung(stage))?.filter((n) => n !== 1)).toEqual(many)
  })

  describe('as a dead letter', () => {
    const bury = async (stage: Stage, ...failing: readonly number[]) => {
      for (const n of failing) await ring(stage, n)
      await stage.calm()
      const letters = await stage.host.deadLetters.list()
      expect(letters).toHaveLength(failing.length)
      return failing.map((n) => {
        const letter = letters.find(({ message }) => message?.data.n === n)
        if (letter === undefined) throw new Error(`${n} is no dead letter.`)
        return letter
      })
    }

    test('is listed page by page and looked at by id', async () => {
      await using stage = await open([1, 2, 3])
      const { host } = stage
      await bury(stage, 1, 2, 3)
      const all = await host.deadLetters.list()
      const first = await host.deadLetters.list({ limit: 2 })
      const second = await host.deadLetters.list({ limit: 2, after: first.at(-1)?.id as never })
      expect([...first, ...second]).toEqual(all)
      const [letter] = all
      expect(await host.deadLetters.inspect(letter?.id as never)).toEqual(letter)
      await expect(host.deadLetters.inspect('nobody' as never)).rejects.toMatchObject({ code: 'DEAD_LETTER_UNKNOWN' })
    })

    test('can be tried dry, which changes nothing', async () => {
      await using stage = await open([2])
      await ring(stage, 1)
      const [letter] = await bury(stage, 2)
      const id = letter?.id as never
      const before = {
        row: await stage.stored('till', 'a'),
        inbox: await stage.inbox(),
        writes: stage.store.groups.length,
      }
      const failing = await stage.host.deadLetters.dryRun(id)
      expect(failing).toMatchObject({ succeeds: false, error: { code: 'MACHINE_FAILED' } })
      jammed.clear()
      const passing = await stage.host.deadLetters.dryRun(id)
      expect(passing).toMatchObject({ succeeds: true, outcome: 'handled', sends: ['till.Rung -> audit/a'] })
      const after = {
        row: await stage.stored('till', 'a'),
        inbox: await stage.inbox(),
        writes: stage.store.groups.length,
      }
      expect(after).toEqual(before)
      expect(await stage.host.deadLetters.list()).toHaveLength(1)
      await expect(stage.host.deadLetters.dryRun('nobody' as never)).rejects.toMatchObject({
        code: 'DEAD_LETTER_UNKNOWN',
      })
    })

    test.each(['nothing', 'restart', 'crash'] as const)(
      'G1: has its effect once when it is requeued; before that: %s',
      async (end) => {
        await using stage = await open([1])
        const [letter] = await bury(stage, 1)
        if (end !== 'nothing') await stage[end]()
        jammed.clear()
        await stage.host.deadLetters.requeue(letter?.id as never)
        await stage.calm()
        expect(await rung(stage)).toEqual([1])
        expect(await stage.host.deadLetters.list()).toEqual([])
        await expect(stage.host.deadLetters.requeue(letter?.id as never)).rejects.toMatchObject({
          code: 'DEAD_LETTER_UNKNOWN',
        })
        await stage.restart()
        await stage.calm()
        expect(await rung(stage)).toEqual([1])
      },
    )

    test('is handled after a crash that follows its requeueing', async () => {
      await using stage = await open([1])
      const [letter] = await bury(stage, 1)
      jammed.clear()
      await stage.host.deadLetters.requeue(letter?.id as never)
      await stage.crash()
      await stage.calm()
      expect(await rung(stage)).toEqual([1])
    })

    test('many are requeued in the given order, and go behind what waits already', async () => {
      await using stage = await open([1, 2, 3])
      const [one, two, three] = (await bury(stage, 1, 2, 3)).map(({ id }) => id)
      jammed.clear()
      await stage.host.deadLetters.requeue(three as never, one as never, two as never)
      await stage.calm()
      expect(await rung(stage)).toEqual([3, 1, 2])
    })

    test('those before an unknown one are requeued, those after it are not', async () => {
      await using stage = await open([1, 2])
      const [one, two] = (await bury(stage, 1, 2)).map(({ id }) => id)
      jammed.clear()
      const requeued = stage.host.deadLetters.requeue(one as never, 'nobody' as never, two as never)
      await expect(requeued).rejects.toMatchObject({ code: 'DEAD_LETTER_UNKNOWN' })
      await stage.calm()
      expect(await rung(stage)).toEqual([1])
      expect((await stage.host.deadLetters.list()).map(({ id }) => id)).toEqual([two])
    })

    test('starts with fresh attempts when it is requeued and fails again', async () => {
      await using stage = await open([1])
      const [letter] = await bury(stage, 1)
      await stage.host.deadLetters.requeue(letter?.id as never)
      await stage.calm()
      expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2, 3, 1, 2, 3])
      expect(await stage.host.deadLetters.list()).toHaveLength(1)
    })

    test('answers who asked, at once and again under the same key', async () => {
      await using stage = await open([1])
      const { host } = stage
      const options = { idempotencyKey: `${stage.env.now()}~ask` as never }
      const asked = host.ask(Till.at('a'), { type: 'Ring', n: 1 }, options)
      const outcome = expect(asked).rejects.toMatchObject({ code: 'MESSAGE_DEAD_LETTERED' })
      await stage.calm()
      await outcome
      await stage.restart()
      const again = stage.host.ask(Till.at('a'), { type: 'Ring', n: 1 }, options)
      await expect(again).rejects.toMatchObject({ code: 'MESSAGE_DEAD_LETTERED' })
    })
  })

  describe('with which an entity is parked', () => {
    const park = async (stage: Stage, n: number): Promise<void> => {
      await publish(stage, n)
      await stage.calm()
      expect(await stage.host.parked.list()).toHaveLength(1)
    }

    test.each(['nothing', 'restart', 'crash'] as const)(
      'G6: is tried again and the others follow in order after unpark; before that: %s',
      async (end) => {
        await using stage = await open([2])
        await publish(stage, 1)
        await park(stage, 2)
        await publish(stage, 3)
        await publish(stage, 4)
        if (end !== 'nothing') await stage[end]()
        await publish(stage, 5)
        await stage.calm()
        expect(await heard(stage)).toEqual([1])
        expect(await stage.inbox()).toHaveLength(4)
        jammed.clear()
        await stage.host.parked.unpark('audit/a' as never, 'retry')
        await stage.calm()
        expect(await heard(stage)).toEqual([1, 2, 3, 4, 5])
        expect(await stage.host.parked.list()).toEqual([])
        expect(await stage.inbox()).toEqual([])
      },
    )

    test.each(['nothing', 'restart', 'crash'] as const)(
      'becomes a dead letter by unpark, and the others follow; before that: %s',
      async (end) => {
        await using stage = await open([2])
        await publish(stage, 1)
        await park(stage, 2)
        await publish(stage, 3)
        if (end !== 'nothing') await stage[end]()
        await stage.host.parked.unpark('audit/a' as never, 'dead-letter')
        await stage.calm()
        expect(await heard(stage)).toEqual([1, 3])
        const [letter] = await stage.host.deadLetters.list()
        expect(letter).toMatchObject({ entity: 'audit/a', code: 'ENTITY_PARKED', message: { data: { n: 2 } } })
        expect(letter?.text).toContain('jams at 2')
        jammed.clear()
        await stage.host.deadLetters.requeue(letter?.id as never)
        await stage.calm()
        expect(await heard(stage)).toEqual([1, 3, 2])
      },
    )

    describe('and many wait', () => {
      const manyOf = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
      const step = ({ host }: Stage, n: number) => host.send(Walk.at('a'), { type: 'Step', n })
      const walked = async ({ host }: Stage) => (await host.read(walk.at('a')))?.context
      const openWalk = () => open([0], { entities: [walk], policies: { verify: 'never', retry: { attempts: 1 } } })

      test('is put away by unpark while an old backlog is still being read', async () => {
        await using stage = await openWalk()
        await step(stage, 0)
        await Promise.all(manyOf(5_000).map((n) => step(stage, n)))
        await stage.restart()
        await stage.host.parked.unpark('walk/a' as never, 'dead-letter')
        await stage.calm()
        expect(await walked(stage)).toEqual({ steps: 5_000, last: 5_000, back: 0 })
        expect(await stage.host.deadLetters.list()).toHaveLength(1)
      })

      test('G6, G12: they wait in the store, not in memory, and are handled in order', async () => {
        await using stage = await openWalk()
        await step(stage, 0)
        await Promise.all(manyOf(10_000).map((n) => step(stage, n)))
        expect(await stage.inbox()).toHaveLength(10_001)
        stage.store.calls.clear()
        jammed.clear()
        await stage.host.parked.unpark('walk/a' as never, 'retry')
        await stage.calm()
        expect(await walked(stage)).toEqual({ steps: 10_001, last: 10_000, back: 0 })
        // They were read page by page: memory held none of them.
        expect(stage.store.calls.get('inboxOf')).toBeGreaterThanOrEqual(10_001 / 256)
        expect(await stage.inbox()).toEqual([])
      })

      test('G12: those that came in one group with the first, which parks it, are all kept', async () => {
        await using stage = await openWalk()
        await Promise.all([0, ...manyOf(10_000)].map((n) => step(stage, n)))
        await stage.settle()
        expect(await stage.inbox()).toHaveLength(10_001)
        jammed.clear()
        await stage.restart()
        await stage.host.parked.unpark('walk/a' as never, 'retry')
        await stage.calm()
        expect(await walked(stage)).toEqual({ steps: 10_001, last: 10_000, back: 0 })
      })
    })

    // By shards messages are handled out of the inbox, in its order: none comes to stand before the head.
    test.runIf(under.scope === 'store')(
      'is the one that unpark puts away, also where another one stands before it in the inbox',
      async () => {
        const parking = [{ ...till, poison: 'park' as const }, ...entities.slice(1)]
        await using stage = await open([1], { entities: parking, policies: { retry: { attempts: 1 } } })
        const { host } = stage
        const tell = (clerk: string, to: string, n: number) => host.send(Clerk.at(clerk), { type: 'Tell', to, n })
        // One group: d's turns are cut after 64, c sends 1, on which the till parks, d sends 2. d's outbox is written first.
        const d = Array.from({ length: 64 }, (_, index) => tell('d', 'z', index + 10))
        await Promise.all([...d, tell('c', 'a', 1), tell('d', 'a', 2)])
        const waiting = (await stage.inbox()).filter(({ to }) => to === 'till/a')
        expect(waiting.map(({ body }) => JSON.parse(body).data.n)).toEqual([2, 1])
        await host.parked.unpark('till/a' as never, 'dead-letter')
        await stage.calm()
        expect(await rung(stage)).toEqual([2])
        expect((await host.deadLetters.list()).map(({ message }) => message?.data.n)).toEqual([1])
      },
    )

    test('parks it again when it still fails, after fresh attempts', async () => {
      await using stage = await open([1])
      await park(stage, 1)
      await stage.host.parked.unpark('audit/a' as never, 'retry')
      await stage.calm()
      expect(stage.told('retry').map(({ attempts }) => attempts)).toEqual([1, 2, 3, 1, 2, 3])
      expect(await stage.host.parked.list()).toHaveLength(1)
    })

    test('nobody else can be unparked', async () => {
      await using stage = await open([])
      await publish(stage, 1)
      for (const entity of ['audit/a', 'audit/nobody'] as never[]) {
        await expect(stage.host.parked.unpark(entity, 'retry')).rejects.toMatchObject({ code: 'ENTITY_NOT_PARKED' })
      }
    })
  })

  test('is an InterstateError that says what to do', async () => {
    await using stage = await open([1])
    const outcome = stage.host.ask(Till.at('a'), { type: 'Ring', n: 1 }).catch((error: unknown) => error)
    await stage.calm()
    const error = await outcome
    expect(error).toBeInstanceOf(InterstateError)
    expect((error as InterstateError).message).toContain('host.deadLetters.inspect(id)')
  })
})
