import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnyEventObject,
  type AnyStateMachine,
  assign,
  cancel,
  createMachine,
  emit,
  raise,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate'
import {
  type AnyFollowed,
  askerOf,
  contract,
  type Decision,
  type DefinitionOptions,
  decide,
  decodeEnvelope,
  decodeSnapshot,
  defineAggregate,
  defineSaga,
  effect,
  encodeEnvelope,
  encodeSnapshot,
  entityId,
  follow,
  idempotencyKey,
  incarnationOf,
  type MessageId,
  nextDue,
  turn,
  turnStem,
  Wiring,
} from '../src/index.ts'
import { anything, told } from './hosted.ts'
import { Desk, ending, failure, firing, message, noon } from './messages.ts'

const Door = contract('door', {
  commands: {
    Open: anything,
    Shut: anything,
    Lock: anything,
    Ask: anything,
    AskLater: anything,
    AskWorld: anything,
    Break: anything,
    Tell: anything,
  },
  events: { Opened: anything },
  replies: { Answer: anything },
})
const Keeper = contract('keeper', { commands: { Wake: anything } })

const doorMachine = setup({
  types: {} as { context: { opened: number }; events: AnyEventObject },
  actors: { world: effect<{ q: unknown }, unknown>(async () => 'never run here') },
}).createMachine({
  context: { opened: 0 },
  initial: 'shut',
  on: {
    Ask: { actions: Door.reply(({ event }) => ({ type: 'Answer', q: event.q })) },
    AskLater: { actions: raise({ type: 'Ask', q: 'later' }, { id: 'later', delay: 100 }) },
    AskWorld: { actions: spawnChild('world', { id: 'world', input: ({ event }) => ({ q: event.q }) }) },
    'xstate.done.actor.world': {
      actions: Door.reply(({ event }) => ({ type: 'Answer', q: event.output })),
    },
    Tell: {
      actions: [
        emit(({ event }) => ({ ...event, type: 'Opened' })),
        sendTo(({ event }) => Keeper.at(String(event.keeper)), { type: 'Wake' }),
        sendTo(() => Keeper.at('late'), { type: 'Wake' }, { delay: 50, id: 'late' }),
      ],
    },
    'keeper.rejected': {},
  },
  states: {
    shut: {
      on: {
        Open: { target: 'open', actions: assign({ opened: ({ context }) => context.opened + 1 }) },
        Lock: 'locked',
      },
    },
    open: { on: { Shut: 'shut' } },
    locked: { on: { Break: 'broken' } },
    broken: { type: 'final' },
  },
})
const keeperMachine = createMachine({ on: { Wake: {} } }) as AnyStateMachine
const door = defineAggregate(Door, doorMachine as AnyStateMachine, { sends: [Keeper] })
const keeper = defineAggregate(Keeper, keeperMachine)
const shadow = (name: string, followed: AnyFollowed, machine: object = {}, options: DefinitionOptions = {}) =>
  defineSaga(name, follow(followed), createMachine(machine as never) as AnyStateMachine, options)
const watch = shadow('watch', Door.event('Opened').bySource().starts(), {
  context: ({ input }: { input: unknown }) => ({ input }),
  initial: 'a',
  states: {
    a: {
      on: {
        'door.Opened': [
          { guard: ({ event }: { event: { end?: boolean } }) => event.end === true, target: 'b' },
          { actions: assign({ again: true }) },
        ],
      },
    },
    b: { type: 'final' },
  },
})
const wiring = new Wiring([door, keeper, watch])
const own = entityId('door', '1')
const desk = () => new Desk(wiring, door, own)
const unlocked = () => {
  const it = desk()
  it.command('Lock')
  return it
}

describe('outcomes: what becomes of a message is never silence', () => {
  test('handled: a transition takes it, be it one that does nothing', () => {
    const it = desk()
    expect(it.command('Open').outcome).toBe('handled')
    expect(it.take(message(own, 'keeper.rejected', {}, { kind: 'reply', from: entityId('keeper', '1') })).outcome).toBe(
      'handled',
    )
    expect(it.state?.snapshot.value).toBe('open')
  })

  test('rejected: the sender is answered, and nothing has changed', () => {
    const it = desk()
    it.command('Open')
    const before = it.state
    const { outcome, state, refusal, ...outputs } = it.command('Open')
    expect({ outcome, refusal }).toEqual({ outcome: 'rejected', refusal: 'door/1 does not take Open in state "open"' })
    expect(state).toBe(before)
    expect(outputs).toEqual({ outbox: [], replies: [], started: [], stopped: [], actions: [] })
  })

  test('rejected: an entity learns of it by a message, which it can take', () => {
    const from = entityId('watch', '7')
    const it = unlocked()
    const { outcome, outbox, refusal } = it.command(
      'Open',
      {},
      { from, headers: { trace: 't' }, correlationId: 'c' as MessageId, id: 'm9' as MessageId },
    )
    expect(outcome).toBe('rejected')
    expect(outbox).toEqual([
      {
        id: `${turnStem(own, it.state?.incarnation ?? '', 'm9' as MessageId)}-1`,
        kind: 'reply',
        to: from,
        from: own,
        type: 'door.rejected',
        data: { command: 'Open', reason: refusal },
        correlationId: 'c',
        causationId: 'm9',
        headers: { trace: 't' },
        created: noon,
        contractVersion: 1,
      },
    ])
    const unborn = desk().command('Shut', {}, { from })
    expect(unborn).toMatchObject({
      outcome: 'rejected',
      state: undefined,
      outbox: [{ type: 'door.rejected', to: from }],
    })
  })

  test('rejected: an event or a reply that nobody takes is not answered: answers to answers would never end', () => {
    const it = unlocked()
    for (const kind of ['event', 'reply', 'internal'] as const) {
      const { outcome, outbox, refusal } = it.take(
        message(own, 'keeper.Odd', {}, { kind, from: entityId('keeper', '1') }),
      )
      expect({ outcome, outbox, refusal }).toEqual({ outcome: 'rejected', outbox: [], refusal: undefined })
    }
  })

  test('late: the entity is done; a command is answered', () => {
    const it = unlocked()
    expect(it.command('Break').outcome).toBe('handled')
    expect(it.state?.snapshot.status).toBe('done')
    const late = it.command('Open', {}, { from: entityId('watch', '7') })
    expect(late).toMatchObject({
      outcome: 'late',
      state: it.state,
      refusal: 'door/1 does not take Open in state "broken"',
    })
    expect(late.outbox).toMatchObject([{ type: 'door.rejected' }])
    expect(it.event(entityId('keeper', '1'), 'keeper.Odd')).toMatchObject({
      outcome: 'late',
      outbox: [],
      refusal: undefined,
    })
  })

  test.each([
    ['ignore', 'ignored', 'ignored'],
    ['park', 'parked', 'late'],
    ['reject', 'rejected', 'late'],
  ] as const)('the policy %s: %s, and %s when the entity is done', (unhandled, active, done) => {
    const definition = defineAggregate(Door, doorMachine as AnyStateMachine, {
      sends: [Keeper],
      unhandled,
      ignores: ['Shut'],
    })
    const it = new Desk(new Wiring([definition, keeper, watch]), definition, own)
    expect(it.command('Break').outcome).toBe(active)
    expect(it.state).toBeUndefined()
    it.command('Lock')
    expect(it.command('Open').outcome).toBe(active)
    expect(it.command('Shut').outcome).toBe('ignored')
    it.command('Break')
    expect(it.command('Open').outcome).toBe(done)
    expect(it.command('Shut').outcome).toBe('ignored')
  })

  test('unmatched: only a command or a start event brings an entity to life', () => {
    for (const kind of ['event', 'reply', 'internal', 'timeout', 'result'] as const) {
      expect(desk().weigh(message(own, 'Open', {}, { kind }))).toMatchObject({ outcome: 'unmatched', state: undefined })
    }
    const saga = new Desk(wiring, watch, entityId('watch', '1'))
    expect(saga.event(own, 'door.Shut').outcome).toBe('unmatched')
    expect(saga.take(message(entityId('watch', '1'), 'door.Opened', {}, { kind: 'reply' })).outcome).toBe('unmatched')
  })

  test('G9: stale: a firing of a timer that was cancelled, armed again, is not due, or never was', () => {
    const timers = (actions: unknown) => ({
      on: { Open: { actions: raise({ type: 'Shut' }, { id: 't', delay: 100 }) }, Shut: {}, Lock: { actions } },
    })
    for (const [actions, outcome] of [
      [cancel('t'), 'stale'],
      [raise({ type: 'Shut' }, { id: 't', delay: 100 }), 'stale'],
      [raise({ type: 'Shut' }, { id: 't', delay: 1 }), 'stale'],
      [[], 'handled'],
    ] as const) {
      const definition = defineAggregate(Door, createMachine(timers(actions) as never) as AnyStateMachine, {
        ignores: Object.keys(Door.commands),
      })
      const it = new Desk(new Wiring([definition]), definition, own)
      it.command('Open')
      const due = firing(it.state as never, 't')
      it.now += 99
      expect(it.weigh(due)).toMatchObject({ outcome: 'stale', state: it.state })
      it.command('Lock')
      it.now += 1
      expect(it.take(due).outcome).toBe(outcome)
      expect(it.take(due).outcome).toBe('stale')
      expect(it.take(firing(it.state as never, 'unheard of')).outcome).toBe('stale')
    }
  })

  test('G9: a timer that is armed again under its name fires once, at its new time', () => {
    // XState in memory would ring twice: it forgets the first timer without stopping it.
    const machine = createMachine({
      context: { rung: 0 },
      on: {
        Open: { actions: raise({ type: 'Shut' }, { id: 't', delay: 100 }) },
        Shut: { actions: assign({ rung: ({ context }) => context.rung + 1 }) },
      },
    })
    const definition = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const it = new Desk(new Wiring([definition]), definition, own)
    it.command('Open')
    it.now += 60
    it.command('Open')
    expect(it.state?.timers).toMatchObject({ t: { generation: 2, due: noon + 160 } })
    it.now += 100
    expect(it.fire('t').outcome).toBe('handled')
    expect(it.state).toMatchObject({ timers: {}, armed: 2, snapshot: { context: { rung: 1 } } })
  })

  test('a child that is spawned again under its name takes the place of the first', () => {
    const it = desk()
    it.command('AskWorld', { q: 1 })
    const first = ending(it.state as never, 'world', { output: 'first' })
    const { started, stopped } = it.command('AskWorld', { q: 2 })
    expect(stopped).toEqual([first.data.key])
    expect(started).toMatchObject([['world', { input: { q: 2 } }]])
    expect(it.take(first).outcome).toBe('stale')
    expect(it.end('world', { output: 'second' })).toMatchObject({
      outcome: 'handled',
      replies: [{ reply: { q: 'second' } }],
    })
  })

  test('the next time at which something is due is that of the first timer', () => {
    const it = desk()
    it.command('Open')
    expect(nextDue(it.state as never)).toBeUndefined()
    it.command('AskLater')
    it.command('Tell', { keeper: 'a' })
    expect(nextDue(it.state as never)).toBe(noon + 50)
    it.now += 50
    it.fire('late')
    expect(nextDue(it.state as never)).toBe(noon + 100)
  })

  test('sent: a delayed message goes out when it is due, once, as it was made when it was armed', () => {
    const it = desk()
    const { outbox } = it.command('Tell', { keeper: 'a' }, { headers: { trace: 't' } })
    expect(outbox.map(({ to }) => to)).toEqual(['watch/1', 'keeper/a'])
    it.now += 50
    const due = firing(it.state as never, 'late')
    const sent = it.take(due)
    expect(sent).toMatchObject({
      outcome: 'sent',
      outbox: [{ kind: 'command', to: 'keeper/late', type: 'Wake', causationId: 'm1', headers: { trace: 't' } }],
      state: { timers: {}, sequence: 2, now: noon + 50 },
    })
    expect(new Set([...outbox, ...sent.outbox].map(({ id }) => id)).size).toBe(3)
    expect(it.take(due).outcome).toBe('stale')
  })

  test('an effect that is started and stopped in one turn is neither started nor stopped', () => {
    const machine = setup({ actors: { world: effect(async () => 1) } }).createMachine({
      on: { Open: { actions: [spawnChild('world', { id: 'w' }), stopChild('w'), spawnChild('world', { id: 'v' })] } },
    })
    const definition = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const { started, stopped, state } = decide(
      new Wiring([definition]),
      definition,
      undefined,
      message(own, 'Open'),
      noon,
    )
    expect(started.map(([id]) => id)).toEqual(['v'])
    expect(stopped).toEqual([])
    expect(Object.keys(state?.running ?? {})).toEqual(['v'])
  })

  test('an entity that is done keeps no timers and no effects, be its last turn without any action', () => {
    const machine = setup({ actors: { world: effect(async () => 1) } }).createMachine({
      initial: 'a',
      entry: [raise({ type: 'Shut' }, { delay: 10 }), spawnChild('world', { id: 'w' })],
      states: { a: { on: { Open: {}, Shut: 'b', Lock: 'c' } }, b: { type: 'final' }, c: { always: 'b' } },
    })
    const timersOnly = createMachine({ ...machine.config, entry: raise({ type: 'Shut' }, { delay: 10 }) } as never)
    for (const each of [machine, timersOnly]) {
      const definition = defineAggregate(Door, each as AnyStateMachine, { ignores: Object.keys(Door.commands) })
      for (const last of ['Shut', 'Lock']) {
        const it = new Desk(new Wiring([definition]), definition, own)
        it.command('Open')
        const keys = Object.values(it.state?.running ?? {}).map(({ key }) => key)
        expect(it.command(last)).toMatchObject({ state: { timers: {}, running: {} }, stopped: keys })
        expect(it.state).toMatchObject({ snapshot: { status: 'done' } })
        expect(it.state?.timers).toEqual({})
        expect(it.state?.running).toEqual({})
      }
    }
  })

  test('a result of an effect counts once, and only under the key that is awaited', () => {
    const it = desk()
    it.command('AskWorld', { q: 1 })
    const result = ending(it.state as never, 'world', { output: 'x' })
    expect(it.weigh({ ...result, data: { ...result.data, key: 'forged' } }).outcome).toBe('stale')
    expect(it.weigh({ ...result, data: { ...result.data, effect: 'constructor' } }).outcome).toBe('stale')
    expect(it.take(result).outcome).toBe('handled')
    expect(it.take(result).outcome).toBe('stale')
  })
})

describe('birth', () => {
  test('an aggregate comes to life by its first command, with its key as input', () => {
    const machine = createMachine({
      context: ({ input }) => ({ input: input as unknown }),
      entry: emit({ type: 'Opened' }),
      on: { Open: { actions: emit({ type: 'Opened' }) } },
    })
    const definition = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const it = new Desk(new Wiring([definition, watch]), definition, entityId('door', 'a b', 'acme'))
    const { outcome, state, outbox } = it.command('Open')
    expect(outcome).toBe('handled')
    expect(state).toMatchObject({ sequence: 1, now: noon, snapshot: { context: { input: { key: 'a b' } } } })
    expect(state?.incarnation).toBe(incarnationOf(it.entity, 'm1' as MessageId))
    expect(outbox).toHaveLength(2)
  })

  test('an aggregate that refuses its first command stays unborn', () => {
    expect(desk().command('Break')).toMatchObject({
      outcome: 'rejected',
      state: undefined,
      refusal: 'door/1 does not take Break before its first message',
    })
  })

  test('a saga comes to life by its start event, which is its input and no event', () => {
    const it = new Desk(wiring, watch, entityId('watch', '1'))
    expect(it.event(own, 'door.Opened', { by: 'me' })).toMatchObject({
      outcome: 'handled',
      state: { snapshot: { value: 'a', context: { input: { key: '1', message: { type: 'door.Opened', by: 'me' } } } } },
    })
    expect(it.state?.snapshot.context).not.toHaveProperty('again')
  })

  test('a start event for a saga that lives is an event like any other; for one that is done it is late', () => {
    const it = new Desk(wiring, watch, entityId('watch', '1'))
    it.event(own, 'door.Opened')
    expect(it.event(own, 'door.Opened').outcome).toBe('handled')
    expect(it.state?.snapshot.context).toMatchObject({ again: true })
    expect(it.event(own, 'door.Opened', { end: true }).outcome).toBe('handled')
    expect(it.event(own, 'door.Opened')).toMatchObject({ outcome: 'late', state: it.state })
  })

  test('a saga with a contract of its own also comes to life by a command', () => {
    const Own = contract('own', { commands: { Begin: anything } })
    const machine = createMachine({ context: ({ input }) => ({ input: input as unknown }), on: { Begin: {} } })
    const definition = defineSaga(Own, follow(Door.event('Opened').bySource().starts()), machine as AnyStateMachine)
    const it = new Desk(new Wiring([definition, door, keeper]), definition, entityId('own', '1'))
    expect(it.command('Begin')).toMatchObject({
      outcome: 'handled',
      state: { snapshot: { context: { input: { key: '1' } } } },
    })
  })

  test('G13: neighbours share nothing: an action that changes the initial context in place fails, and nobody sees it', () => {
    const context = { list: [1] }
    const machine = createMachine({
      context,
      on: {
        Open: {
          actions: ({ context: { list } }) => void list.push(2),
          guard: ({ context: { list } }) => list.push(2) > 0,
        },
        Shut: { actions: assign(({ context: { list } }) => ({ list: [...list, 3] })) },
      },
    })
    const definition = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const system = new Wiring([definition])
    const born = (type: string) => decide(system, definition, undefined, message(own, type), noon).state
    expect(failure(() => born('Open')).code).toBe('MACHINE_FAILED')
    expect(born('Shut')?.snapshot.context).toEqual({ list: [1, 3] })
    expect(born('Shut')?.snapshot.context).toEqual({ list: [1, 3] })
    // The machine itself is left as it is.
    expect(Object.isFrozen(context.list)).toBe(false)
  })

  const mine = () => turn().entity
  test.each([
    ['a context function', { context: ({ input }: { input: { key: string } }) => ({ by: input.key }) }],
    ['an entry action', { entry: assign({ by: mine }) }],
    ['an action of the initial transition', { initial: { target: 'a', actions: assign({ by: mine }) } }],
    [
      'an action of a nested initial transition',
      { states: { a: { initial: { target: 'b', actions: assign({ by: mine }) }, states: { b: {} } } } },
    ],
    [
      'an eventless transition',
      {
        states: {
          a: { always: { guard: () => turn().entity.endsWith('2'), target: 'b' } },
          b: { entry: assign({ by: mine }) },
        },
      },
    ],
    [
      'an eventless guard of a parallel state',
      {
        type: 'parallel',
        states: {
          a: {
            initial: 'x',
            states: { x: { always: { guard: () => turn().entity.endsWith('2'), target: 'y' } }, y: {} },
          },
        },
      },
    ],
    [
      'a delay',
      {
        entry: raise(
          { type: 'Shut' },
          { id: 't', delay: () => turn().entity.length * Number(turn().entity.slice(-1)) },
        ),
      },
    ],
    ['a delay of a state', { states: { a: { after: { wait: {} } } } }],
    ['an input of an effect', { states: { a: { invoke: { src: effect(async () => 1), input: mine } } } }],
    ['an event that it publishes', { states: { a: { entry: emit(() => ({ type: 'Opened', by: turn().entity })) } } }],
  ])('G13: what is done at birth is done for each entity anew: %s', (_, config) => {
    const whole = { context: {}, initial: 'a', states: { a: {} }, ...config, on: { Open: {} } }
    const delays = { wait: () => Number(turn().entity.slice(-1)) }
    const definition = defineAggregate(Door, createMachine(whole as never, { delays } as never) as AnyStateMachine, {
      ignores: Object.keys(Door.commands),
    })
    const system = new Wiring([definition, watch])
    const born = (key: string) => {
      const decision = decide(system, definition, undefined, message(entityId('door', key), 'Open'), noon)
      const { snapshot, timers, running } = decision.state ?? {}
      const seen = [snapshot?.value, snapshot?.context, Object.values(timers ?? {}).map(({ due }) => due)]
      return JSON.stringify([
        ...seen,
        Object.values(running ?? {}).map(({ input }) => input),
        decision.outbox.map(({ data }) => data),
      ])
    }
    const [two, one, twoAgain] = ['2', '1', '2'].map(born)
    expect(two).not.toBe(one)
    expect(twoAgain).toBe(two)
  })

  test('G13: a machine that is done at birth gives each entity its own output', () => {
    const machine = createMachine({ initial: 'a', states: { a: { type: 'final' } }, output: () => turn().entity })
    const saga = defineSaga('brief', follow(Door.event('Opened').bySource().starts()), machine as AnyStateMachine)
    const system = new Wiring([door, keeper, saga])
    const outputs = ['1', '2'].map((key) => {
      const event = message(entityId('brief', key), 'door.Opened', {}, { kind: 'event', from: own })
      return decide(system, saga, undefined, event, noon).state?.snapshot.output
    })
    expect(outputs).toEqual(['brief/1', 'brief/2'])
  })

  test('an initial context that could not be stored is refused when it is defined', () => {
    for (const value of [new Date(), () => {}, Number.NaN]) {
      const machine = createMachine({ context: { value: value as unknown }, on: { Open: {} } })
      expect(failure(() => defineAggregate(Door, machine as AnyStateMachine)).code).toBe('NOT_PLAIN_DATA')
    }
  })

  test('an entity that is done at birth takes nothing', () => {
    const machine = createMachine({ initial: 'a', states: { a: { type: 'final' } }, on: { Open: {} } })
    const definition = defineAggregate(Door, machine as AnyStateMachine, { ignores: ['Shut'] })
    const weigh = (type: string) => decide(wiring, definition, undefined, message(own, type), noon)
    expect(weigh('Open')).toMatchObject({ outcome: 'late', state: undefined })
    expect(weigh('Shut')).toMatchObject({ outcome: 'ignored', state: undefined })
  })
})

describe('replies', () => {
  const from = entityId('watch', '7')
  const key = idempotencyKey('k', { at: noon })

  test('an entity gets a reply as a message of the contract', () => {
    const { outbox, replies } = desk().command('Ask', { q: 1 }, { from })
    expect(replies).toEqual([])
    expect(outbox).toMatchObject([
      { kind: 'reply', to: from, from: own, type: 'door.Answer', data: { q: 1 }, causationId: 'm1' },
    ])
  })

  test('a client gets it under its message and its key', () => {
    const { outbox, replies } = desk().command('Ask', { q: 1 }, { key })
    expect(outbox).toEqual([])
    expect(replies).toEqual([{ asker: { from: 'client', message: 'm1', key }, reply: { type: 'Answer', q: 1 } }])
  })

  test('whoever published an event is answered like whoever sent a command', () => {
    const it = desk()
    it.command('Open')
    expect(it.event(from, 'Ask', { q: 2 }).outbox).toMatchObject([{ kind: 'reply', to: from, data: { q: 2 } }])
  })

  test.each([
    ['a client', { from: 'client', key } as const],
    ['an entity', { from } as const],
  ])('%s that asked is answered in a later turn, by a timer or an effect, across unloading', (_, sender) => {
    const it = desk()
    const reload = () => {
      it.state = decodeSnapshot(door, own, encodeSnapshot(door, it.state as never))
    }
    it.command('AskLater', {}, sender)
    it.command('AskWorld', { q: 3 }, sender)
    reload()
    it.command('Open', {}, { from: entityId('watch', 'somebody else') })
    reload()
    it.now += 100
    const answers = (decision: Decision) => [
      ...decision.replies.map(({ asker, reply }) => [asker.from, asker.message, asker.key, reply.q]),
      ...decision.outbox.map(({ to, data }) => [to, undefined, undefined, data.q]),
    ]
    const expected = (q: unknown, asked: string) =>
      'key' in sender ? ['client', asked, key, q] : [from, undefined, undefined, q]
    expect(answers(it.fire('later'))).toEqual([expected('later', 'm1')])
    reload()
    expect(answers(it.end('world', { output: 'earth' }))).toEqual([expected('earth', 'm2')])
  })

  test('an asker is kept over several turns and over messages to itself', () => {
    const machine = createMachine({
      on: {
        Open: { actions: sendTo(({ self }) => self, { type: 'Shut' }) },
        Shut: { actions: raise({ type: 'Lock' }, { id: 't', delay: 1 }) },
        Lock: { actions: raise({ type: 'Ask' }, { id: 'u', delay: 1 }) },
        Ask: { actions: Door.reply({ type: 'Answer' }) as never },
      },
    })
    const definition = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const it = new Desk(new Wiring([definition]), definition, own)
    const [toItself] = it.command('Open', {}, { key }).outbox
    expect(toItself).toMatchObject({ kind: 'internal', to: own, asker: { from: 'client', message: 'm1', key } })
    it.take(decodeEnvelope(encodeEnvelope(toItself as never)))
    it.now += 10
    it.fire('t')
    it.now += 10
    expect(it.fire('u').replies).toEqual([{ asker: { from: 'client', message: 'm1', key }, reply: { type: 'Answer' } }])
  })

  test('a reply where nobody asked, or of another contract, is refused', () => {
    const nobody = createMachine({
      on: {
        Open: { actions: raise({ type: 'Ask' }, { id: 't', delay: 1 }) },
        Ask: { actions: Door.reply({ type: 'Answer' }) as never },
      },
    })
    const definition = defineAggregate(Door, nobody as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const it = new Desk(new Wiring([definition]), definition, own)
    it.command('Ask')
    it.event(from, 'Open')
    it.now += 1
    expect(failure(() => it.fire('t'))).toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(/nobody sent/),
    })

    const foreign = createMachine({ on: { Wake: { actions: Door.reply({ type: 'Answer' }) as never } } })
    const thief = defineAggregate(Keeper, foreign as AnyStateMachine)
    const attempt = () => decide(new Wiring([thief]), thief, undefined, message(entityId('keeper', '1'), 'Wake'), noon)
    expect(failure(attempt)).toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(/contract "door"/),
    })
  })

  test('whom a reply goes to: the sender, or the asker that a message carries', () => {
    const ask = message(own, 'Ask')
    expect(askerOf(ask)).toEqual({ from: 'client', message: ask.id, key: undefined })
    expect(askerOf({ ...ask, kind: 'timeout' })).toBeUndefined()
    expect(askerOf({ ...ask, kind: 'timeout', asker: { from, message: 'x' as MessageId } })).toEqual({
      from,
      message: 'x',
    })
  })
})

describe('what a message hands on', () => {
  test('the tenant: to commands, events and addresses without one of their own', () => {
    const acme = entityId('door', '1', 'acme')
    const it = new Desk(wiring, door, acme)
    expect(it.command('Tell', { keeper: 'a' }).outbox.map(({ to }) => to)).toEqual(['acme/watch/1', 'acme/keeper/a'])

    const machine = createMachine({
      on: { Wake: { actions: sendTo(Door.at('2', { tenant: 'other' }), { type: 'Open' } as never) } },
    })
    const sender = defineAggregate(Keeper, machine as AnyStateMachine, { sends: [Door] })
    const { outbox } = decide(
      new Wiring([sender, door]),
      sender,
      undefined,
      message(entityId('keeper', '1', 'acme'), 'Wake'),
      noon,
    )
    expect(outbox.map(({ to }) => to)).toEqual(['other/door/2'])
  })

  test('correlation, causation and headers: to all that follows, at once, later, and from effects', () => {
    const chain = {
      id: 'm1' as MessageId,
      correlationId: 'c' as MessageId,
      causationId: 'b' as MessageId,
      headers: { traceparent: '00-1' },
    }
    const handedOn = { correlationId: 'c', causationId: 'm1', headers: { traceparent: '00-1' } }
    const it = desk()
    for (const envelope of it.command('Tell', { keeper: 'a' }, chain).outbox) expect(envelope).toMatchObject(handedOn)
    it.command('AskLater', {}, { ...chain, from: entityId('watch', '7') })
    it.command('AskWorld', {}, { ...chain, from: entityId('watch', '7') })
    expect(it.state?.timers.later?.cause).toEqual(handedOn)
    expect(it.state?.running.world?.cause).toEqual(handedOn)
    it.now += 100
    for (const { outbox } of [it.fire('later'), it.end('world', { output: 1 })]) {
      expect(outbox).toMatchObject([{ correlationId: 'c', headers: { traceparent: '00-1' } }])
    }
  })

  test("a payload cannot pass for another message: its type is the envelope's", () => {
    const it = unlocked()
    expect(it.take(message(own, 'Open', { type: 'Break' }, { id: 'm2' as MessageId })).outcome).toBe('rejected')
    expect(
      it.take(message(own, 'Open', { type: 'xstate.done.actor.world', output: 1 }, { id: 'm3' as MessageId })).outcome,
    ).toBe('rejected')
    const saga = new Desk(wiring, watch, entityId('watch', '1'))
    saga.event(own, 'door.Opened', { type: 'xstate.init' })
    expect(saga.state?.snapshot.context).toMatchObject({ input: { message: { type: 'door.Opened' } } })
  })
})

describe('sends and follows', () => {
  test('a command to a contract that `sends` does not list is refused', () => {
    const definition = defineAggregate(Door, doorMachine as AnyStateMachine)
    const attempt = () => decide(wiring, definition, undefined, message(own, 'Tell', { keeper: 'a' }), noon)
    expect(failure(attempt)).toMatchObject({ code: 'DEFINITION_INVALID', details: { from: 'door', to: 'keeper' } })
  })

  test('commands to entities of its own type need no listing', () => {
    const machine = createMachine({ on: { Wake: { actions: sendTo(Keeper.at('2'), { type: 'Wake' } as never) } } })
    const definition = defineAggregate(Keeper, machine as AnyStateMachine)
    expect(
      decide(new Wiring([definition]), definition, undefined, message(entityId('keeper', '1'), 'Wake'), noon).outbox,
    ).toHaveLength(1)
  })

  test('an event goes once to each follower, in the order of the definitions, under ids of their own', () => {
    const followers = ['a', 'b', 'c'].map((name) => shadow(name, Door.event('Opened').bySource().starts()))
    const it = new Desk(new Wiring([...followers, door, keeper]), door, own)
    const { outbox } = it.command('Tell', { keeper: 'k' })
    expect(outbox.map(({ to }) => to)).toEqual(['a/1', 'b/1', 'c/1', 'keeper/k'])
    expect(new Set(outbox.map(({ id }) => id)).size).toBe(4)
  })

  test('an event that nobody follows is still checked against its contract, and goes nowhere', () => {
    const it = new Desk(new Wiring([door, keeper]), door, own)
    expect(it.command('Tell', { keeper: 'k' }).outbox.map(({ to }) => to)).toEqual(['keeper/k'])
  })

  const correlated = (followed: readonly AnyFollowed[], data: object, entity = own) => {
    const saga = defineSaga('saga', follow(...followed), createMachine({}) as AnyStateMachine)
    const it = new Desk(new Wiring([door, keeper, saga]), door, entity)
    return it
      .command('Tell', { keeper: 'k', ...data })
      .outbox.filter(({ kind }) => kind === 'event')
      .map(({ to }) => to)
  }
  const opened = Door.event('Opened')

  test('correlation: by a property, a number property, the source, a function', () => {
    expect(correlated([opened.by('orderId' as never).starts()], { orderId: 'a b' })).toEqual(['saga/a%20b'])
    expect(correlated([opened.by('orderId' as never).starts()], { orderId: 17 })).toEqual(['saga/17'])
    expect(correlated([opened.bySource().starts()], {})).toEqual(['saga/1'])
    expect(correlated([opened.by(({ a, b }) => `${a}-${b}`).starts()], { a: 1, b: 2 })).toEqual(['saga/1-2'])
    expect(
      correlated([opened.by('orderId' as never).starts()], { orderId: 'x' }, entityId('door', '1', 'acme')),
    ).toEqual(['acme/saga/x'])
  })

  test('one event followed by two properties goes to both sagas, and once where they are the same', () => {
    const both = [opened.by('from' as never).starts(), opened.by('to' as never).starts()] as const
    expect(correlated([...both], { from: 'a', to: 'b' })).toEqual(['saga/a', 'saga/b'])
    expect(correlated([...both], { from: 'a', to: 'a' })).toEqual(['saga/a'])
  })

  test.each([
    ['missing', {}],
    ['empty', { orderId: '' }],
    ['null', { orderId: null }],
    ['an object', { orderId: { id: 1 } }],
    ['with a slash', { orderId: 'a/b' }],
    ['too long', { orderId: 'x'.repeat(257) }],
  ])('a key that is %s ends in a typed error', (_, data) => {
    expect(failure(() => correlated([opened.by('orderId' as never).starts()], data)).code).toBe('ADDRESS_INVALID')
    expect(failure(() => correlated([opened.by(({ orderId }) => orderId as string).starts()], data)).code).toBe(
      'ADDRESS_INVALID',
    )
  })

  test('a key function that throws ends in a typed error with its cause', () => {
    const cause = new TypeError('no order')
    const attempt = () =>
      correlated(
        [
          opened
            .by(() => {
              throw cause
            })
            .starts(),
        ],
        {},
      )
    expect(failure(attempt)).toMatchObject({
      code: 'ADDRESS_INVALID',
      cause,
      message: expect.stringMatching(/door\.Opened names no "saga": no order/),
    })
  })
})

describe('a machine that fails', () => {
  const boom = new RangeError('boom')
  const explode = (): never => {
    throw boom
  }
  const attempt = (config: object, type = 'Open', state?: never) => {
    const definition = defineAggregate(Door, createMachine(config as never) as AnyStateMachine, {
      ignores: Object.keys(Door.commands),
    })
    return failure(() => decide(new Wiring([definition]), definition, state, message(own, type), noon))
  }

  test.each([
    ['the context function', { context: explode }],
    ['an assign at birth', { context: {}, entry: assign(explode) }],
    ['an assign in a transition', { context: {}, on: { Open: { actions: assign(explode) } } }],
    ['an eventless guard', { context: {}, always: { guard: explode, target: '.a' }, states: { a: {} }, initial: 'a' }],
    ['an input function', { on: { Open: { actions: emit(explode) } } }],
    ['a delay', { entry: raise({ type: 'Shut' }, { delay: explode }) }],
    ['an output', { initial: 'a', states: { a: { on: { Open: 'b' } }, b: { type: 'final' } }, output: explode }],
  ])('throws in %s: MACHINE_FAILED with its cause', (_, config) => {
    expect(attempt(config)).toMatchObject({
      code: 'MACHINE_FAILED',
      cause: boom,
      details: { entity: own, message: 'm-Open', type: 'Open' },
      message: expect.stringMatching(/door\/1 threw on Open: boom/),
    })
  })

  test('throws in a guard: MACHINE_FAILED, and XState says which', () => {
    const error = attempt({ on: { Open: { guard: explode, actions: [] } } })
    expect(error).toMatchObject({ code: 'MACHINE_FAILED', message: expect.stringMatching(/guard.*'Open'.*boom/s) })
    expect(error.cause).toBeInstanceOf(Error)
  })

  test('what it threw may be anything', () => {
    const thrown = attempt({
      context: () => {
        throw 'a text'
      },
    })
    expect(thrown).toMatchObject({ code: 'MACHINE_FAILED', cause: 'a text', message: expect.stringMatching(/a text/) })
  })

  test('an InterstateError of an output is not wrapped', () => {
    expect(attempt({ on: { Open: { actions: emit({ type: 'Stolen' }) } } }).code).toBe('MESSAGE_UNKNOWN')
  })

  test('G4: nothing has changed then: the next message finds the entity as it was', () => {
    const machine = createMachine({
      context: { n: 0 },
      on: {
        Open: { actions: assign({ n: ({ context }) => context.n + 1 }) },
        Shut: { actions: [assign({ n: 100 }), emit(explode)] },
      },
    })
    const definition = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const it = new Desk(new Wiring([definition]), definition, own)
    it.command('Open')
    const before = encodeSnapshot(definition, it.state as never)
    expect(failure(() => it.command('Shut')).code).toBe('MACHINE_FAILED')
    expect(encodeSnapshot(definition, it.state as never)).toBe(before)
    it.command('Open')
    expect(it.state?.snapshot.context).toEqual({ n: 2 })
  })

  test.each([
    ['an always loop', { initial: 'a', states: { a: { on: { Open: 'b' } }, b: { always: 'c' }, c: { always: 'b' } } }],
    ['an always loop at birth', { initial: 'b', states: { b: { always: 'c' }, c: { always: 'b' } } }],
    ['a raise loop', { on: { Open: { actions: raise({ type: 'Open' }) } } }],
    [
      'a raise loop of two',
      { on: { Open: { actions: raise({ type: 'Shut' }) }, Shut: { actions: raise({ type: 'Open' }) } } },
    ],
    ['a growing raise loop', { on: { Open: { actions: [raise({ type: 'Open' }), raise({ type: 'Open' })] } } }],
    [
      'a loop that counts',
      {
        context: { n: 0 },
        initial: 'a',
        states: {
          a: { always: { actions: assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 }) } },
        },
      },
    ],
  ])('G11: %s ends quickly as MACHINE_NEVER_SETTLES', (_, config) => {
    const begin = performance.now()
    expect(attempt(config)).toMatchObject({ code: 'MACHINE_NEVER_SETTLES', cause: expect.any(Error) })
    expect(performance.now() - begin).toBeLessThan(1_000)
  })

  test('the error of an effect that no onError takes is EFFECT_FAILED, and the effect is still awaited', () => {
    const it = desk()
    it.command('AskWorld', { q: 1 })
    const before = it.state
    const error = failure(() => it.end('world', { error: { name: 'Error', message: 'no network' } }))
    expect(error).toMatchObject({
      code: 'EFFECT_FAILED',
      details: { entity: own, effect: 'world', error: { message: 'no network' } },
    })
    expect(it.state).toBe(before)
    expect(it.end('world', { output: 'in the end' }).outcome).toBe('handled')
  })
})

describe('G14: determinism', () => {
  const drawing = createMachine({
    context: { at: 0, drawn: [] as unknown[] },
    on: {
      Open: {
        guard: () => turn().random() >= 0,
        actions: [
          assign({
            at: () => turn().now,
            drawn: ({ context }) => [...context.drawn, turn().random(), turn().id(), turn().message.id, turn().entity],
          }),
          emit(() => ({ type: 'Opened', id: turn().id() })),
          raise({ type: 'Shut' }, { delay: 10 }),
          sendTo(() => Keeper.at('k'), { type: 'Wake' }),
        ],
      },
      Shut: { actions: assign({ drawn: ({ context }) => [...context.drawn, turn().id()] }) },
    },
  }) as AnyStateMachine
  const definition = defineAggregate(Door, drawing, { sends: [Keeper], ignores: Object.keys(Door.commands) })
  const system = new Wiring([definition, keeper, watch])

  const script = fc.array(
    fc.record({
      type: fc.constantFrom('Open', 'Shut', 'Lock'),
      ms: fc.integer({ min: -50, max: 50 }),
      data: fc.dictionary(fc.constantFrom('a', 'b', '10'), fc.integer()),
    }),
    { minLength: 1, maxLength: 8 },
  )

  test('the same state, message and time give the same bytes: snapshot, outbox, replies, effects', () => {
    fc.assert(
      fc.property(script, (messages) => {
        const it = new Desk(system, definition, own)
        const seen: unknown[] = []
        for (const { type, ms, data } of messages) {
          it.now += ms
          const envelope = message(own, type, JSON.parse(JSON.stringify(data)), { id: `x${seen.length}` as MessageId })
          const text = it.state && encodeSnapshot(definition, it.state)
          const decision = it.weigh(envelope)
          const reloaded = text === undefined ? undefined : decodeSnapshot(definition, own, text)
          const again = decide(system, definition, reloaded, decodeEnvelope(encodeEnvelope(envelope)), it.now)
          expect(told(definition, again)).toBe(told(definition, decision))
          it.state = decision.state
          seen.push(...decision.outbox.map(({ id }) => id), ...Object.keys(decision.state?.timers ?? {}))
        }
      }),
    )
  })

  test('ids differ: between outputs, turns, messages, entities and incarnations; random and id of a turn likewise', () => {
    const ids: unknown[] = []
    const collect = ({ state, outbox }: Decision) =>
      ids.push(
        ...outbox.map(({ id }) => id),
        ...(state?.snapshot.context.drawn.filter(
          (each: unknown) => typeof each === 'number' || String(each).length === 21,
        ) ?? []),
      )
    for (const key of ['1', '2']) {
      for (const birth of ['a', 'b']) {
        const entity = entityId('door', key)
        const first = decide(
          system,
          definition,
          undefined,
          message(entity, 'Open', {}, { id: birth as MessageId }),
          noon,
        )
        collect(first)
        // The same message id in another incarnation, as the firing of a timer has.
        const second = decide(
          system,
          definition,
          {
            ...(first.state as never as object),
            snapshot: { ...first.state?.snapshot, context: { at: 0, drawn: [] } },
          } as never,
          message(entity, 'Open', {}, { id: 'same' as MessageId }),
          noon,
        )
        collect(second)
      }
    }
    expect(ids).toHaveLength(2 * 2 * 2 * 4)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('the time of an entity never goes backwards, whatever the clock of its host says', () => {
    const it = new Desk(system, definition, own)
    it.command('Open')
    it.now -= 5_000
    const { outbox } = it.command('Open')
    expect(it.state).toMatchObject({ now: noon, snapshot: { context: { at: noon } } })
    expect(outbox[0]?.created).toBe(noon)
    it.now += 5_001
    it.command('Open')
    expect(it.state?.snapshot.context.at).toBe(noon + 1)
  })

  test('a clock with fractions is cut to milliseconds, and a timer never fires before it is due', () => {
    const it = new Desk(system, definition, own)
    it.now = noon + 0.75
    it.command('Open')
    expect(it.state?.now).toBe(noon)
    expect(Object.values(it.state?.timers ?? {})).toMatchObject([{ due: noon + 10 }])
    const machine = createMachine({ on: { Open: { actions: raise({ type: 'Shut' }, { id: 't', delay: 1.2 }) } } })
    const fractional = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const { state } = decide(new Wiring([fractional]), fractional, undefined, message(own, 'Open'), noon)
    expect(state?.timers.t?.due).toBe(noon + 2)
    expect(decodeSnapshot(fractional, own, encodeSnapshot(fractional, state as never)).timers).toEqual(state?.timers)
  })

  test('a plain action that runs after the commit is still in its turn: the time, and draws that go on', () => {
    const seen: unknown[] = []
    const machine = createMachine({
      context: { id: '' },
      on: {
        Open: {
          actions: [assign({ id: () => turn().id() }), () => seen.push(turn().now, turn().id(), turn().message.id)],
        },
      },
    })
    const acting = defineAggregate(Door, machine as AnyStateMachine, { ignores: Object.keys(Door.commands) })
    const run = () => {
      const { state, actions } = decide(new Wiring([acting]), acting, undefined, message(own, 'Open'), noon)
      for (const action of actions) action()
      return state?.snapshot.context.id
    }
    const assigned = [run(), run()]
    expect(seen).toEqual([noon, expect.any(String), 'm-Open', noon, seen[1], 'm-Open'])
    expect(assigned[0]).toBe(assigned[1])
    expect(seen[1]).not.toBe(assigned[0])
    expect(turn().now).toBe(0)
  })

  test("outside a turn there is a time too, so that machines run in XState's own tools", () => {
    expect(turn().now).toBe(0)
    expect(turn().random()).toBeLessThan(1)
    expect(turn().id()).toHaveLength(21)
  })

  test('a failed turn leaves no turn behind', () => {
    expect(
      failure(() => decide(system, definition, undefined, message(own, 'Open', {}, { to: 'door/%' as never }), noon))
        .code,
    ).toBe('ADDRESS_INVALID')
    expect(turn().now).toBe(0)
  })
})
