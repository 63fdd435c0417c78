// What can't be stored between two messages is refused: when it is defined, or at the latest in the turn that does it.
import { describe, expect, test, vi } from 'vitest'
import {
  type AnyActorLogic,
  type AnyActorRef,
  type AnyStateMachine,
  and,
  assign,
  createMachine,
  emit,
  enqueueActions,
  forwardTo,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  not,
  raise,
  sendParent,
  sendTo,
  spawnChild,
} from 'xstate'
import {
  contract,
  type Decision,
  decide,
  defineAggregate,
  type Envelope,
  effect,
  entityId,
  InterstateError,
  isPromiseLogic,
  Wiring,
} from '../src/index.ts'
import { anything } from './hosted.ts'

const Thing = contract('thing', { commands: { Go: anything }, events: { Told: anything } })
const Other = contract('other', { commands: { Do: anything } })
const other = defineAggregate(Other, createMachine({ on: { Do: {} } }) as AnyStateMachine)

const define = (config: object, implementations: object = {}) =>
  defineAggregate(Thing, createMachine(config as never, implementations as never) as AnyStateMachine, {
    sends: [Other],
  })

/** What the first command does; the machine takes it in its root. */
function go(actions: unknown, implementations: object = {}, context: unknown = {}): Decision {
  const definition = define({ context, on: { Go: { actions } } }, implementations)
  const id = 'm1' as Envelope['id']
  const chain = { correlationId: id, causationId: id, created: 0, contractVersion: 1 }
  const command: Envelope = {
    id,
    kind: 'command',
    to: entityId('thing', '1'),
    from: 'client',
    type: 'Go',
    data: {},
    ...chain,
  }
  return decide(new Wiring([definition, other]), definition, undefined, command, 0)
}

function refusal(attempt: () => unknown): { readonly code: string; readonly text: string } {
  try {
    attempt()
  } catch (error) {
    if (error instanceof InterstateError) return { code: error.code, text: error.message }
    throw error
  }
  return { code: 'taken', text: '' }
}

// XState's development build warns of what is refused here.
vi.spyOn(console, 'warn').mockImplementation(() => {})

const never = { subscribe: () => ({ unsubscribe: () => {} }) }
const promise = fromPromise(async () => 1)
const machine = createMachine({})
const live: readonly (readonly [string, AnyActorLogic])[] = [
  ['a callback', fromCallback(() => {})],
  ['an observable', fromObservable(() => never as never)],
  ['an event observable', fromEventObservable(() => never as never)],
  ['a transition function', fromTransition((state) => state, {})],
  [
    'a transition function that pretends',
    fromTransition(() => ({ status: 'done', output: 1 }), { status: 'active', output: 0 }),
  ],
  ['a machine', machine],
]

describe('a child that is no promise is refused when it is defined, with what to write instead', () => {
  test.each(live)('%s: invoked or spawned, named or inline, at the root or deep inside', (_, logic) => {
    const instead = logic === machine ? /entity of its own/ : /fromPromise or effect/
    const deep = (state: object) => ({ initial: 'a', states: { a: { initial: 'b', states: { b: state } } } })
    const named = { actors: { kid: logic } }
    for (const [config, implementations] of [
      [{ invoke: { src: logic } }, {}],
      [{ invoke: { src: 'kid' } }, named],
      [{ invoke: [{ src: promise }, { src: 'kid', id: 'k' }] }, named],
      [deep({ invoke: { src: logic } }), {}],
      [deep({ invoke: { src: 'kid' } }), named],
      [{ entry: spawnChild('kid' as never, { id: 'k' } as never) }, named],
      [{ entry: spawnChild(logic, { id: 'k' }) }, {}],
      [deep({ exit: [spawnChild('kid' as never, { id: 'k' } as never)] }), named],
      [
        deep({ on: { Go: { actions: 'spawn' } } }),
        { ...named, actions: { spawn: spawnChild('kid' as never, { id: 'k' } as never) } },
      ],
    ] as const) {
      const { code, text } = refusal(() => define(config, implementations))
      expect({ code, text }).toEqual({ code: 'NOT_HOSTABLE', text: expect.stringMatching(instead) })
      expect(text).toMatch(/In "thing", (invoke|an action)/)
    }
  })

  test('what a promise is, is told by what it does', () => {
    expect(isPromiseLogic(promise)).toBe(true)
    expect(isPromiseLogic(effect(async () => 1))).toBe(true)
    for (const [, logic] of live) expect(isPromiseLogic(logic)).toBe(false)
    expect(isPromiseLogic({} as never)).toBe(false)
    expect(isPromiseLogic({ transition: () => ({ status: 'done', output: 'its own' }) } as never)).toBe(false)
  })
})

describe('what holds or needs a live reference is refused when it is defined', () => {
  const kid = { actors: { kid: promise } }
  const cases: readonly (readonly [string, object, object, RegExp])[] = [
    [
      'an invoke with a systemId',
      { invoke: { src: promise, systemId: 's' } },
      {},
      /systemId.*sendTo\(Contract\.at\(key\)/,
    ],
    [
      'a spawnChild with a systemId',
      { entry: spawnChild('kid' as never, { id: 'k', systemId: 's' } as never) },
      kid,
      /systemId/,
    ],
    [
      'a listener to snapshots',
      { invoke: { src: promise, onSnapshot: { actions: () => {} } } },
      {},
      /onSnapshot.*onDone/,
    ],
    ['an inline spawnChild', { entry: spawnChild(promise, { id: 'k' }) }, {}, /inline child.*`actors` of setup/],
    ['a spawnChild without an id', { entry: spawnChild('kid' as never) }, kid, /without an id.*\{ id \}/],
    ['a sendTo a child', { entry: sendTo('kid', { type: 'X' }) }, kid, /"kid".*Contract\.at\(key\)/],
    ['a sendParent', { entry: sendParent({ type: 'X' }) }, {}, /#_parent.*Contract\.at\(key\)/],
    ['a forwardTo', { on: { Go: { actions: forwardTo('kid') } } }, kid, /"kid".*Contract\.at\(key\)/],
    ['an actor that nothing implements', { invoke: { src: 'nobody' } }, {}, /nothing implements.*`actors`/],
    [
      'a spawned actor that nothing implements',
      { entry: spawnChild('nobody' as never, { id: 'k' } as never) },
      {},
      /nothing implements/,
    ],
    ['a name of Object.prototype for an actor', { invoke: { src: 'constructor' } }, {}, /nothing implements/],
    [
      'an action that nothing implements',
      { on: { Go: { actions: 'nothing' } } },
      {},
      /action.*nothing implements.*`actions`/,
    ],
    [
      'an action with params that nothing implements',
      { entry: { type: 'toString', params: {} } },
      {},
      /nothing implements/,
    ],
    [
      'a guard that nothing implements',
      { on: { Go: { guard: 'nothing' } } },
      {},
      /guard.*nothing implements.*`guards`/,
    ],
    [
      'a guard within guards',
      { always: { guard: and([() => true, not('nothing')] as never) } },
      {},
      /nothing implements/,
    ],
    [
      'a guard behind a name',
      { on: { Go: { guard: 'ok' } } },
      { guards: { ok: not('nothing' as never) } },
      /nothing implements/,
    ],
    ['a delay that nothing implements', { after: { soon: {} } }, {}, /delay "soon".*`delays`/],
    ['a delay of raise', { entry: raise({ type: 'X' }, { delay: 'soon' as never }) }, {}, /delay "soon"/],
    [
      'a delay of sendTo',
      { entry: sendTo(Other.at('1'), { type: 'Do' }, { delay: 'soon' as never }) },
      {},
      /delay "soon"/,
    ],
  ]
  test.each(cases)('%s', (_, config, implementations, instead) => {
    const { code, text } = refusal(() => define(config, implementations))
    expect({ code, text }).toEqual({ code: 'NOT_HOSTABLE', text: expect.stringMatching(instead) })
  })

  const bad = sendTo('kid', { type: 'X' })
  const places: readonly (readonly [string, object])[] = [
    ['entry', { entry: [() => {}, bad] }],
    ['exit of a nested state', { initial: 'a', states: { a: { exit: bad } } }],
    ['a transition', { on: { Go: [{ guard: () => false, actions: bad }, {}] } }],
    [
      'a wildcard transition of a parallel region',
      { type: 'parallel', states: { r: { on: { '*': { actions: bad } } } } },
    ],
    ['always', { always: { guard: () => false, actions: bad } }],
    ['after', { after: { 10: { actions: bad } } }],
    [
      'onDone of a state',
      { initial: 'a', states: { a: { initial: 'b', states: { b: { type: 'final' } }, onDone: { actions: bad } } } },
    ],
    ['onDone of an invoke', { invoke: { src: promise, onDone: { actions: bad } } }],
    ['onError of an invoke', { invoke: { src: promise, onError: { actions: bad } } }],
    ['the initial transition', { initial: { target: 'a', actions: bad }, states: { a: {} } }],
    [
      'the initial transition of a nested state',
      { initial: 'a', states: { a: { initial: { target: 'b', actions: [bad] }, states: { b: {} } } } },
    ],
  ]
  test.each(places)('wherever it stands: in %s', (_, config) => {
    expect(refusal(() => define(config)).code).toBe('NOT_HOSTABLE')
  })

  test('behind the name of an action', () => {
    expect(refusal(() => define({ entry: 'bad' }, { actions: { bad } })).code).toBe('NOT_HOSTABLE')
    expect(refusal(() => define({ entry: { type: 'bad' } }, { actions: { bad } })).code).toBe('NOT_HOSTABLE')
  })

  test('a machine that can be hosted is taken as it is, and not changed', () => {
    const hosted = createMachine({
      invoke: { src: promise },
      entry: raise({ type: 'X' }, { delay: 1 }),
      on: { Go: {} },
    })
    expect(defineAggregate(Thing, hosted as AnyStateMachine).machine).not.toBe(hosted)
    expect(hosted.options.maxIterations).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('what only the turn can know is refused in the turn, and nothing has changed', () => {
  const kid = { actors: { kid: promise, callback: fromCallback(() => {}), machine } }
  type Enqueue = {
    spawnChild(src: unknown, options?: object): void
    sendTo(to: unknown, event: object): void
    sendParent(event: object): void
  }
  const enqueue = (body: (enqueue: Enqueue) => void) => enqueueActions(({ enqueue: it }) => body(it as never))

  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    [
      'spawn inside assign',
      assign({ ref: ({ spawn }: { spawn: (src: unknown) => unknown }) => spawn('kid') } as never),
      /spawned inside assign.*spawnChild/,
    ],
    [
      'spawn of an inline promise',
      assign(({ spawn }: { spawn: (src: unknown) => unknown }) => ({ ref: spawn(promise) })),
      /spawned inside assign/,
    ],
    ['a spawned callback', enqueue((it) => it.spawnChild('callback', { id: 'k' })), /no named promise/],
    ['a spawned machine', enqueue((it) => it.spawnChild('machine', { id: 'k' })), /no named promise/],
    ['a spawned inline promise', enqueue((it) => it.spawnChild(promise, { id: 'k' })), /no named promise/],
    ['a spawned nobody', enqueue((it) => it.spawnChild('nobody', { id: 'k' })), /no named promise/],
    ['a spawned child without an id', enqueue((it) => it.spawnChild('kid')), /has no id/],
    [
      'a spawned child whose id function gives none',
      spawnChild('kid' as never, { id: () => undefined } as never),
      /has no id/,
    ],
    [
      'a spawned child with a systemId',
      enqueue((it) => it.spawnChild('kid', { id: 'k', systemId: 'unique' })),
      /systemId/,
    ],
    [
      'sendTo what is no address',
      sendTo(() => ({ send() {} }) as unknown as AnyActorRef, { type: 'X' }),
      /no address.*Contract\.at\(key\)/,
    ],
    [
      'sendTo a look-alike',
      sendTo(() => ({ contract: Other, key: '1', id: () => 'other/1' }) as unknown as AnyActorRef, { type: 'Do' }),
      /no address/,
    ],
    [
      'sendTo a child',
      [spawnChild('kid' as never, { id: 'k' } as never), enqueue((it) => it.sendTo('k', { type: 'X' }))],
      /no address/,
    ],
    ['forwardTo what is no address', forwardTo(() => ({ send() {} }) as never), /no address/],
  ]
  test.each(cases)('%s', (_, actions, instead) => {
    const { code, text } = refusal(() => go(actions, kid))
    expect({ code, text }).toEqual({ code: 'NOT_HOSTABLE', text: expect.stringMatching(instead) })
  })

  test('a spawn in the context function', () => {
    const context = ({ spawn }: { spawn: (src: unknown) => unknown }) => ({ ref: spawn(promise) })
    expect(refusal(() => go([], {}, context)).code).toBe('NOT_HOSTABLE')
  })

  test('a sendParent that is enqueued has nobody to go to', () => {
    const { code, text } = refusal(() => go(enqueue((it) => it.sendParent({ type: 'X' }))))
    expect({ code, text }).toEqual({ code: 'MACHINE_FAILED', text: expect.stringMatching(/_parent/) })
  })

  test('an action that calls self.send later is told to raise instead', () => {
    const { actions } = go(({ self }: { self: { send(event: object): void } }) => self.send({ type: 'Go' }))
    const { code, text } = refusal(() => actions[0]?.())
    expect({ code, text }).toEqual({ code: 'NOT_HOSTABLE', text: expect.stringMatching(/raise\(.*sendTo\(address/) })
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])('a timer of %d ms', (delay) => {
    expect(refusal(() => go(raise({ type: 'Go' }, { delay: () => delay })))).toMatchObject({ code: 'MACHINE_FAILED' })
    expect(refusal(() => go(sendTo(Other.at('1'), { type: 'Do' }, { delay: () => delay })))).toMatchObject({
      code: 'MACHINE_FAILED',
    })
  })

  test.each([
    ['an event that its contract does not have', emit({ type: 'Stolen' }), 'MESSAGE_UNKNOWN'],
    ["an event of XState's own", emit({ type: 'xstate.done.actor.pay' }), 'MESSAGE_RESERVED'],
    [
      'a command that the receiver does not have',
      sendTo(Other.at('1'), { type: 'Stolen' } as never),
      'MESSAGE_UNKNOWN',
    ],
    ["a command of XState's own", sendTo(Other.at('1'), { type: 'xstate.stop' } as never), 'MESSAGE_RESERVED'],
    [
      "an event to itself of XState's own",
      sendTo(({ self }) => self, { type: 'xstate.done.actor.pay' }),
      'MESSAGE_RESERVED',
    ],
    [
      'a payload that is no plain data',
      sendTo(Other.at('1'), { type: 'Do', at: new Date() } as never),
      'NOT_PLAIN_DATA',
    ],
    [
      'a delayed event that is no plain data',
      raise({ type: 'Go', f: () => {} } as never, { delay: 1 }),
      'NOT_PLAIN_DATA',
    ],
    ['a payload beyond the limits', emit({ type: 'Told', text: 'x'.repeat(300_000) } as never), 'LIMIT_EXCEEDED'],
  ])('%s', (_, actions, code) => {
    expect(refusal(() => go(actions)).code).toBe(code)
  })
})
