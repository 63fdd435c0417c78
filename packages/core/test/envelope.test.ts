import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMachine } from 'xstate'
import {
  contract,
  decodeEnvelope,
  defineAggregate,
  type Envelope,
  encodeEnvelope,
  entityId,
  idempotencyKey,
  isReserved,
  type MessageId,
  messageType,
  validate,
} from '../src/index.ts'
import { anything } from './hosted.ts'
import { failure, message, noon } from './messages.ts'

const payment = entityId('payment', '42', 'acme')
const full: Envelope = {
  id: 'm2' as MessageId,
  kind: 'command',
  to: payment,
  from: 'client',
  type: 'Charge',
  data: { cents: 1200, note: 'é😀"\n', lines: [{ sku: 'a' }, null] },
  correlationId: 'm1' as MessageId,
  causationId: 'm1' as MessageId,
  created: noon,
  contractVersion: 3,
  notBefore: noon + 5,
  asker: { from: 'client', message: 'm0' as MessageId, key: idempotencyKey('asked', { at: noon }) },
  key: idempotencyKey('k', { at: noon }),
  headers: { traceparent: '00-1' },
}

describe('the stored form of a message', () => {
  // A PERSISTED FORMAT: messages wait in inboxes and dead letters for years.
  test('is fixed', () => {
    expect(encodeEnvelope(full)).toBe(
      '{"id":"m2","kind":"command","to":"acme/payment/42","from":"client","type":"Charge","data":{"cents":1200,"note":"é😀\\"\\n","lines":[{"sku":"a"},null]},"correlationId":"m1","causationId":"m1","created":1750000000000,"contractVersion":3,"notBefore":1750000000005,"asker":{"from":"client","message":"m0","key":"1750000000000~asked"},"key":"1750000000000~k","headers":{"traceparent":"00-1"}}',
    )
    expect(encodeEnvelope(message(payment, 'Charge'))).toBe(
      '{"id":"m-Charge","kind":"command","to":"acme/payment/42","from":"client","type":"Charge","data":{},"correlationId":"m-Charge","causationId":"m-Charge","created":1750000000000,"contractVersion":1}',
    )
  })

  test('comes back as the same message, whatever it carries', () => {
    expect(decodeEnvelope(encodeEnvelope(full))).toEqual(full)
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string({ minLength: 1 }), (data, type) => {
        const json = JSON.stringify(data)
        fc.pre(!isReserved(type) && !/"(__proto__|constructor|prototype|type)":/.test(json))
        const envelope = message(payment, type, JSON.parse(json))
        expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope)
      }),
    )
  })

  test.each(['command', 'event', 'reply', 'internal', 'timeout', 'result'] as const)('knows the kind %s', (kind) => {
    expect(decodeEnvelope(encodeEnvelope({ ...full, kind }))).toEqual({ ...full, kind })
  })

  const stored = (change: object): string => JSON.stringify({ ...full, ...change })
  test.each([
    ['nothing', ''],
    ['no JSON', '{"id":'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['an empty object', '{}'],
    ['no id', stored({ id: undefined })],
    ['an id that is a number', stored({ id: 7 })],
    ['no receiver', stored({ to: undefined })],
    ['no sender', stored({ from: null })],
    ['no type', stored({ type: undefined })],
    ['no correlation id', stored({ correlationId: undefined })],
    ['no causation id', stored({ causationId: 1 })],
    ['no time', stored({ created: undefined })],
    ['a time that is a text', stored({ created: 'now' })],
    ['no contract version', stored({ contractVersion: undefined })],
    ['no kind', stored({ kind: undefined })],
    ['an unknown kind', stored({ kind: 'shout' })],
    ['a kind of Object.prototype', stored({ kind: 'constructor' })],
    ['no data', stored({ data: undefined })],
    ['data that is null', stored({ data: null })],
    ['data that is a list', stored({ data: [] })],
    ['data that is a text', stored({ data: 'x' })],
    ['a not-before that is a text', stored({ notBefore: 'later' })],
    ['an asker that is a text', stored({ asker: 'me' })],
    ['an asker without a message', stored({ asker: { from: 'client' } })],
    ['an asker with a key that is none', stored({ asker: { from: 'client', message: 'm', key: 1 } })],
    ['a key that is a number', stored({ key: 1 })],
    ['headers that are a list', stored({ headers: ['x'] })],
    ['headers with a number', stored({ headers: { retries: 1 } })],
    ['__proto__ in its data', stored({}).replace('"cents"', '"__proto__"')],
    ['constructor in its data', stored({}).replace('"cents"', '"constructor"')],
    ['__proto__ beside its data', stored({}).replace('"headers"', '"__proto__"')],
    [
      'data deeper than any host lets in',
      stored({ data: { deep: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) } }),
    ],
  ])('G12: what is damaged or forged is refused as MESSAGE_UNREADABLE, for a person to read: %s', (_, body) => {
    expect(failure(() => decodeEnvelope(body))).toMatchObject({ code: 'MESSAGE_UNREADABLE' })
  })

  test("a type of XState's own is refused, be it hidden in the payload", () => {
    for (const change of [
      { type: 'xstate.done.actor.pay' },
      { type: 'xstate.' },
      { data: { type: 'xstate.done.actor.pay', output: 1 } },
    ]) {
      for (const kind of ['command', 'event', 'reply', 'internal', 'timeout', 'result']) {
        expect(failure(() => decodeEnvelope(stored({ ...change, kind })))).toMatchObject({ code: 'MESSAGE_RESERVED' })
      }
    }
  })
})

describe('the laws for input at the doors of a contract', () => {
  const Payment = contract('payment', {
    commands: { Charge: anything },
    events: { Charged: anything },
    replies: { Balance: anything },
  }) as never

  test.each([
    'xstate.done.actor.pay',
    'xstate.init',
    'xstate.stop',
    'xstate.error.actor.pay',
    'xstate.after.10.pay',
    'xstate.',
  ])('%s is refused as a command, an event and a reply', (type) => {
    expect(isReserved(type)).toBe(true)
    expect(failure(() => messageType({ type })).code).toBe('MESSAGE_RESERVED')
    for (const section of ['command', 'event', 'reply'] as const) {
      expect(failure(() => validate(Payment, section, { type })).code).toBe('MESSAGE_RESERVED')
    }
  })

  test("a name that only begins alike is nobody's", () => {
    for (const type of ['xstate', 'xstated.x', 'Xstate.init', ' xstate.init']) expect(isReserved(type)).toBe(false)
  })

  test.each(['Refund', 'charge', 'constructor', '__proto__', 'toString', 'hasOwnProperty', '*', '', 'payment.Charge'])(
    'a message that the contract does not have is refused: %j',
    (type) => {
      for (const section of ['command', 'event', 'reply'] as const) {
        expect(failure(() => validate(Payment, section, { type })).code).toBe('MESSAGE_UNKNOWN')
      }
    },
  )

  test('a command is no event, an event no reply, a reply no command', () => {
    expect(failure(() => validate(Payment, 'event', { type: 'Charge' })).code).toBe('MESSAGE_UNKNOWN')
    expect(failure(() => validate(Payment, 'reply', { type: 'Charged' })).code).toBe('MESSAGE_UNKNOWN')
    expect(failure(() => validate(Payment, 'command', { type: 'Balance' })).code).toBe('MESSAGE_UNKNOWN')
  })

  test.each([
    undefined,
    null,
    'Charge',
    7,
    {},
    { type: 7 },
    { type: null },
    { type: ['Charge'] },
    { type: { toString: () => 'Charge' } },
  ])('a message without a type is refused: %j', (sent) => {
    expect(failure(() => validate(Payment, 'command', sent)).code).toBe('MESSAGE_UNKNOWN')
  })

  test("a payload is rebuilt: nothing of the sender's objects goes on, and its type is not part of it", () => {
    const lines = [{ sku: 'a' }]
    const data = validate(Payment, 'command', { type: 'Charge', lines, none: undefined })
    expect(data).toStrictEqual({ lines: [{ sku: 'a' }] })
    lines.push({ sku: 'b' })
    expect(data).toStrictEqual({ lines: [{ sku: 'a' }] })
  })

  test.each([
    ['a class instance', Object.assign(new (class Charge {})(), { type: 'Charge' }), 'NOT_PLAIN_DATA'],
    ['a function', Object.assign(() => {}, { type: 'Charge' }), 'NOT_PLAIN_DATA'],
    ['a Date within', { type: 'Charge', at: new Date() }, 'NOT_PLAIN_DATA'],
    ['NaN within', { type: 'Charge', cents: Number.NaN }, 'NOT_PLAIN_DATA'],
    ['__proto__ within', JSON.parse('{"type":"Charge","a":{"__proto__":{"admin":true}}}'), 'NOT_PLAIN_DATA'],
    ['constructor', JSON.parse('{"type":"Charge","constructor":{"prototype":{}}}'), 'NOT_PLAIN_DATA'],
    ['too large', { type: 'Charge', text: 'x'.repeat(300_000) }, 'LIMIT_EXCEEDED'],
    ['too deep', { type: 'Charge', deep: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) }, 'LIMIT_EXCEEDED'],
    ['too many', { type: 'Charge', many: Array.from({ length: 20_000 }, () => 0) }, 'LIMIT_EXCEEDED'],
  ])('a payload that is no plain data, or too much of it, is refused: %s', (_, sent, code) => {
    for (const section of ['command', 'event', 'reply'] as const) {
      const type = { command: 'Charge', event: 'Charged', reply: 'Balance' }[section]
      expect(failure(() => validate(Payment, section, Object.assign(sent, { type }))).code).toBe(code)
    }
  })

  test('the limits of a host may be its own', () => {
    const large = { type: 'Charge', text: 'x'.repeat(300_000) }
    expect(validate(Payment, 'command', large, { maxDepth: 32, maxNodes: 10_000, maxChars: 400_000 })).toHaveProperty(
      'text',
    )
    expect(
      failure(() =>
        validate(Payment, 'command', { type: 'Charge', text: 'xx' }, { maxDepth: 9, maxNodes: 9, maxChars: 3 }),
      ).code,
    ).toBe('LIMIT_EXCEEDED')
  })
})

describe('the names of a contract', () => {
  const schemas = (name: string) => ({ [name]: anything })

  test.each([
    '',
    '1a',
    '_a',
    'a-b',
    'a.b',
    'a/b',
    'a b',
    'ä',
    'x'.repeat(65),
    '__proto__',
    '*',
    'xstate',
    'rejected',
    'interstate',
  ])('%j is none: of the contract, a command, an event, a reply', (name) => {
    expect(failure(() => contract(name, {})).code).toBe('CONTRACT_INVALID')
    for (const section of ['commands', 'events', 'replies']) {
      const options = { [section]: name === '__proto__' ? JSON.parse('{"__proto__":{}}') : schemas(name) }
      expect(failure(() => contract('thing', options)).code).toBe('CONTRACT_INVALID')
    }
  })

  test.each(['a', 'A1_b', 'x'.repeat(64), 'constructor', 'toString'])('%j is one', (name) => {
    const of = contract(name, { commands: schemas(name) })
    expect(of.name).toBe(name)
    expect(validate(of as never, 'command', { type: name, a: 1 })).toEqual({ a: 1 })
  })

  test('stand for one message each', () => {
    expect(failure(() => contract('thing', { commands: schemas('Go'), events: schemas('Go') })).code).toBe(
      'CONTRACT_INVALID',
    )
    expect(failure(() => contract('thing', { events: schemas('Go'), replies: schemas('Go') })).code).toBe(
      'CONTRACT_INVALID',
    )
  })

  test.each([0, -1, 1.5, Number.NaN, '2' as unknown as number])(
    'a version is a whole number from 1: %s is none',
    (version) => {
      expect(failure(() => contract('thing', { version })).code).toBe('CONTRACT_INVALID')
      expect(contract('thing', {}).version).toBe(1)
      expect(contract('thing', { version: 7 }).version).toBe(7)
    },
  )

  test('an event that it does not have cannot be followed', () => {
    const Thing = contract('thing', { events: { Told: anything } })
    for (const name of ['Untold', 'constructor'])
      expect(failure(() => Thing.event(name as 'Told')).code).toBe('MESSAGE_UNKNOWN')
    expect(Thing.event('Told').bySource()).toMatchObject({
      event: 'Told',
      isStart: false,
      correlation: { by: 'source' },
    })
    expect(Thing.event('Told').bySource().starts()).toMatchObject({ isStart: true })
  })

  test("a definition carries its contract's", () => {
    const Thing = contract('thing', {})
    const definition = defineAggregate(Thing, createMachine({}) as never)
    expect(definition).toMatchObject({ kind: 'aggregate', name: 'thing', contract: Thing })
    expect(JSON.stringify(definition.at('1'))).toBe('"thing/1"')
  })
})
