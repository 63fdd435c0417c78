import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, createMachine } from 'xstate'
import {
  checkWiring,
  contract,
  correlate,
  type Definition,
  type DefinitionOptions,
  defineAggregate,
  defineSaga,
  entityId,
  follow,
  Wiring,
} from '../src/index.ts'
import { anything } from './hosted.ts'
import { failure } from './messages.ts'

const Order = contract('order', { commands: { Submit: anything }, events: { Submitted: anything } })
const Payment = contract('payment', { commands: { Charge: anything }, events: { Charged: anything } })
const taking = (...types: string[]) =>
  createMachine({ on: Object.fromEntries(types.map((type) => [type, {}])) }) as AnyStateMachine
const order = defineAggregate(Order, taking('Submit'))
const payment = defineAggregate(Payment, taking('Charge'))
const saga = (options: DefinitionOptions = {}) =>
  defineSaga(
    'fulfilment',
    follow(Order.event('Submitted').bySource().starts(), Payment.event('Charged').bySource()),
    taking('*'),
    options,
  )
const findings = (...definitions: readonly Definition[]) =>
  checkWiring(definitions).map(({ code, place }) => `${code}: ${place}`)

test('a system that fits together has no findings', () => {
  const system = [order, payment, saga({ sends: [Payment] })]
  expect(checkWiring(system)).toEqual([])
  const wiring = new Wiring(system)
  expect([...wiring.definitions.keys()]).toEqual(['order', 'payment', 'fulfilment'])
  expect(wiring.definition('order')).toBe(order)
  expect(wiring.definitionOf(entityId('payment', 'a/b'.replace('/', ' '), 'acme'))).toBe(payment)
  expect(wiring.followersOf('payment.Charged').map(({ definition }) => definition.name)).toEqual(['fulfilment'])
  expect(wiring.followersOf('payment.Stolen')).toEqual([])
})

test('an entity type that is not hosted is ENTITY_UNKNOWN, whatever its name', () => {
  const wiring = new Wiring([order])
  for (const type of ['payment', 'constructor', '__proto__'])
    expect(failure(() => wiring.definition(type)).code).toBe('ENTITY_UNKNOWN')
  expect(failure(() => wiring.definitionOf('nonsense' as never)).code).toBe('ADDRESS_INVALID')
})

describe('each finding says where it is and what to do', () => {
  test('command-without-receiver', () => {
    expect(findings(order, payment, saga({ sends: [contract('shipping', {})] }))).toEqual([
      'command-without-receiver: fulfilment sends to shipping',
    ])
  })

  test('command-without-transition: no state takes it', () => {
    const deaf = defineAggregate(Order, taking('Cancel'))
    expect(findings(deaf)).toEqual(['command-without-transition: order takes Submit'])
    expect(findings(defineAggregate(Order, taking('Cancel'), { ignores: ['Submit'] }))).toEqual([])
  })

  test.each([
    ['its name', { on: { Submit: 'b' } }],
    ['a transition that does nothing', { on: { Submit: {} } }],
    ['any', { on: { '*': {} } }],
    [
      'a state deep inside',
      { states: { p: { type: 'parallel', states: { q: { initial: 'r', states: { r: { on: { Submit: {} } } } } } } } },
    ],
    ['a state that is not the first', { states: { x: { on: { Submit: 'b' } } } }],
  ])('a command is taken by %s', (_, config) => {
    const { states = {}, ...rest } = config as { states?: object }
    const machine = createMachine({
      initial: 'b',
      ...rest,
      on: undefined,
      states: { b: { ...rest }, ...states },
    } as never)
    expect(findings(defineAggregate(Order, machine as AnyStateMachine))).toEqual([])
  })

  test('contract-differs: followed or sent to by another object of the same name', () => {
    const Twin = contract('payment', { commands: { Charge: anything }, events: { Charged: anything } })
    const follower = defineSaga('watch', follow(Twin.event('Charged').bySource().starts()), taking())
    expect(findings(payment, follower)).toEqual(['contract-differs: watch follows payment.Charged'])
    expect(findings(order, payment, saga({ sends: [Twin] }))).toEqual(['contract-differs: fulfilment sends to payment'])
  })

  test('entity-defined-twice', () => {
    expect(findings(order, order)).toEqual(['entity-defined-twice: order'])
  })

  test('event-without-publisher', () => {
    expect(findings(order, saga())).toEqual(['event-without-publisher: fulfilment follows payment.Charged'])
  })

  test('all of them at once, as WIRING_INVALID with what to do', () => {
    const error = failure(
      () => new Wiring([defineAggregate(Order, taking()), saga({ sends: [contract('shipping', {})] })]),
    )
    expect(error.code).toBe('WIRING_INVALID')
    expect(error.details.findings).toMatchObject([
      { code: 'event-without-publisher' },
      { code: 'command-without-receiver' },
      { code: 'command-without-transition' },
    ])
    for (const { remedy } of error.details.findings as { remedy: string }[]) expect(remedy).toMatch(/^[A-Z].{20,}\.$/)
    expect(error.message).toMatch(/fulfilment follows payment\.Charged \(event-without-publisher\)/)
  })
})

describe('what a definition must be', () => {
  test('a saga that nothing starts is refused', () => {
    expect(failure(() => defineSaga('idle', follow(Order.event('Submitted').bySource()), taking()))).toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(/idle.*\.starts\(\)/),
    })
    expect(defineSaga(contract('busy', { commands: { Go: anything } }), follow(), taking('Go')).kind).toBe('saga')
  })

  test('a saga by name has the laws of names', () => {
    expect(
      failure(() => defineSaga('not a name', follow(Order.event('Submitted').bySource().starts()), taking())).code,
    ).toBe('CONTRACT_INVALID')
  })

  test('policies: an aggregate rejects and gives up, a saga parks, unless they say otherwise', () => {
    expect(order).toMatchObject({ kind: 'aggregate', unhandled: 'reject', poison: 'dead-letter' })
    expect(saga()).toMatchObject({ kind: 'saga', unhandled: 'park', poison: 'park' })
    expect(saga({ unhandled: 'ignore', poison: 'dead-letter', ignores: ['x'] })).toMatchObject({
      unhandled: 'ignore',
      poison: 'dead-letter',
      ignores: new Set(['x']),
    })
  })
})

test('the entities that an event goes to, each once; see decide.test.ts for all ways to find them', () => {
  const wiring = new Wiring([order, payment, saga()])
  const source = { key: 'a b', tenant: 'acme' }
  const [follower] = wiring.followersOf('payment.Charged')
  expect(follower && correlate(follower, source, {})).toBe('acme/fulfilment/a%20b')
  expect(wiring.receiversOf('payment.Charged', source, {})).toEqual(['acme/fulfilment/a%20b'])
  expect(wiring.receiversOf('payment.Refused', source, {})).toEqual([])
})
