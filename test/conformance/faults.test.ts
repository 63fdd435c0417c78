// A store in trouble: nothing is acknowledged that is not kept (G8), nothing is lost (G2) or done twice (G1), one entity's
// conflict touches no other (G13), and once the trouble is over everything is handled (G16).
import {
  type Commit,
  contract,
  defineAggregate,
  defineSaga,
  effect,
  follow,
  type Group,
  type HostId,
  InterstateError,
  idempotencyKey,
  type MessageId,
  partitionsOf,
  type Registration,
  type StoreDriver,
} from '@interstate/core'
import type { StoreCall } from '@interstate/testing/stores'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { Clerk, cast, jam, Till } from './cast.ts'
import { Stage, type StageOptions } from './stage.ts'
import { storesUnderTest } from './stores.ts'

describe.each(storesUnderTest)('on $name', (under) => {
  const { numbers: jammed, trial } = jam()
  const { till, clerk, audit, entities } = cast(trial)
  const open = (options: Partial<StageOptions> = {}): Promise<Stage> => {
    jammed.clear()
    return Stage.open(under, { entities, ...options })
  }
  const ring = ({ host }: Stage, n: number, key = 'a') => host.send(Till.at(key), { type: 'Ring', n })
  const tell = ({ host }: Stage, n: number, to = 'a') => host.send(Clerk.at('c'), { type: 'Tell', to, n })
  const rung = async ({ host }: Stage, key = 'a') => (await host.read(till.at(key)))?.context.rung
  const heard = async ({ host }: Stage, key = 'a') => (await host.read(audit.at(key)))?.context.heard
  const told = async ({ host }: Stage) => (await host.read(clerk.at('c')))?.context.told

  describe('a store that fails for a while', () => {
    test.each(['STORE_FULL', 'STORE_FAILED'] as const)(
      'G8: refuses calls with %s and keeps nothing of them',
      async (code) => {
        await using stage = await open()
        await ring(stage, 1)
        stage.store.fail('write', 1, code)
        const calls = await Promise.allSettled([ring(stage, 2), ring(stage, 3, 'b'), tell(stage, 4)])
        expect(calls.map((call) => call.status === 'rejected' && call.reason.code)).toEqual([code, code, code])
        await stage.env.advance(60_000)
        await ring(stage, 5)
        await stage.restart()
        await stage.calm()
        expect([await rung(stage), await rung(stage, 'b'), await told(stage)]).toEqual([[1, 5], undefined, undefined])
        expect(await heard(stage)).toEqual([1, 5])
      },
    )

    test.each(['unknown before', 'unknown after'] as const)(
      'G1, G8: a write of which it is %s whether it was done is repeated as it is, and its callers know that they do not know',
      async (trouble) => {
        await using stage = await open()
        await ring(stage, 1)
        stage.store.nextWrite(trouble)
        const calls = Promise.allSettled([ring(stage, 2), ring(stage, 3, 'b'), tell(stage, 4)])
        const pulled = stage.told('store-failed').length
        await stage.settle()
        stage.store.nextWrite(trouble)
        const ended = (await calls).map((call) => call.status === 'rejected' && call.reason.code)
        expect(ended).toEqual(['STORE_UNCERTAIN', 'STORE_UNCERTAIN', 'STORE_UNCERTAIN'])
        // What comes meanwhile is refused in its turn, and was never let in.
        const late = Promise.allSettled([ring(stage, 9)])
        await stage.env.advance(600)
        await stage.env.advance(60_000)
        const [refused] = await late
        const isLateIn = refused?.status === 'fulfilled'
        await stage.calm()
        expect(await rung(stage)).toEqual(isLateIn ? [1, 2, 4, 9] : [1, 2, 4])
        expect([await rung(stage, 'b'), await told(stage)]).toEqual([[3], 1])
        expect(await heard(stage)).toEqual(isLateIn ? [1, 2, 4, 9] : [1, 2, 4])
        expect(stage.told('store-failed').length).toBe(pulled + 2)
        expect(await stage.inbox()).toEqual([])
      },
    )

    test('a host whose write has no known end can be stopped', async () => {
      await using stage = await open()
      stage.store.troubleOf = () => 'unknown after'
      const call = expect(ring(stage, 1)).rejects.toMatchObject({ code: 'STORE_UNCERTAIN' })
      await stage.settle()
      await call
      const stopped = stage.host.stop()
      await stage.env.advance(10_000)
      await stopped
      stage.store.heal()
      await stage.begin()
      await stage.calm()
      expect(await rung(stage)).toEqual([1])
    })

    test('G8: fails who asks, who repeats a key and who publishes, and a repeat of the key runs once', async () => {
      await using stage = await open()
      const options = { idempotencyKey: idempotencyKey('k', { at: stage.env.now() }) }
      stage.store.fail('write', 1)
      const calls = await Promise.allSettled([
        stage.host.ask(Till.at('a'), { type: 'Ring', n: 1 }),
        stage.host.send(Till.at('a'), { type: 'Ring', n: 2 }, options),
        stage.host.publish(Till.at('p'), { type: 'Rung', n: 3 }),
      ])
      expect(calls.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
      await stage.env.advance(1_000)
      const receipts = await Promise.all(
        [1, 2].map(() => stage.host.send(Till.at('a'), { type: 'Ring', n: 2 }, options)),
      )
      expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, true])
      await stage.calm()
      expect(await rung(stage)).toEqual([2])
      expect(await heard(stage, 'p')).toBeUndefined()
    })

    test.each(['write', 'load', 'inbox', 'inboxOf', 'due', 'nextDue', 'keys'] as const)(
      'G16: what is stored is handled when %s works again',
      async (call) => {
        await using stage = await open()
        jammed.add(13)
        await ring(stage, 13, 'w')
        await stage.leaveBehind(...[1, 2, 3].map((n) => ({ to: 'till/a' as never, type: 'Ring', data: { n } })), {
          to: 'clerk/c' as never,
          type: 'Tell',
          data: { to: 'b', n: 4 },
        })
        await stage.crash()
        jammed.clear()
        flap(stage, call, 30)
        const keyed = { idempotencyKey: idempotencyKey('k', { at: stage.env.now() }) }
        for (let repeat = 0; repeat < 40; repeat += 1) {
          const done = await settledSoon(stage, stage.host.send(Till.at('k'), { type: 'Ring', n: 5 }, keyed))
          if (done === 'kept') break
        }
        await stage.calm()
        stage.store.heal()
        expect(await rung(stage)).toEqual([1, 2, 3])
        expect(await heard(stage)).toEqual([1, 2, 3])
        expect(await rung(stage, 'b')).toEqual([4])
        expect(await rung(stage, 'k')).toEqual([5])
        expect(await rung(stage, 'w')).toEqual([13])
        expect(await stage.inbox()).toEqual([])
      },
    )

    test.each(['load', 'keys', 'write', 'due'] as const)(
      'no call hangs while %s fails, whatever the entity does',
      async (call) => {
        await using stage = await open()
        jammed.add(1)
        await ring(stage, 1, 'waiting')
        await stage.host.publish(Till.at('parked'), { type: 'Rung', n: 1 })
        await stage.env.advance(60_000)
        await ring(stage, 1, 'waiting2')
        flap(stage, call, 20)
        const at = stage.env.now()
        for (let round = 0; round < 10; round += 1) {
          const calls = [
            ring(stage, 2, `fresh${round}`),
            ring(stage, 3, 'waiting2'),
            stage.host.publish(Till.at('parked'), { type: 'Rung', n: 4 }),
            stage.host.send(
              Till.at('x'),
              { type: 'Ring', n: 5 },
              { idempotencyKey: idempotencyKey(`${round}`, { at }) },
            ),
          ]
          const ends = await Promise.all(calls.map((each) => settledSoon(stage, each)))
          expect(ends).not.toContain(undefined)
        }
      },
    )

    test.each(['probe', 'acquire', 'nextDue', 'unsettled'] as const)(
      'a host does not start when %s fails, and the next one does',
      async (call) => {
        await using stage = await open()
        await ring(stage, 1)
        stage.failNext(call)
        await expect(stage.restart()).rejects.toMatchObject({ code: 'STORE_FAILED' })
        await stage.begin()
        await ring(stage, 2)
        await stage.calm()
        expect(await rung(stage)).toEqual([1, 2])
      },
    )

    test('a host can be stopped meanwhile, and the next one goes on', async () => {
      await using stage = await open()
      await ring(stage, 1)
      flap(stage, 'write', 1_000)
      const refused = expect(ring(stage, 2)).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await refused
      await stage.restart()
      await ring(stage, 3)
      await stage.calm()
      expect(await rung(stage)).toEqual([1, 3])
    })

    test('a host that cannot give its shards back closes its store all the same', async () => {
      await using stage = await open()
      await ring(stage, 1)
      stage.store.fail('release', 1)
      await expect(stage.host.stop()).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await stage.begin()
      expect(stage.told('started').at(-1)?.crashes).toBe(1)
      expect(await rung(stage)).toEqual([1])
    })

    test('what a person does fails, changes nothing, and works later', async () => {
      await using stage = await open({ policies: { retry: { attempts: 1 } } })
      jammed.add(1)
      await ring(stage, 1)
      await stage.host.publish(Till.at('p'), { type: 'Rung', n: 1 })
      await stage.settle()
      const [letter] = await stage.host.deadLetters.list()
      const id = letter?.id as MessageId
      stage.store.fail('requeue', 1)
      await expect(stage.host.deadLetters.requeue(id)).rejects.toMatchObject({ code: 'STORE_FAILED' })
      for (const head of ['retry', 'dead-letter'] as const) {
        stage.store.fail('write', 1, 'STORE_FULL')
        await expect(stage.host.parked.unpark('audit/p' as never, head)).rejects.toMatchObject({ code: 'STORE_FULL' })
      }
      await stage.settle()
      expect(await stage.host.deadLetters.list()).toEqual([letter])
      expect(await stage.host.parked.list()).toHaveLength(1)
      jammed.clear()
      await stage.host.deadLetters.requeue(id)
      await stage.host.parked.unpark('audit/p' as never, 'retry')
      await stage.calm()
      expect([await rung(stage), await heard(stage, 'p')]).toEqual([[1], [1]])
    })
  })

  describe('a slow store', () => {
    test('is asked to write one group at a time, and what comes meanwhile goes into the next', async () => {
      await using stage = await open()
      let writing = 0
      let most = 0
      stage.store.beforeWrite = async () => {
        writing += 1
        most = Math.max(most, writing)
        await new Promise<void>((resolve) => void stage.env.setTimer(1_000, resolve))
        writing -= 1
      }
      const calls: Promise<unknown>[] = []
      for (let n = 0; n < 50; n += 1) {
        calls.push(ring(stage, n), tell(stage, 100 + n, 'b'))
        await stage.env.advance(100)
      }
      await stage.env.advance(60_000)
      await Promise.all(calls)
      await stage.calm()
      expect(most).toBe(1)
      expect(stage.store.groups.length).toBeLessThan(12)
      expect(await rung(stage)).toEqual(Array.from({ length: 50 }, (_, n) => n))
      expect(await rung(stage, 'b')).toEqual(Array.from({ length: 50 }, (_, n) => n + 100))
    })
  })

  describe('when somebody else was faster', () => {
    test.each(['till/a', 'clerk/c', 'audit/b', 'till/b'])(
      'G13: a conflict on %s undoes the group, and it is done once all the same',
      async (entity) => {
        await using stage = await open()
        await ring(stage, 0)
        await tell(stage, 1, 'b')
        await stage.calm()
        const before = await stage.host.counters()
        conflictOnce(stage, entity)
        await Promise.all([ring(stage, 2), tell(stage, 3, 'b'), ring(stage, 4, 'd')])
        await stage.calm()
        expect(stage.told('regrouped')).toEqual([{ signal: 'regrouped', why: 'conflict' }])
        expect(await rung(stage)).toEqual([0, 2])
        expect(await rung(stage, 'b')).toEqual([1, 3])
        expect(await rung(stage, 'd')).toEqual([4])
        expect([await heard(stage, 'a'), await heard(stage, 'b'), await heard(stage, 'd')]).toEqual([
          [0, 2],
          [1, 3],
          [4],
        ])
        expect(await told(stage)).toBe(2)
        expect(stage.host.counters().turns.handled - before.turns.handled).toBe(7)
        expect(await stage.inbox()).toEqual([])
      },
    )

    test('G13: a conflict among commits that stand alone touches no other', async () => {
      await using stage = await open()
      await stage.crash()
      await ring(stage, 0)
      await stage.calm()
      conflictOnce(stage, 'till/a')
      await Promise.all([ring(stage, 1), ring(stage, 2, 'b'), tell(stage, 3, 'd')])
      await stage.calm()
      expect([await rung(stage), await rung(stage, 'b'), await rung(stage, 'd')]).toEqual([[0, 1], [2], [3]])
      expect([await heard(stage), await heard(stage, 'b'), await heard(stage, 'd')]).toEqual([[0, 1], [2], [3]])
    })

    test.runIf(under.scope === 'store')(
      'groups are written together again when a while has passed without trouble',
      async () => {
        await using stage = await open({ policies: { verify: 'never' } })
        conflictOnce(stage, 'till/a')
        await ring(stage, 0)
        for (let round = 0; round < 12; round += 1) {
          await Promise.all(Array.from({ length: 100 }, (_, n) => ring(stage, n, `k${n}`)))
        }
        await stage.calm()
        expect(stage.store.groups.slice(0, 2).map(({ mode }) => mode)).toEqual(['together', 'each'])
        expect(stage.store.groups.at(-1)?.mode).toBe('together')
        expect(await rung(stage, 'k7')).toHaveLength(12)
      },
    )

    test('G1: a message that had its effect by another hand is not handled again', async () => {
      for (const mode of ['together', 'each'] as const) {
        await using stage = await open()
        await stage.leaveBehind(
          { to: 'till/a' as never, type: 'Ring', data: { n: 1 } },
          { to: 'till/a' as never, type: 'Ring', data: { n: 2 } },
          { to: 'till/b' as never, type: 'Ring', data: { n: 3 } },
        )
        const [first] = await stage.inbox()
        if (mode === 'each') await stage.crash()
        else await stage.restart()
        conflictOnce(stage, 'till/a', { consumed: [first?.id as MessageId] })
        await ring(stage, 4)
        await stage.calm()
        expect(await rung(stage)).toEqual([2, 4])
        expect(await rung(stage, 'b')).toEqual([3])
        expect(await stage.inbox()).toEqual([])
      }
    })

    test('G10: a key taken between the look and the write gives its message, and nothing runs', async () => {
      await using stage = await open()
      const options = { idempotencyKey: idempotencyKey('k', { at: stage.env.now() }) }
      takeKeyOnce(stage, (registration) => ({ ...registration, message: 'faster' as MessageId }))
      const receipts = await Promise.all([
        stage.host.send(Till.at('a'), { type: 'Ring', n: 1 }, options),
        ring(stage, 2),
        ring(stage, 3, 'b'),
      ])
      expect(receipts[0]).toEqual({ message: 'faster', duplicate: true })
      expect(receipts[1]?.duplicate).toBe(false)
      await stage.calm()
      expect([await rung(stage), await rung(stage, 'b')]).toEqual([[2], [3]])
    })

    test('G10: a key taken by another message refuses the call, and nobody else', async () => {
      for (const recovers of [false, true]) {
        await using stage = await open()
        if (recovers) await stage.crash()
        const options = { idempotencyKey: idempotencyKey('k', { at: stage.env.now() }) }
        takeKeyOnce(stage, (registration) => ({ ...registration, fingerprint: 'another' }))
        const calls = await Promise.allSettled([
          stage.host.send(Till.at('a'), { type: 'Ring', n: 1 }, options),
          ring(stage, 2),
          stage.host.ask(Till.at('b'), { type: 'Ring', n: 3 }),
        ])
        expect(calls.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
        expect(calls[0]).toMatchObject({ reason: { code: 'IDEMPOTENCY_KEY_REUSED' } })
        await stage.calm()
        expect([await rung(stage), await rung(stage, 'b')]).toEqual([[2], [3]])
      }
    })

    test('G10: a key purged between the look and the write refuses the call', async () => {
      await using stage = await open()
      const options = { idempotencyKey: idempotencyKey('k', { at: stage.env.now() }) }
      stage.store.beforeWrite = async (_, inner) => void (await inner.purge(stage.env.now() + 1))
      const call = stage.host.send(Till.at('a'), { type: 'Ring', n: 1 }, options)
      await expect(call).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_EXPIRED' })
      await ring(stage, 2)
      await stage.calm()
      expect(await rung(stage)).toEqual([2])
    })

    test('G12: a row that can not be read becomes a dead letter in its turn, although its group is undone', async () => {
      await using stage = await open()
      await ring(stage, 0)
      await stage.leaveRow('till/a', 'damaged')
      await stage.leaveBehind({ to: 'till/a' as never, type: 'Ring', data: { n: 1 } })
      await stage.restart()
      conflictOnce(stage, 'till/a')
      await stage.calm()
      expect(stage.told('regrouped')).toHaveLength(1)
      expect(await rung(stage)).toEqual([0, 1])
      const letters = await stage.host.deadLetters.list()
      expect(letters).toMatchObject([{ code: 'MESSAGE_UNREADABLE', body: 'damaged', message: undefined }])
      expect(await stage.inbox()).toEqual([])
    })

    test('G12: a row that can not be read waits behind a message that is tried again', async () => {
      await using stage = await open()
      jammed.add(1)
      await stage.leaveBehind({ to: 'till/a' as never, type: 'Ring', data: { n: 1 } })
      await stage.leaveRow('till/a', 'damaged')
      await stage.restart()
      await stage.settle()
      expect(await stage.host.deadLetters.list()).toEqual([])
      expect(await stage.inbox()).toHaveLength(2)
      jammed.clear()
      await stage.calm()
      expect(await rung(stage)).toEqual([1])
      expect(await stage.host.deadLetters.list()).toMatchObject([{ code: 'MESSAGE_UNREADABLE' }])
      expect(await stage.inbox()).toEqual([])
    })

    test('an entity that this host can not read keeps its messages although their group is undone', async () => {
      const Old = contract('old', { commands: { Go: z.object({}) } })
      const machine = (version: string) =>
        defineAggregate(
          Old,
          setup({ types: Old.types<{ gone: number }>() }).createMachine({
            version,
            context: { gone: 0 },
            on: { Go: { actions: assign({ gone: ({ context }) => context.gone + 1 }) } },
          }),
        )
      const newer = [machine('2'), ...entities]
      await using stage = await open({ entities: newer })
      await stage.host.send(Old.at('a'), { type: 'Go' })
      await stage.restart({ entities: [machine('1'), ...entities] })
      conflictOnce(stage, 'till/a')
      const calls = [stage.host.send(Old.at('a'), { type: 'Go' }), ring(stage, 1)]
      for (const each of calls) expect(await settledSoon(stage, each)).toBe('kept')
      await stage.restart()
      await stage.calm()
      expect((await stage.host.read(machine('2').at('a')))?.context.gone).toBe(2)
      expect(await rung(stage)).toEqual([1])
    })
  })

  // Where hosts share the shards, one that loses some goes on with the others: see many-hosts.test.ts.
  describe.runIf(under.scope === 'store')('G5: when another host has taken the shards', () => {
    const takeOver = (stage: Stage) => {
      stage.store.beforeWrite = async (_, inner) => {
        stage.store.beforeWrite = () => undefined
        const shards = Array.from({ length: inner.shards }, (_, shard) => shard)
        await inner.acquire('another' as HostId, shards)
      }
    }

    test('nothing of the old one is written, its callers hear of it, and it ends', async () => {
      await using stage = await open()
      await ring(stage, 1)
      takeOver(stage)
      const calls = await Promise.allSettled([ring(stage, 2), stage.host.ask(Till.at('b'), { type: 'Ring', n: 3 })])
      expect(calls.map((call) => call.status === 'rejected' && call.reason.code)).toEqual(['LEASE_LOST', 'LEASE_LOST'])
      expect(stage.told('fatal')).toMatchObject([{ error: { code: 'LEASE_LOST' } }])
      expect(stage.env.exited).toBeUndefined()
      await expect(ring(stage, 4)).rejects.toMatchObject({ code: 'LEASE_LOST' })
      await expect(stage.host.drain()).rejects.toMatchObject({ code: 'LEASE_LOST' })
      await stage.host.stop()
      await stage.begin()
      await stage.calm()
      expect([await rung(stage), await rung(stage, 'b')]).toEqual([[1], undefined])
    })

    test('also while it stops', async () => {
      await using stage = await open()
      takeOver(stage)
      const refused = expect(ring(stage, 1)).rejects.toMatchObject({ code: 'LEASE_LOST' })
      await stage.host.stop()
      await refused
      await stage.begin()
      expect(await rung(stage)).toBeUndefined()
    })
  })

  test('a failed sync ends the process, and nothing is acknowledged after it', async () => {
    await using stage = await open()
    await ring(stage, 1)
    stage.store.fail('write', 1, 'STORE_FENCED')
    await expect(ring(stage, 2)).rejects.toMatchObject({ code: 'STORE_FENCED' })
    expect(stage.env.exited).toMatchObject({ code: 'STORE_FENCED' })
    await expect(ring(stage, 3)).rejects.toMatchObject({ code: 'STORE_FENCED' })
    expect(stage.told('fatal')).toHaveLength(1)
    await stage.crash()
    await stage.calm()
    expect(await rung(stage)).toEqual([1])
  })

  test('a slow start reads no entity again that is in use already', async () => {
    const Clock = contract('clock', { commands: { Go: z.object({}), Wait: z.object({}) } })
    const clock = defineAggregate(
      Clock,
      setup({
        types: Clock.types<{ ticks: number }>(),
        actors: { never: effect(() => new Promise<void>(() => {})) },
      }).createMachine({
        context: { ticks: 0 },
        initial: 'going',
        on: { Wait: {} },
        states: {
          going: {
            on: { Go: {} },
            invoke: { src: 'never' },
            after: {
              1000: { target: 'going', reenter: true, actions: assign({ ticks: ({ context }) => context.ticks + 1 }) },
            },
          },
        },
      }),
    )
    await using stage = await open({ entities: [clock], policies: { verify: 'never', maxEffects: 1 } })
    const keys = Array.from({ length: 1_200 }, (_, index) => `k${index}`)
    await Promise.all(keys.map((key) => stage.host.send(Clock.at(key), { type: 'Wait' })))
    await stage.settle()
    // The timers are due when the next host begins; it takes a long time to read who is unsettled.
    stage.slowNext('load')
    await stage.restart({ meanwhileMs: 1_000 })
    await stage.settle()
    for (const key of keys) expect((await stage.host.read(clock.at(key)))?.context.ticks).toBe(1)
    expect(stage.told('regrouped')).toEqual([])
  })

  describe('when the process is killed', () => {
    test.each(['beforeWrite', 'afterWrite'] as const)(
      'an event has reached all of its followers or none: %s',
      async (moment) => {
        const follows = follow(Till.event('Rung').bySource().starts())
        const second = defineSaga(
          'second',
          follows,
          setup({ types: follows.types<{ heard: number }>() }).createMachine({
            context: ({ input }) => ({ heard: input.message.n }),
          }),
        )
        await using stage = await open({ entities: [...entities, second], policies: { groupTurns: 1 } })
        stage.store[moment] = async () => stage.store.kill()
        void stage.host.publish(Till.at('a'), { type: 'Rung', n: 1 })
        await stage.settle()
        await stage.crash()
        await stage.calm()
        const both = [await heard(stage), (await stage.host.read(second.at('a')))?.context.heard]
        expect(both).toEqual(moment === 'beforeWrite' ? [undefined, undefined] : [[1], 1])
      },
    )

    test.each(['beforeWrite', 'afterWrite'] as const)(
      'G1, G10: a repeat under the same key has the effect once: %s',
      async (moment) => {
        await using stage = await open()
        const options = { idempotencyKey: idempotencyKey('k', { at: stage.env.now() }) }
        const send = () => stage.host.send(Clerk.at('c'), { type: 'Tell', to: 'a', n: 1 }, options)
        stage.store[moment] = async () => stage.store.kill()
        void send()
        await stage.settle()
        await stage.crash()
        const receipts = [await send(), await send()]
        expect(receipts.map(({ duplicate }) => duplicate)).toEqual([moment === 'afterWrite', true])
        await stage.calm()
        expect([await told(stage), await rung(stage), await heard(stage)]).toEqual([1, [1], [1]])
      },
    )
  })
})

/** What became of a call: kept, refused, or `undefined` when it hangs. */
async function settledSoon(stage: Stage, call: Promise<unknown>): Promise<'kept' | 'refused' | undefined> {
  let end: 'kept' | 'refused' | undefined
  call.then(
    () => {
      end = 'kept'
    },
    () => {
      end = 'refused'
    },
  )
  for (let waits = 0; end === undefined && waits < 10; waits += 1) await stage.env.advance(500)
  return end
}

/** A store that fails two times of three, for so many calls of one kind. */
function flap({ store }: Stage, call: StoreCall, times: number): void {
  let calls = 0
  store.fault = (each) => {
    if (each !== call || calls >= times) return undefined
    calls += 1
    if (calls % 3 === 0) return undefined
    throw new InterstateError('STORE_FAILED', `${call} fails now and then.`)
  }
}

/** Commits to an entity right before the host does. */
function conflictOnce({ store }: Stage, entity: string, changes: Partial<Commit> = {}): void {
  store.beforeWrite = async ({ commits }, inner) => {
    const commit = commits.find((each) => each.entity === entity)
    if (commit === undefined) return
    store.beforeWrite = () => undefined
    const [row] = await inner.load(partitionsOf([commit.entity], inner.shards))
    await write(inner, {
      commits: [
        {
          ...commit,
          tag: 'faster',
          snapshot: row?.snapshot,
          trouble: row?.trouble,
          wakeAt: row?.wakeAt,
          unsettled: true,
          consumed: [],
          outbox: [],
          deadLetters: [],
          replies: [],
          ...changes,
        },
      ],
    })
  }
}

/** Takes the key of the next call with one, right before the host does. */
function takeKeyOnce({ store }: Stage, change: (registration: Registration) => Registration): void {
  store.beforeWrite = async ({ registrations: [registration] }, inner) => {
    if (registration === undefined) return
    store.beforeWrite = () => undefined
    await write(inner, { registrations: [change(registration)] })
  }
}

async function write(inner: StoreDriver, parts: Partial<Group>): Promise<void> {
  const owner = 'somebody else' as HostId
  const { results, taken } = await inner.write({
    owner,
    tag: `${Math.random()}`,
    accepted: [],
    registrations: [],
    commits: [],
    mode: 'each',
    ...parts,
  })
  expect(taken).toEqual([])
  for (const { outcome } of results) expect(outcome).toBe('committed')
}
