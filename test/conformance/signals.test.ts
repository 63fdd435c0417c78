// signals.test.ts: what a host tells: each kind of signal, the sums of its counters, the order of its turns.
import {
  analyse,
  type CommitResult,
  contract,
  defineAggregate,
  defineSaga,
  effect,
  entityId,
  follow,
  type Group,
  type HostId,
  InterstateError,
  idempotencyKey,
  type ShardId,
  shardOf,
} from '@interstate/core'
import { createHost, type Host, type Signal } from '@interstate/runtime'
import { memoryStore } from '@interstate/store-memory'
import { VirtualEnv } from '@interstate/testing'
import { describe, expect, test } from 'vitest'
import { assign, emit, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { Site } from './site.ts'
import { type StoreUnderTest, storesUnderTest } from './stores.ts'

const Desk = contract('desk', {
  commands: {
    Take: z.object({ n: z.number() }),
    Fetch: z.object({ from: z.string() }),
    Act: z.object({ how: z.enum(['throws', 'rejects']) }),
    Fail: z.object({ times: z.number() }),
    Grow: z.object({}),
    Sleep: z.object({}),
    Leave: z.object({}),
  },
  events: { Taken: z.object({ n: z.number() }), Unheard: z.object({}) },
  replies: { Done: z.object({ n: z.number() }) },
})
const failures = new Map<string, number>()
const deskOf = (version = '1') =>
  defineAggregate(
    Desk,
    setup({
      types: Desk.types<{ taken: number; pile: string }>(),
      actors: {
        fetch: effect<string, string>(async ({ input }) => {
          if (input === 'nowhere') throw new Error('nothing there')
          return input
        }),
      },
    }).createMachine({
      version,
      context: { taken: 0, pile: '' },
      initial: 'open',
      states: {
        open: {
          on: {
            Take: {
              actions: [
                assign({ taken: ({ context }) => context.taken + 1 }),
                emit(({ event }) => ({ type: 'Taken', n: event.n })),
                Desk.reply(({ event }) => ({ type: 'Done', n: event.n })),
              ],
            },
            Fetch: 'fetching',
            Act: {
              actions: ({ event }) => {
                if (event.how === 'rejects') return Promise.reject(new Error('later'))
                throw new Error('at once')
              },
            },
            Fail: {
              actions: assign(({ context, event, self }) => {
                const count = (failures.get(self.id) ?? 0) + 1
                failures.set(self.id, count)
                if (count <= event.times) throw new Error(`failure ${count}`)
                return context
              }),
            },
            Grow: { actions: assign({ pile: 'x'.repeat(17 << 20) }) },
            Sleep: 'asleep',
            Leave: 'gone',
          },
        },
        fetching: {
          invoke: {
            src: 'fetch',
            input: ({ event }) => (event.type === 'Fetch' ? event.from : ''),
            onDone: 'open',
            onError: 'open',
          },
        },
        asleep: { after: { 1000: 'open' } },
        gone: { type: 'final' },
      },
    }),
  )
const desk = deskOf()
const a = Desk.at('a')
const id = entityId('desk', 'a')
const taken = follow(Desk.event('Taken').bySource().starts())
const log = defineSaga(
  'log',
  taken,
  setup({ types: taken.types<{ lines: number[] }>() }).createMachine({
    context: ({ input }) => ({ lines: [input.message.n] }),
    initial: 'even',
    states: {
      even: {
        on: {
          'desk.Taken': [
            { guard: ({ event }) => event.n < 0, target: 'odd' },
            { actions: assign({ lines: ({ context, event }) => [...context.lines, event.n] }) },
          ],
        },
      },
      odd: {},
    },
  }),
)

type Told<S extends Signal['signal']> = Partial<Extract<Signal, { signal: S }>>
type Shown = { readonly [S in Signal['signal']]: (site: Site) => Promise<Told<S> | readonly Told<S>[]> }
/** How each kind of signal comes about, and what it says. One that is new does not compile without a line here. */
const shown: Shown = {
  started: async (site) => {
    await site.host([desk])
    return { shards: site.store.shards, crashes: 0 }
  },
  stopped: async (site) => {
    await (await site.host([desk])).stop()
    return {}
  },
  'shards-taken': async (site) => {
    await site.host([desk])
    return { shards: allShards(site), crashes: 0 }
  },
  'shards-dropped': async (site) => {
    const host = await site.host([desk])
    await site.store.acquire('another' as HostId, allShards(site))
    await host.send(a, { type: 'Take', n: 1 })
    return { shards: [homeOf(site)], why: 'taken by another host' }
  },
  'history-lost': async (site) => {
    const host = await site.host([desk])
    const shard = homeOf(site)
    const finding = `shard ${shard} is at epoch 0`
    forge(site, () => ({ outcome: 'lost', finding }))
    await host.send(a, { type: 'Take', n: 1 })
    return { shard, finding }
  },
  finding: async (site) => {
    await site.host([desk, log])
    const [finding] = analyse([desk, log])
    return finding === undefined ? {} : { finding }
  },
  turn: async (site) => {
    const { message } = await (await site.host([desk])).send(a, { type: 'Take', n: 1 })
    const outcome = 'handled'
    const timers = { armed: [], fired: [], cancelled: [] }
    const about = {
      entity: id,
      message,
      kind: 'command',
      type: 'Take',
      correlationId: message,
      causationId: message,
    } as const
    return { ...about, outcome, before: undefined, after: 'open', timers }
  },
  committed: async (site) => {
    const host = await site.host([desk, log])
    await Promise.all([1, 2, 3].map((n) => host.send(a, { type: 'Take', n })))
    await host.drain()
    if (site.store.scope === 'store') return { turns: 6, entities: 2, ms: 0 }
    // They are handled here, then by who follows.
    const handled = { turns: 3, entities: 1, ms: 0 }
    return [handled, handled]
  },
  duplicate: async (site) => {
    const host = await site.host([desk])
    const key = idempotencyKey('once', { at: 1 })
    const { message } = await host.send(a, { type: 'Take', n: 1 }, { idempotencyKey: key })
    await host.send(a, { type: 'Take', n: 1 }, { idempotencyKey: key })
    return { key, message }
  },
  retry: async (site) => {
    failures.clear()
    const { message } = await (await site.host([desk])).send(a, { type: 'Fail', times: 1 })
    return { entity: id, message, attempts: 1, code: 'MACHINE_FAILED', at: expect.any(Number) }
  },
  'dead-letter': async (site) => {
    failures.clear()
    const host = await site.host([desk], { retry: { attempts: 1 } })
    const { message } = await host.send(a, { type: 'Fail', times: 1 })
    return { entity: id, message, code: 'MACHINE_FAILED', text: expect.stringContaining('failure 1') }
  },
  parked: async (site) => {
    const host = await site.host([desk, log])
    await parkLog(host)
    return {
      entity: entityId('log', 'a'),
      code: 'MESSAGE_REFUSED',
      message: expect.any(String),
      text: expect.any(String),
    }
  },
  unparked: async (site) => {
    const host = await site.host([desk, log])
    await parkLog(host)
    await host.parked.unpark(entityId('log', 'a'), 'dead-letter')
    return { entity: entityId('log', 'a') }
  },
  requeued: async (site) => {
    failures.clear()
    const host = await site.host([desk], { retry: { attempts: 1 } })
    const { message } = await host.send(a, { type: 'Fail', times: 1 })
    await host.drain()
    await host.deadLetters.requeue(message)
    return { entity: id, message }
  },
  held: async (site) => {
    await (await site.host([desk])).send(a, { type: 'Take', n: 1 })
    const host = await site.host([deskOf('2')])
    await host.send(a, { type: 'Take', n: 1 })
    return { entity: id, error: expect.objectContaining({ code: 'SNAPSHOT_VERSION_UNKNOWN' }) }
  },
  unfollowed: async (site) => {
    await (await site.host([desk])).publish(a, { type: 'Unheard' })
    return { type: 'desk.Unheard' }
  },
  'reply-unawaited': async (site) => {
    const host = await site.host([desk])
    const { message } = await host.send(a, { type: 'Take', n: 1 })
    return { message }
  },
  'effect-started': async (site) => {
    await (await site.host([desk])).send(a, { type: 'Fetch', from: 'somewhere' })
    return { entity: id, effect: expect.any(String), key: expect.any(String) }
  },
  'effect-ended': async (site) => {
    const host = await site.host([desk])
    await host.send(a, { type: 'Fetch', from: 'nowhere' })
    await host.drain()
    return { entity: id, effect: site.told('effect-started')[0]?.effect ?? '', ok: false }
  },
  'action-failed': async (site) => {
    await (await site.host([desk])).send(a, { type: 'Act', how: 'throws' })
    return { entity: id, error: new Error('at once') }
  },
  regrouped: async (site) => {
    const host = await site.host([desk], { verify: 'never' })
    if (site.store.scope === 'store') {
      await host.send(a, { type: 'Grow' })
      return { why: 'LIMIT_EXCEEDED' }
    }
    // By shards nothing is written but single turns: only somebody else can undo one.
    forge(site, () => ({ outcome: 'conflict', version: 99 }))
    await host.send(a, { type: 'Take', n: 1 })
    return { why: 'conflict' }
  },
  'store-failed': async (site) => {
    const host = await site.host([desk])
    site.store.fail(new Error('the disk is away'))
    await host.send(a, { type: 'Take', n: 1 }).catch(() => {})
    return { error: expect.objectContaining({ code: 'STORE_FAILED', cause: new Error('the disk is away') }) }
  },
  fatal: async (site) => {
    const host = await site.host([desk])
    site.store.fail(new InterstateError('STORE_FENCED', 'A sync failed.'))
    await host.send(a, { type: 'Take', n: 1 }).catch(() => {})
    return { error: expect.objectContaining({ code: 'STORE_FENCED' }) }
  },
}

/** Told only where hosts share the shards. */
const ofSharing: ReadonlySet<string> = new Set<Signal['signal']>(['shards-taken', 'shards-dropped', 'history-lost'])
const allShards = ({ store }: Site): readonly ShardId[] => [...Array(store.shards).keys()]
const homeOf = ({ store }: Site): ShardId => shardOf(id, store.shards)

/** The next group with commits is not written: the store answers this instead. */
function forge(site: Site, answer: () => CommitResult, isWanted: (group: Group) => boolean = () => true): void {
  const { store } = site
  const { write } = store
  store.write = async (group) => {
    if (group.commits.length === 0 || !isWanted(group)) return write.call(store, group)
    store.write = write
    return { taken: [], fenced: [], results: group.commits.map(answer) }
  }
}

async function parkLog(host: Awaited<ReturnType<Site['host']>>): Promise<void> {
  await host.publish(a, { type: 'Taken', n: 1 })
  await host.publish(a, { type: 'Taken', n: -1 })
  await host.publish(a, { type: 'Taken', n: -1 })
  await host.drain()
}

describe.each(storesUnderTest)('on $name', (kind) => {
  const toShow = Object.entries(shown).filter(([signal]) => kind.scope === 'shard' || !ofSharing.has(signal))

  test.each(toShow)('the signal %s is told once, after what it tells of has come about', async (signal, show) => {
    await using site = new Site(kind)
    const expected = await show(site)
    await site.env.advance(0)
    expect(site.signals.filter((each) => each.signal === signal)).toEqual(
      [expected].flat().map((each) => expect.objectContaining({ signal, ...each })),
    )
  })

  test('a custom action that rejects later is told as well, and its turn stands', async () => {
    await using site = new Site(kind)
    const host = await site.host([desk])
    await host.ask(a, { type: 'Act', how: 'rejects' })
    await site.env.advance(0)
    expect(site.told('action-failed')).toMatchObject([{ entity: id, error: new Error('later') }])
    expect(host.counters().turns.handled).toBe(1)
  })

  test('a listener that throws harms nobody', async () => {
    await using site = new Site(kind)
    const heard: string[] = []
    const onSignal = (signal: Signal): void => {
      heard.push(signal.signal)
      throw new Error('the listener is broken')
    }
    const host = await site.host([desk, log], {}, { onSignal })
    expect(await host.ask(a, { type: 'Take', n: 1 })).toEqual({ type: 'Done', n: 1 })
    await host.drain()
    await host.stop()
    const atOnce = ['finding', 'started', 'turn', 'turn', 'committed', 'stopped']
    const stepByStep = ['turn', 'committed', 'turn', 'committed']
    expect(heard).toEqual(
      kind.scope === 'store' ? atOnce : ['finding', 'shards-taken', 'started', ...stepByStep, 'stopped'],
    )
  })

  test('a listener may call its host, while it is told and to the very end', async () => {
    await using site = new Site(kind)
    const called: Promise<unknown>[] = []
    let host: Host | undefined
    const onSignal = (signal: Signal): void => {
      if (signal.signal !== 'turn' || host === undefined || host.counters().accepted > 3) return
      const calls: Promise<unknown>[] = [
        host.ask(a, { type: 'Take', n: 7 }),
        host.drain(),
        host.deadLetters.list(),
        host.read(a),
      ]
      if (host.counters().accepted === 3) calls.push(host.stop())
      // They are looked at in the end.
      for (const call of calls) call.catch(() => {})
      called.push(...calls)
    }
    host = await site.host([desk], {}, { onSignal })
    await host.send(a, { type: 'Take', n: 1 })
    await site.env.advance(0)
    for (let length = 0; length < called.length; ) {
      length = called.length
      await Promise.allSettled(called)
    }
    await expect(host.send(a, { type: 'Take', n: 1 })).rejects.toMatchObject({ code: 'HOST_STOPPED' })
    const next = await site.host([desk])
    expect((await next.read(desk.at('a')))?.context.taken).toBe(host.counters().accepted)
  })

  test('G12: each accepted message is in exactly one place, and the counters add up', async () => {
    failures.clear()
    await using site = new Site(kind)
    const host = await site.host([desk, log], { retry: { attempts: 2 } })
    const at = site.env.now()
    const calls: Promise<unknown>[] = []
    for (let n = 0; n < 60; n += 1) {
      const to = Desk.at(`${n % 4}`)
      calls.push(
        host
          .send(to, { type: 'Take', n: n % 20 === 5 ? -1 : n }, { idempotencyKey: idempotencyKey(`${n % 50}`, { at }) })
          .catch(() => {}),
      )
      if (n % 15 === 3) calls.push(host.send(to, { type: 'Fail', times: 1_000 }))
      if (n % 15 === 7) calls.push(host.send(to, { type: 'Sleep' }))
      if (n % 15 === 9) calls.push(host.send(to, { type: 'Fetch', from: 'x' }))
      if (n === 50) calls.push(host.send(to, { type: 'Leave' }))
      calls.push(host.publish(Desk.at(`nobody-${n % 3}`), { type: 'Taken', n }))
    }
    await Promise.all(calls)
    await site.rest()
    const { accepted, turns, deadLetters } = host.counters()
    const letters = await host.deadLetters.list()
    const parked = await host.parked.list()
    expect([deadLetters, turns.parked]).toEqual([letters.length, parked.length])
    expect(deadLetters).toBeGreaterThan(0)
    expect(turns.parked).toBeGreaterThan(0)
    // Each message has one last turn or is put away; the counters count the same turns.
    const ended = site.told('turn').filter(({ outcome }) => outcome !== 'parked')
    expect(new Set(ended.map(({ message }) => message)).size).toBe(ended.length)
    for (const outcome of ['handled', 'sent', 'ignored', 'rejected', 'late', 'unmatched', 'stale'] as const) {
      expect(ended.filter((turn) => turn.outcome === outcome)).toHaveLength(turns[outcome])
    }
    const waiting = await site.store.inbox(allShards(site), 0, 1_000)
    const fromOutside = new Set([
      ...ended.filter(({ message, causationId }) => message === causationId).map(({ message }) => message),
      ...letters.flatMap(({ message }) => (message?.from === 'client' ? [message.id] : [])),
      ...waiting.flatMap(({ body }) => (JSON.parse(body).from === 'client' ? [JSON.parse(body).id] : [])),
    ])
    expect(fromOutside.size).toBe(accepted)
  })

  test('G12: accepted counts messages: an event counts once for each of its followers, a refused call not at all', async () => {
    await using site = new Site(kind)
    const other = defineSaga(
      'other',
      taken,
      setup({ types: taken.types<Record<string, never>>() }).createMachine({ context: {} }),
    )
    const host = await site.host([desk, log, other])
    await host.publish(a, { type: 'Taken', n: 1 })
    await host.send(a, { type: 'Burn' } as never).catch(() => {})
    site.store.fail(new Error('gone'))
    await host.send(a, { type: 'Take', n: 1 }).catch(() => {})
    await site.env.advance(1_000)
    await host.drain()
    expect(host.counters()).toMatchObject({ accepted: 2, turns: { handled: 2 } })
  })

  test.each(kind.scope === 'store' ? (['together', 'each'] as const) : (['each'] as const))(
    'of a group that is undone (%s) nothing is counted or told as durable',
    async (mode) => {
      failures.clear()
      await using site = new Site(kind)
      const host = await site.host([desk], { verify: 'never' })
      if (mode === 'each') {
        // After an undone group turns are taken one by one for a while.
        await host.send(Desk.at('g'), { type: 'Grow' })
        await site.rest()
      }
      const before = host.counters()
      const { write } = site.store
      forge(
        site,
        () => ({ outcome: 'conflict', version: 99 }),
        (group) => group.mode === mode,
      )
      const asked = [1, 2, 3].map((n) => host.ask(Desk.at(`${n}`), { type: 'Take', n }))
      expect(await Promise.all(asked)).toEqual([1, 2, 3].map((n) => ({ type: 'Done', n })))
      await host.drain()
      const after = host.counters()
      expect(site.store.write).toBe(write)
      expect(after.turns.handled - before.turns.handled).toBe(3)
      expect(after.commits - before.commits).toBe(3)
      expect(after.accepted - before.accepted).toBe(3)
      // Commits that stand alone fail alone: their group was written.
      expect(after.groups).toBe(site.store.written.length + (mode === 'each' ? 1 : 0))
      const told = site.told('committed').map(({ turns }) => turns)
      expect(told.reduce((sum, turns) => sum + turns, 0)).toBe(site.told('turn').length)
      expect(site.told('regrouped').at(-1)).toMatchObject({ why: 'conflict' })
    },
  )

  test('turns are told in the order in which they were taken, each with its chain and its cause', async () => {
    await using site = new Site(kind)
    const Relay = contract('relay', {
      commands: { Pass: z.object({ left: z.number() }), Nap: z.object({}), Ask: z.object({}) },
    })
    const relay = defineAggregate(
      Relay,
      setup({
        types: Relay.types<Record<string, never>>(),
        actors: { look: effect<null, number>(async () => 1) },
      }).createMachine({
        context: {},
        initial: 'awake',
        states: {
          awake: {
            on: {
              Pass: [
                { guard: ({ event }) => event.left === 0, target: 'napping' },
                { actions: sendTo(Relay.at('b'), ({ event }) => ({ type: 'Pass', left: event.left - 1 })) },
              ],
            },
          },
          napping: { after: { 1000: 'looking' } },
          looking: { invoke: { src: 'look', input: null, onDone: 'told' } },
          told: { entry: sendTo(Relay.at('c'), { type: 'Pass', left: 0 }) },
        },
      }),
      { ignores: ['Nap', 'Ask'] },
    )
    const host = await site.host([relay])
    const headers = { trace: 't-1' }
    const { message } = await host.send(
      Relay.at('a'),
      { type: 'Pass', left: 1 },
      { correlationId: 'order-17', headers },
    )
    await host.drain()
    await site.env.advance(1_500)
    await host.drain()
    const turns = site.told('turn')
    expect(turns.map(({ entity, type }) => `${entity} ${type}`)).toEqual([
      'relay/a Pass',
      'relay/b Pass',
      'relay/b timeout',
      'relay/b result',
      'relay/c Pass',
    ])
    expect(turns[0]?.message).toBe(message)
    expect(turns.map(({ correlationId }) => correlationId)).toEqual(Array(5).fill('order-17'))
    expect(turns.map(({ causationId }) => causationId)).toEqual([
      message,
      ...turns.slice(0, -1).map((turn) => turn.message),
    ])
  })
})

describe('headers', () => {
  test('go on to all that follows from a message: events, replies, timers and effects', async () => {
    await using site = new Site(storesUnderTest[0] as StoreUnderTest)
    const seen: unknown[] = []
    const spy = defineSaga(
      'spy',
      taken,
      setup({ types: taken.types<Record<string, never>>() }).createMachine({ context: {} }),
    )
    const host = await site.host([desk, spy], { groupTurns: 1 })
    await host.send(a, { type: 'Take', n: 1 }, { headers: { trace: 't-1' } })
    await host.drain()
    for (const { commits } of site.store.written) {
      for (const { outbox } of commits) seen.push(...outbox.map(({ body }) => JSON.parse(body).headers))
    }
    expect(seen).toEqual([{ trace: 't-1' }])
  })
})

describe('counters of a host', () => {
  test('begin at zero, whatever was counted before it', async () => {
    const env = new VirtualEnv()
    const store = memoryStore()
    const first = await createHost({ entities: [desk], store, env })
    await first.send(a, { type: 'Take', n: 1 })
    await first.stop()
    await using second = await createHost({ entities: [desk], store, env })
    const { turns, ...rest } = second.counters()
    expect(new Set([...Object.values(turns), ...Object.values(rest)])).toEqual(new Set([0]))
  })
})
