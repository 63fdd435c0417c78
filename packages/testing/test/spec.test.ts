// A spec holds exactly when the machine does what it says; each test has a sentence that holds and one that must not.
import { describe, expect, test } from 'vitest'
import { spec, type WorldError } from '../src/index.ts'
import { fulfilment, Letter, payment, Stock } from './spec-shop.ts'

const start = Date.UTC(2026, 0, 1)
const submitted = { type: 'order.Submitted', orderId: 'o-1', potion: 'luck' } as const

/** The error of a spec that does not hold. */
function failureOf(body: () => unknown): WorldError & { expected: unknown; actual: unknown } {
  try {
    body()
  } catch (error) {
    expect(error).toMatchObject({ name: 'WorldError', code: 'SPEC_FAILED' })
    return error as WorldError & { expected: unknown; actual: unknown }
  }
  throw new Error('The spec holds.')
}

describe('state and context', () => {
  const charged = () => spec(payment).when({ type: 'Charge', cents: 6_000 })

  test('a spec says the state that comes after', () => {
    charged().thenState('unconfirmed')
    expect(failureOf(() => charged().thenState('charged'))).toMatchObject({
      expected: 'charged',
      actual: 'unconfirmed',
    })
  })

  test('the name of a parent state is enough', () => {
    const booking = () =>
      spec(fulfilment).givenState('paying', contextOf()).when({ type: 'payment.Charged', cents: 1, at: 1 })
    booking().thenState('booking').andAnythingElse()
    booking().thenState({ booking: 'calling' }).andAnythingElse()
    failureOf(() => booking().thenState('done'))
  })

  test('a spec says as much of the context as it wants to; defaults of the contract are filled in', () => {
    charged().thenContext({ cents: 6_000 })
    charged().thenContext({ cents: 6_000, currency: 'EUR' })
    const failure = failureOf(() => charged().thenContext({ cents: 1 }))
    expect(failure).toMatchObject({ expected: { cents: 1 }, actual: { cents: 6_000 } })
  })
})

describe('what comes out', () => {
  test('events are compared all together, in order', () => {
    const refused = () => spec(payment).when({ type: 'Charge', cents: 200_000 })
    refused().thenPublishes({ type: 'Refused', reason: 'limit' }, { type: 'Noted' })
    failureOf(() => refused().thenPublishes({ type: 'Refused', reason: 'limit' }))
    failureOf(() => refused().thenPublishes({ type: 'Noted' }, { type: 'Refused', reason: 'limit' }))
    failureOf(() => refused().thenPublishes({ type: 'Refused', reason: 'luck' }, { type: 'Noted' }))
  })

  test('matchers of vitest work in what is expected', () => {
    spec(payment)
      .when({ type: 'Charge', cents: 5 })
      .thenPublishes({ type: 'Charged', cents: 5, at: expect.any(Number) })
      .thenReplies({ type: 'Receipt', cents: expect.any(Number) })
  })

  test('commands are compared with their address', () => {
    const sent = () => spec(fulfilment).when(submitted)
    sent().thenSends(Stock.at('luck'), { type: 'Reserve', quantity: 1 })
    failureOf(() => sent().thenSends(Stock.at('healing'), { type: 'Reserve', quantity: 1 }))
    failureOf(() => sent().thenSends(Stock.at('luck'), { type: 'Reserve', quantity: 2 }))
    failureOf(() => sent().thenSends(Stock.at('luck'), { type: 'Reserve', quantity: 1 }, { after: { hours: 1 } }))
  })

  test('a delayed command is compared with its delay, and one that was taken back never comes', () => {
    const reminded = spec(payment).given({ type: 'Remind' })
    const letter = { type: 'Write', text: 'Pay!' } as const
    spec(payment)
      .when({ type: 'Remind' })
      .thenSends(Letter.at('desk'), letter, { after: { hours: 2 } })
    failureOf(() => spec(payment).when({ type: 'Remind' }).thenSends(Letter.at('desk'), letter))
    reminded.whenPassed({ hours: 1, minutes: 59 }).thenNothing()
    reminded.whenPassed({ hours: 2 }).thenSends(Letter.at('desk'), letter)
    reminded.given({ type: 'Forget' }).whenPassed({ days: 1 }).thenNothing()
  })

  test('replies go to whoever asked, also when the turn comes later', () => {
    const confirmed = () => spec(payment).given({ type: 'Charge', cents: 6_000 }).when({ type: 'Confirm' })
    confirmed().thenReplies({ type: 'Receipt', cents: 6_000 }).andAnythingElse()
    failureOf(() => confirmed().thenReplies({ type: 'Receipt', cents: 1 }))
  })

  test('a message of the entity to itself is part of what it does', () => {
    spec(payment).when({ type: 'Ping' }).thenPublishes({ type: 'Noted' })
  })

  test('a done entity is compared with its output', () => {
    const done = () => spec(payment).when({ type: 'Charge', cents: 5 }).andAnythingElse()
    done().thenDone()
    done().thenDone({ paid: 5 } as never)
    failureOf(() => done().thenDone({ paid: 6 } as never))
    failureOf(() => spec(payment).when({ type: 'Charge', cents: 6_000 }).thenDone())
  })
})

describe('messages that no transition takes', () => {
  test('a refused command is refused, and nothing else', () => {
    const refused = () => spec(payment).given({ type: 'Charge', cents: 6_000 }).when({ type: 'Ping' })
    refused().thenRefused().thenState('unconfirmed')
    failureOf(() => refused().thenIgnored())
    failureOf(() => refused().thenNothing())
    failureOf(() => spec(payment).when({ type: 'Ping' }).thenRefused())
  })

  test('a command to an entity that is done is refused too', () => {
    spec(payment).given({ type: 'Charge', cents: 5 }).when({ type: 'Ping' }).thenRefused()
    spec(payment).given({ type: 'Charge', cents: 5 }).when({ type: 'Confirm' }).thenIgnored()
  })

  test('an ignored message is ignored', () => {
    spec(payment).given({ type: 'Charge', cents: 5 }).given({ type: 'Confirm' }).when({ type: 'Confirm' }).thenIgnored()
    failureOf(() => spec(payment).when({ type: 'Confirm' }).thenRefused())
  })

  test('a saga parks, is late, or does not exist', () => {
    spec(fulfilment).given(submitted).when({ type: 'payment.Charged', cents: 1, at: 1 }).thenParked()
    spec(fulfilment).givenState('done', contextOf()).when({ type: 'payment.Charged', cents: 1, at: 1 }).thenLate()
    spec(fulfilment).when({ type: 'payment.Charged', cents: 1, at: 1 }).thenUnmatched()
    failureOf(() => spec(fulfilment).when({ type: 'payment.Charged', cents: 1, at: 1 }).thenParked())
  })

  test('a turn that throws fails with its code', () => {
    spec(payment).when({ type: 'Break' }).thenFails('MACHINE_FAILED')
    spec(payment).when({ type: 'Overdo' }).thenFails('PAYLOAD_INVALID')
    const failure = failureOf(() => spec(payment).when({ type: 'Break' }).thenState('charged'))
    expect(failure.cause).toMatchObject({ code: 'MACHINE_FAILED' })
    failureOf(() => spec(payment).when({ type: 'Ping' }).thenFails('MACHINE_FAILED'))
  })
})

describe('time', () => {
  test('stands still at a fixed date until it passes', () => {
    spec(payment)
      .when({ type: 'Charge', cents: 5 })
      .thenPublishes({ type: 'Charged', cents: 5, at: start })
      .andAnythingElse()
    spec(payment, { now: 7 })
      .givenState('unconfirmed', { cents: 5, currency: 'EUR' })
      .givenPassed({ minutes: 1, seconds: 1, milliseconds: 1 })
      .when({ type: 'Confirm' })
      .thenPublishes({ type: 'Charged', cents: 5, at: 61_008 })
      .andAnythingElse()
  })

  test('lets timers fire in their order, each at its time', () => {
    const unconfirmed = spec(payment).given({ type: 'Charge', cents: 6_000 })
    unconfirmed.whenPassed({ minutes: 29 }).thenState('unconfirmed')
    unconfirmed.whenPassed({ minutes: 30 }).thenState('expired').thenTimer({ minutes: 1 })
    unconfirmed.whenPassed({ minutes: 30, seconds: 59 }).thenState('expired').thenTimer({ seconds: 1 })
    unconfirmed.whenPassed({ minutes: 31 }).thenState('open')
    unconfirmed.givenPassed({ minutes: 30 }).whenPassed({ minutes: 1 }).thenState('open')
    failureOf(() => unconfirmed.whenPassed({ minutes: 30 }).thenTimer({ minutes: 2 }))
  })

  test('a timer or a delayed command counts where it was set, and only while it runs', () => {
    const unconfirmed = spec(payment).given({ type: 'Charge', cents: 6_000 })
    failureOf(() => unconfirmed.whenPassed({ minutes: 10 }).thenTimer({ minutes: 20 }))
    failureOf(() => unconfirmed.whenPassed({ minutes: 31 }).thenTimer({ milliseconds: 0 }))
    spec(payment).given({ type: 'Remind' }).when({ type: 'Ping' }).thenPublishes({ type: 'Noted' }).andNothingElse()
  })

  test('a timer that was taken back does not fire', () => {
    spec(payment)
      .given({ type: 'Charge', cents: 6_000 })
      .given({ type: 'Confirm' })
      .whenPassed({ hours: 1 })
      .thenState('charged')
      .thenNothing()
  })
})

const contextOf = () => ({ order: 'o-1', potion: 'luck', shelf: 'a', from: '' })

describe('a saga', () => {
  test('is started by its event, given or happening, and has the key that the event names', () => {
    spec(fulfilment).when(submitted).thenState('reserving').thenContext({ order: 'o-1' }).andAnythingElse()
    spec(fulfilment)
      .given(submitted)
      .when({ type: 'stock.Reserved', shelf: 'a' })
      .thenState('paying')
      .thenContext({ shelf: 'a', from: 'stock/luck' })
      .thenTimer({ seconds: 1 })
  })

  test('is told that its command was refused', () => {
    const told = { type: 'stock.rejected', command: 'Reserve', reason: 'closed' } as const
    spec(fulfilment).given(submitted).when(told).thenState('failed').thenDone()
  })

  test('runs effects that end well or badly', () => {
    const booking = spec(fulfilment).given(submitted, { type: 'stock.Reserved', shelf: 'a' })
    const charged = () => booking.when({ type: 'payment.Charged', cents: 1, at: 1 })
    charged().thenStarts('book', { order: 'o-1' }).thenStarts('label').thenStarts('label', { order: 'o-1' })
    failureOf(() => charged().thenStarts('book', { order: 'o-2' }))
    failureOf(() => charged().thenStarts('label').thenStarts('label').thenStarts('label'))
    const running = booking.given({ type: 'payment.Charged', cents: 1, at: 1 })
    running
      .whenEffect('book', { output: { number: 7 } })
      .thenState('done')
      .thenStops('label')
    running
      .givenEffect('label', { output: 'x', id: 'first' })
      .whenEffect('book', { error: new Error('full') })
      .thenState('undoing')
      .thenSends(Stock.at('luck'), { type: 'Release' })
    failureOf(() => running.whenEffect('book', { output: { number: 7 } }).thenStops('book'))
  })

  test('an effect whose error nobody takes fails the turn', () => {
    spec(fulfilment)
      .givenState('booking', contextOf())
      .whenEffect('label', { error: 'jam', id: 'first' })
      .thenFails('EFFECT_FAILED')
  })
})

describe('a given state', () => {
  test('has its timers set and its effects running, as if it had been entered just now', () => {
    const paying = spec(fulfilment).givenState('paying', { ...contextOf(), potion: 'healing' })
    paying.whenPassed({ seconds: 59 }).thenState('paying')
    paying.whenPassed({ minutes: 1 }).thenState('undoing').thenSends(Stock.at('healing'), { type: 'Release' })
    const booking = spec(fulfilment).givenState('booking', contextOf())
    booking.whenEffect('book', { output: { number: 1 } }).thenDone()
  })

  test('has run none of its actions', () => {
    spec(payment).givenState('charged', { cents: 5, currency: '' }).when({ type: 'Confirm' }).thenIgnored()
    spec(fulfilment).givenState('undoing', contextOf()).whenPassed({ hours: 1 }).thenNothing()
  })
})

describe('a beginning', () => {
  test('may be shared: no spec changes another', () => {
    const open = spec(payment)
    const unconfirmed = open.given({ type: 'Charge', cents: 6_000 })
    open.when({ type: 'Charge', cents: 7_000 }).thenContext({ cents: 7_000 })
    unconfirmed.when({ type: 'Confirm' }).thenState('charged').andAnythingElse()
    unconfirmed.whenPassed({ hours: 1 }).thenState('open')
  })

  test('has a key and a tenant of its choice', () => {
    const it = spec(fulfilment, { key: 'o-1', tenant: 'acme' })
    it.when(submitted).thenContext({ order: 'o-1' }).thenSends(Stock.at('luck'), { type: 'Reserve', quantity: 1 })
    failureOf(() =>
      it.when(submitted).thenSends(Stock.at('luck', { tenant: 'other' }), { type: 'Reserve', quantity: 1 }),
    )
  })
})
