import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, assign, createMachine, fromPromise, raise, sendTo } from 'xstate'
import {
  contract,
  type DefinitionOptions,
  decodeSnapshot,
  defineAggregate,
  type EntityState,
  encodeSnapshot,
  entityId,
  idempotencyKey,
  machineVersion,
  Wiring,
} from '../src/index.ts'
import { anything } from './hosted.ts'
import { Desk, failure, noon } from './messages.ts'

const Trip = contract('trip', { commands: { Go: anything, Back: anything, End: anything } })
const own = entityId('trip', 'a b', 'acme')

const config = {
  id: 'trip',
  context: { legs: 0, note: 'é😀"\n', nested: { list: [1, null, { deep: true }] } },
  initial: 'home',
  output: ({ context }: { context: { legs: number } }) => ({ legs: context.legs }),
  states: {
    home: { on: { Go: 'away' } },
    away: {
      type: 'parallel',
      entry: [
        assign({ legs: ({ context }) => context.legs + 1 }),
        raise({ type: 'Back' }, { id: 'homesick', delay: 500 }),
        sendTo(() => Trip.at('other'), { type: 'Go', n: 1 } as never, { id: 'postcard', delay: 250 }),
      ],
      invoke: { src: 'guide', input: ({ context }: { context: { legs: number } }) => ({ leg: context.legs }) },
      on: { Back: 'home', End: 'end', Go: 'away.last' },
      states: {
        by: {
          initial: 'train',
          states: {
            train: { on: { Change: 'bus' } },
            bus: {},
            car: { initial: 'own', states: { own: {}, rented: {} } },
          },
        },
        mood: { initial: 'fine', states: { fine: { after: { 1000: 'tired' } }, tired: {} } },
        bag: {},
        last: { type: 'history', history: 'deep' },
      },
    },
    end: { type: 'final' },
  },
}
const machineOf = (changes: object = {}): AnyStateMachine =>
  createMachine(
    { ...config, ...changes } as never,
    { actors: { guide: fromPromise(async () => 1) } } as never,
  ) as AnyStateMachine
const definitionOf = (changes: object = {}, options: DefinitionOptions = {}) =>
  defineAggregate(Trip, machineOf(changes), { ignores: ['Change'], ...options })
const trip = definitionOf()

/** An entity in the middle of things: timers, an effect, history, a region that was entered after its neighbours. */
function underway(definition = trip): EntityState {
  const desk = new Desk(new Wiring([definition]), definition, own)
  desk.command('Go')
  desk.command('Back')
  desk.command('Go', {}, { key: idempotencyKey('k', { at: noon }), headers: { trace: 't' } })
  desk.command('Change')
  return desk.state as EntityState
}
const state = underway()
const text = encodeSnapshot(trip, state)

type Parts = Record<string, Record<string, Record<string, unknown>>>
type Change = (stored: Parts) => unknown

/** A snapshot with a right checksum, as a person with an editor would make it. */
function forge(change: Change): string {
  const stored = JSON.parse(text.slice(text.indexOf('{')))
  const json = JSON.stringify(change(stored) ?? stored)
  return `i1:${crc32(json).toString(16).padStart(8, '0')}:${json}`
}
const forgeJson = (json: string) => `i1:${crc32(json).toString(16).padStart(8, '0')}:${json}`
const decode = (stored: string, definition = trip) => decodeSnapshot(definition, own, stored)

describe('the stored form of an entity', () => {
  // A PERSISTED FORMAT, and a public API with it: what was stored once must be readable forever. A change of this text
  // needs a new format number, and code that still reads the old one.
  test('is fixed', () => {
    expect(text).toBe(
      `i1:aa8fd5c4:${JSON.stringify({
        format: 1,
        type: 'trip',
        machine: '1',
        structure: 'yQd6SMS5hgX',
        entity: 'acme/trip/a%20b',
        incarnation: 'i3d4rZqu',
        sequence: 4,
        now: noon,
        armed: 6,
        status: 'active',
        value: { away: { by: 'bus', mood: 'fine', bag: {} } },
        context: { legs: 2, note: 'é😀"\n', nested: { list: [1, null, { deep: true }] } },
        history: { 'trip.away.last': ['trip.away.by.train', 'trip.away.mood.fine', 'trip.away.bag'] },
        entered: [0, 1, 2, 4, 5, 6, 3],
        timers: {
          homesick: {
            generation: 4,
            due: noon + 500,
            raise: { type: 'Back' },
            cause: { correlationId: 'm3', causationId: 'm3', headers: { trace: 't' } },
            asker: { from: 'client', message: 'm3', key: `${noon}~k` },
          },
          postcard: {
            generation: 5,
            due: noon + 250,
            send: {
              id: 'KNjft6lnWI5QZjA8hEO6-1',
              kind: 'command',
              to: 'acme/trip/other',
              from: 'acme/trip/a%20b',
              type: 'Go',
              data: { n: 1 },
              correlationId: 'm3',
              causationId: 'm3',
              headers: { trace: 't' },
              created: noon,
              contractVersion: 1,
            },
            cause: { correlationId: 'm3', causationId: 'm3', headers: { trace: 't' } },
            asker: { from: 'client', message: 'm3', key: `${noon}~k` },
          },
          'xstate.after.1000.trip.away.mood.fine': {
            generation: 6,
            due: noon + 1000,
            raise: { type: 'xstate.after.1000.trip.away.mood.fine' },
            cause: { correlationId: 'm3', causationId: 'm3', headers: { trace: 't' } },
            asker: { from: 'client', message: 'm3', key: `${noon}~k` },
          },
        },
        running: {
          '0.trip.away': {
            key: 'KNjft6lnWI5QZjA8hEO6-2',
            src: 'guide',
            input: { leg: 2 },
            cause: { correlationId: 'm3', causationId: 'm3', headers: { trace: 't' } },
            asker: { from: 'client', message: 'm3', key: `${noon}~k` },
          },
        },
      })}`,
    )
  })

  test('is fixed to the byte for a small entity', () => {
    const Counter = contract('counter', { commands: { Add: anything } })
    const machine = createMachine({
      context: { total: 0 },
      on: {
        Add: {
          actions: assign({ total: ({ context, event }) => context.total + (event as unknown as { by: number }).by }),
        },
      },
    })
    const counter = defineAggregate(Counter, machine as AnyStateMachine)
    const desk = new Desk(new Wiring([counter]), counter, entityId('counter', '1'))
    desk.command('Add', { by: 41 })
    desk.command('Add', { by: 1 })
    expect(encodeSnapshot(counter, desk.state as EntityState)).toBe(
      'i1:5457aadb:{"format":1,"type":"counter","machine":"1","structure":"QmB4xmHjBA_","entity":"counter/1","incarnation":"XeJU077X","sequence":2,"now":1750000000000,"armed":0,"status":"active","value":{},"context":{"total":42}}',
    )
  })

  test('G14: comes back as the same entity: encoded again it is the same text', () => {
    const back = decode(text)
    const { snapshot, ...rest } = back
    expect(encodeSnapshot(trip, back)).toBe(text)
    expect(rest).toEqual({ ...state, snapshot: undefined })
    expect(snapshot.value).toEqual(state.snapshot.value)
    expect(snapshot.context).toEqual(state.snapshot.context)
    expect(Object.keys(snapshot.children)).toEqual(['0.trip.away'])
  })

  test('keeps status and output of an entity that is done', () => {
    const desk = new Desk(new Wiring([trip]), trip, own)
    desk.command('Go')
    desk.command('End')
    const stored = encodeSnapshot(trip, desk.state as EntityState)
    expect(decode(stored)).toMatchObject({
      snapshot: { status: 'done', value: 'end', output: { legs: 1 } },
      timers: {},
      running: {},
    })
    expect(encodeSnapshot(trip, decode(stored))).toBe(stored)
  })

  test.each([
    [
      'names that reach a prototype',
      { constructor: 1, prototype: { a: 2 }, nested: JSON.parse('{"__proto__":{"own":true}}') },
    ],
    ['more than a payload may hold', { text: 'x'.repeat(3_000_000), list: Array.from({ length: 200_000 }, () => 0) }],
    ['more levels than a payload may have', { deep: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) }],
  ])('gives back all that the machine could keep: %s', (_, context) => {
    const kept = { ...state, snapshot: { ...state.snapshot, context } } as EntityState
    const back = decode(encodeSnapshot(trip, kept))
    expect(JSON.stringify(back.snapshot.context)).toBe(JSON.stringify(context))
    expect(({} as { own?: unknown }).own).toBeUndefined()
  })

  const ring: Record<string, unknown> = {}
  ring.ring = ring
  test.each([
    ['a bigint', { n: 1n }],
    ['a cycle', ring],
    ['a hundred thousand levels', Array.from({ length: 100_000 }).reduce<object>((deep) => ({ deep }), {})],
  ])('is not made of a context that JSON cannot hold: %s', (_, context) => {
    const kept = { ...state, snapshot: { ...state.snapshot, context } } as EntityState
    expect(failure(() => encodeSnapshot(trip, kept)).code).toBe('NOT_PLAIN_DATA')
  })
})

describe('G15: damage is noticed, and told by its code', () => {
  test.each([
    ['nothing', ''],
    ['no snapshot', 'hello'],
    ["XState's own", JSON.stringify({ value: 'home', context: {} })],
    ['truncated', text.slice(0, -1)],
    ['truncated to its head', text.slice(0, 12)],
    ['with a wrong checksum', text.replace(/^i1:......../, 'i1:00000000')],
    ['with a checksum in capitals', text.replace(/^i1:......../, (head) => head.toUpperCase().replace('I', 'i'))],
    ['with something after it', `${text} `],
    ['one digit changed', text.replace('"legs":2', '"legs":3')],
    ['no JSON', forgeJson('{"format":1')],
    ['null', forgeJson('null')],
    ['a list', forgeJson('[1]')],
  ])('SNAPSHOT_UNREADABLE: %s', (_, stored) => {
    expect(failure(() => decode(stored))).toMatchObject({
      code: 'SNAPSHOT_UNREADABLE',
      details: { entity: own, why: expect.any(String) },
    })
  })

  test('SNAPSHOT_UNREADABLE: that of another entity', () => {
    expect(failure(() => decodeSnapshot(trip, entityId('trip', 'b'), text)).code).toBe('SNAPSHOT_UNREADABLE')
  })

  test.each([
    ['a newer format', text.replace(/^i1:/, 'i2:')],
    ['a newer format inside', forge((stored) => ({ ...stored, format: 2 }))],
    ['another machine version', forge((stored) => ({ ...stored, machine: '2' }))],
  ])('SNAPSHOT_VERSION_UNKNOWN, to be held and tried again by a newer host: %s', (_, stored) => {
    expect(failure(() => decode(stored))).toMatchObject({ code: 'SNAPSHOT_VERSION_UNKNOWN', retryable: true })
  })

  const whole = { away: { by: 'bus', mood: 'fine', bag: {} } }
  test.each([
    ['a state that does not exist', 'nowhere'],
    ['constructor', 'constructor'],
    ['__proto__', '__proto__'],
    ['an object under __proto__', JSON.parse('{"__proto__":"home"}')],
    ['an object under constructor', { constructor: { by: 'bus' } }],
    ['toString within', { away: { ...whole.away, by: 'toString' } }],
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a list', ['home']],
    ['the empty text', ''],
    ['an empty object', {}],
    ['two states at once', { home: {}, end: {} }],
    ['a parallel state by its name only', 'away'],
    ['a parallel state without its regions', { away: {} }],
    ['a region missing', { away: { by: 'bus', mood: 'fine' } }],
    ['a region too many', { away: { ...whole.away, extra: 'x' } }],
    ['a region under another name', { away: { by: 'bus', mood: 'fine', sack: {} } }],
    ['a region that is a history state', { away: { by: 'bus', mood: 'fine', last: {} } }],
    ['a compound state by its name only', { away: { ...whole.away, by: 'car' } }],
    ['a compound state without its child', { away: { ...whole.away, by: { car: {} } } }],
    ['a leaf with children', { home: 'in' }],
    ['a leaf with an object', { away: { ...whole.away, by: { bus: { seat: 1 } } } }],
    ['an atomic region with a child', { away: { ...whole.away, bag: 'open' } }],
    ['a history state', { away: 'last' }],
    ['an id for a key', '#trip.home'],
    ['a path for a key', 'away.by'],
  ])('SNAPSHOT_UNREADABLE: a state value that is no whole configuration of the machine: %s', (_, value) => {
    const active = (stored: Parts) => ({
      ...stored,
      value,
      history: undefined,
      entered: undefined,
      running: undefined,
    })
    expect(failure(() => decode(forge(active))).code).toBe('SNAPSHOT_UNREADABLE')
  })

  test('a whole configuration is taken in every form of it', () => {
    const plain = { history: undefined, entered: undefined, running: undefined }
    for (const [value, canonical] of [
      ['home', 'home'],
      [{ home: {} }, 'home'],
      [whole, whole],
      [
        { away: { bag: {}, mood: { tired: {} }, by: { car: 'rented' } } },
        { away: { by: { car: 'rented' }, mood: 'tired', bag: {} } },
      ],
    ]) {
      expect(decode(forge((stored) => ({ ...stored, ...plain, value }))).snapshot.value).toEqual(canonical)
    }
  })

  const set =
    (name: string, value: unknown): Change =>
    (stored) => ({ ...stored, [name]: value })
  const within =
    (name: string, key: string, change: object): Change =>
    (stored) => ({
      ...stored,
      [name]: { ...stored[name], [key]: { ...stored[name]?.[key], ...change } },
    })
  test.each<[string, Change]>([
    [
      'a status that does not fit a final state',
      (stored) => ({ ...stored, value: 'end', entered: undefined, running: undefined }),
    ],
    ['a status done of a state that is not final', set('status', 'done')],
    ['a status that does not exist', set('status', 'error')],
    ['no status', set('status', undefined)],
    ['no context', set('context', undefined)],
    ['a context that is a list', set('context', [])],
    ['a context that is a text', set('context', 'x')],
    ['no sequence', set('sequence', undefined)],
    ['a sequence that is a text', set('sequence', '4')],
    ['a negative sequence', set('sequence', -1)],
    ['a time that is no number', set('now', null)],
    ['no incarnation', set('incarnation', undefined)],
    ['no machine version', set('machine', undefined)],
    ['a history of a state that does not exist', set('history', { 'trip.nowhere.last': ['trip.home'] })],
    ['a history under a state that is none', set('history', { 'trip.away': ['trip.away.bag'] })],
    ['a history that names an unknown state', set('history', { 'trip.away.last': ['trip.away.by.plane'] })],
    ['a history that names a state elsewhere', set('history', { 'trip.away.last': ['trip.home'] })],
    ['a deep history that names no leaf', set('history', { 'trip.away.last': ['trip.away.by'] })],
    [
      'a history that names two states of one region',
      set('history', { 'trip.away.last': ['trip.away.by.train', 'trip.away.by.bus'] }),
    ],
    ['a history that names nothing', set('history', { 'trip.away.last': [] })],
    ['a history that is no list', set('history', { 'trip.away.last': 'trip.away.bag' })],
    ['a history that is a list', set('history', [])],
    ['an effect that the machine does not have', within('running', '0.trip.away', { src: 'thief' })],
    [
      'an effect of a state that does not exist',
      within('running', '0.trip.away', { src: 'xstate.invoke.0.trip.nowhere' }),
    ],
    [
      'an effect of a state that invokes nothing',
      within('running', '0.trip.away', { src: 'xstate.invoke.0.trip.home' }),
    ],
    ['an effect under a name of Object.prototype', within('running', '0.trip.away', { src: 'constructor' })],
    ['an effect under __proto__', within('running', '0.trip.away', { src: '__proto__' })],
    ['an effect without a key', within('running', '0.trip.away', { key: undefined })],
    ['an effect without an input', within('running', '0.trip.away', { input: undefined })],
    ['an effect without a cause', within('running', '0.trip.away', { cause: undefined })],
    ['effects that are a list', set('running', [])],
    ['a timer without a time', within('timers', 'homesick', { due: undefined })],
    ['a timer with a text for a time', within('timers', 'homesick', { due: '1' })],
    ['a timer of a generation that was never armed', within('timers', 'homesick', { generation: 7 })],
    ['a timer without a generation', within('timers', 'homesick', { generation: undefined })],
    ['a timer without an event', within('timers', 'homesick', { raise: undefined })],
    ['a timer with an event without a type', within('timers', 'homesick', { raise: {} })],
    ['a timer without a cause', within('timers', 'homesick', { cause: undefined })],
    ['a timer that sends no message', within('timers', 'postcard', { send: { type: 'Go' } })],
    [
      "a timer that sends a message of XState's own",
      (stored) =>
        within('timers', 'postcard', {
          send: {
            ...(stored.timers?.postcard?.send as object),
            type: 'xstate.done.actor.pay',
          },
        })(stored),
    ],
    ['a timer that is a text', (stored) => ({ ...stored, timers: { homesick: 'soon' } })],
    ['an order of entry that is too short', set('entered', [0])],
    ['an order of entry that repeats', set('entered', [0, 1, 2, 4, 5, 6, 6])],
    ['an order of entry of other states', set('entered', [0, 1, 2, 4, 5, 6, 9])],
    ['an order of entry that is no list', set('entered', { length: 7 })],
  ])('SNAPSHOT_UNREADABLE: %s', (_, change) => {
    expect(failure(() => decode(forge(change)))).toMatchObject({ code: 'SNAPSHOT_UNREADABLE' })
  })

  test('what the forgeries start from is taken', () => {
    expect(encodeSnapshot(trip, decode(forge((stored) => stored)))).toBe(text)
  })

  test('one character changed anywhere is never another entity', () => {
    const length = text.length
    const character = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      fc.constantFrom('0', '9', '"', ',', '\ud800', '\ufffd'),
    )
    fc.assert(
      fc.property(fc.nat({ max: length - 1 }), character, (at, by) => {
        const changed = text.slice(0, at) + by + text.slice(at + 1)
        fc.pre(changed !== text)
        expect(['SNAPSHOT_UNREADABLE', 'SNAPSHOT_VERSION_UNKNOWN']).toContain(failure(() => decode(changed)).code)
      }),
      { numRuns: 2_000 },
    )
    for (let at = 0; at < length; at += 1) {
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
      expect(['SNAPSHOT_UNREADABLE', 'SNAPSHOT_VERSION_UNKNOWN']).toContain(failure(() => decode(changed)).code)
    }
  })

  test('one character lost, doubled or exchanged with its neighbour is never another entity', () => {
    for (let at = 0; at < text.length; at += 1) {
      const [before, one, two, after] = [text.slice(0, at), text[at] ?? '', text[at + 1] ?? '', text.slice(at + 2)]
      for (const changed of [before + two + after, before + one + one + two + after, before + two + one + after]) {
        if (changed !== text) expect(failure(() => decode(changed)).code).toMatch(/^SNAPSHOT_/)
      }
    }
  })

  test('half of a pair for the replacement character is never another entity, though their UTF-8 is the same', () => {
    const kept = { ...state, snapshot: { ...state.snapshot, context: { note: '\ufffd' } } } as unknown as EntityState
    const stored = encodeSnapshot(trip, kept)
    expect(decode(stored).snapshot.context).toEqual({ note: '\ufffd' })
    expect(failure(() => decode(stored.replace('\ufffd', '\ud800'))).code).toBe('SNAPSHOT_UNREADABLE')
  })
})

describe('the fingerprint of a machine', () => {
  const fingerprint = (changes: object) => definitionOf(changes).structure
  const { states } = config
  const { home, away, end } = states

  test('changes with its states, their kinds and their order', () => {
    const others = [
      { states: { ...states, extra: {} } },
      { states: { home, away: { ...away, type: undefined, initial: 'by' }, end } },
      { states: { ...states, end: { type: 'atomic' } } },
      { states: { ...states, away: { ...away, states: { ...away.states, last: { type: 'history' } } } } },
      { states: { end, away, home } },
    ].map(fingerprint)
    expect(new Set([fingerprint({}), ...others]).size).toBe(6)
  })

  test('does not change with texts, ids, versions, context, guards, actions or transitions', () => {
    const same = {
      id: 'voyage',
      version: '9',
      description: 'x',
      context: {},
      entry: () => {},
      on: { Go: { guard: () => false, target: '.end' } },
    }
    expect(fingerprint(same)).toBe(fingerprint({}))
  })
})

describe('another version of the machine', () => {
  const renamed = {
    version: '2',
    states: { ...config.states, house: config.states.home, home: undefined },
  }
  const { home: _, ...others } = config.states
  const states = {
    house: { on: { Go: 'away' } },
    ...others,
    away: { ...config.states.away, on: { Back: 'house', End: 'end', Go: 'away.last' } },
  }
  const second = (options: DefinitionOptions) => definitionOf({ version: '2', initial: 'house', states }, options)

  test('the version is the one that the machine says, or 1', () => {
    expect(machineVersion(machineOf())).toBe('1')
    expect(machineVersion(machineOf({ version: renamed.version }))).toBe('2')
    expect(machineVersion(machineOf({ version: 3 }))).toBe('3')
  })

  test('is held without a migration', () => {
    expect(failure(() => decode(text, second({}))).code).toBe('SNAPSHOT_VERSION_UNKNOWN')
  })

  test('is migrated: value and context change, everything else stays, and it is stored as the new version', () => {
    const seen: unknown[] = []
    const migrating = second({
      migrate: (old) => {
        seen.push(old)
        return { value: { away: { by: 'train', mood: 'tired', bag: {} } }, context: { ...old.context, migrated: true } }
      },
    })
    const back = decode(text, migrating)
    expect(seen).toEqual([{ version: '1', value: state.snapshot.value, context: state.snapshot.context }])
    expect(back).toMatchObject({
      incarnation: state.incarnation,
      sequence: 4,
      timers: state.timers,
      running: state.running,
    })
    expect(back.snapshot).toMatchObject({
      value: { away: { mood: 'tired' } },
      context: { legs: 2, migrated: true },
    })
    expect(back.snapshot.historyValue).toEqual({})
    const stored = encodeSnapshot(migrating, back)
    expect(encodeSnapshot(migrating, decode(stored, migrating))).toBe(stored)
    expect(seen).toHaveLength(1)
  })

  test('a migration drops the effects that no version knows any longer, and keeps the others', () => {
    const machine = createMachine({
      ...config,
      version: '2',
      states: { ...config.states, away: { ...config.states.away, invoke: undefined } },
    } as never)
    const without = defineAggregate(Trip, machine as AnyStateMachine, {
      ignores: ['Change'],
      migrate: ({ value, context }) => ({ value, context }),
    })
    expect(decode(text, without)).toMatchObject({ running: {}, timers: { homesick: { generation: 4 } } })
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no idea')
      },
    ],
    ['gives nothing', () => undefined],
    ['gives no context', () => ({ value: 'house' })],
    ['gives a context that is a list', () => ({ value: 'house', context: [] })],
    ['gives a bigint', () => ({ value: 'house', context: { n: 1n } })],
    ['gives a state that does not exist', () => ({ value: 'nowhere', context: {} })],
    ['gives a part of a state', () => ({ value: 'away', context: {} })],
    ['gives a final state to an entity that is active', () => ({ value: 'end', context: {} })],
  ])('SNAPSHOT_UNREADABLE: a migration that %s', (_, migrate) => {
    expect(failure(() => decode(text, second({ migrate: migrate as never })))).toMatchObject({
      code: 'SNAPSHOT_UNREADABLE',
    })
  })

  test('a machine that changed under its old version is told to take a new one, where the entity no longer fits', () => {
    const changed = definitionOf({ initial: 'house', states })
    expect(changed.structure).not.toBe(trip.structure)
    expect(decode(text, changed).snapshot.value).toEqual(state.snapshot.value)
    const atHome = forge((stored) => ({
      ...stored,
      value: 'home',
      history: undefined,
      entered: undefined,
      running: undefined,
    }))
    expect(failure(() => decode(atHome, changed)).message).toMatch(/"home".*other states then: give it a new version/)
  })
})
