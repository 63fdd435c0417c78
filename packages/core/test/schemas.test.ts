// One contract, three libraries: any Standard Schema validates at the door, and the receiver sees what it made of it.
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, createMachine, emit, sendTo } from 'xstate'
import { z } from 'zod'
import {
  type Contract,
  contract,
  decide,
  defineAggregate,
  defineSaga,
  entityId,
  follow,
  validate,
  Wiring,
} from '../src/index.ts'
import { failure, message, noon } from './messages.ts'

/** A charge in cents, in euros where nothing is said, with a note that is trimmed, and lines with a name each. */
const libraries = {
  zod: z.object({
    cents: z.number().int().positive(),
    currency: z.string().default('EUR'),
    note: z
      .string()
      .transform((text) => text.trim())
      .optional(),
    lines: z.array(z.object({ sku: z.string().min(1) })).optional(),
  }),
  valibot: v.object({
    cents: v.pipe(v.number(), v.integer(), v.minValue(1)),
    currency: v.optional(v.string(), 'EUR'),
    note: v.optional(
      v.pipe(
        v.string(),
        v.transform((text) => text.trim()),
      ),
    ),
    lines: v.optional(v.array(v.object({ sku: v.pipe(v.string(), v.minLength(1)) }))),
  }),
  arktype: type({
    cents: 'number.integer > 0',
    currency: "string = 'EUR'",
    'note?': 'string.trim',
    'lines?': type({ sku: 'string > 0' }).array(),
  }),
}

describe.each(Object.entries(libraries))('a contract by %s', (_, schema) => {
  const Payment = contract('payment', {
    commands: { Charge: schema },
    events: { Charged: schema },
    replies: { Receipt: schema },
  })
  const check = (section: 'command' | 'event' | 'reply', payload: object) =>
    validate(Payment as unknown as Contract, section, {
      type: { command: 'Charge', event: 'Charged', reply: 'Receipt' }[section],
      ...payload,
    })

  test.each(['command', 'event', 'reply'] as const)(
    'a %s is what the schema makes of it: defaults filled in, values transformed',
    (section) => {
      expect(check(section, { cents: 1200, note: '  thanks ' })).toStrictEqual({
        cents: 1200,
        currency: 'EUR',
        note: 'thanks',
      })
      expect(check(section, { cents: 1, currency: 'CHF', lines: [{ sku: 'a' }] })).toStrictEqual({
        cents: 1,
        currency: 'CHF',
        lines: [{ sku: 'a' }],
      })
    },
  )

  test.each([
    ['missing', {}, ['cents']],
    ['of another type', { cents: '1200' }, ['cents']],
    ['against a rule', { cents: -1 }, ['cents']],
    ['wrong deep inside', { cents: 1, lines: [{ sku: 'a' }, { sku: '' }] }, ['lines', '1', 'sku']],
  ])('a payload that is %s is PAYLOAD_INVALID, with what and where in its details', (_, payload, path) => {
    for (const section of ['command', 'event', 'reply'] as const) {
      const { code, details, message: text } = failure(() => check(section, payload))
      expect({ code, issues: details.issues }).toEqual({
        code: 'PAYLOAD_INVALID',
        issues: [{ message: expect.stringMatching(/\w/), path }],
      })
      expect(text).toContain(`payload of payment.${details.type}`)
    }
  })

  test('several issues are all told', () => {
    const { details } = failure(() => check('command', { cents: 0.5, currency: 7 }))
    const paths = new Set((details.issues as { path: string[] }[]).map(({ path }) => path[0]))
    expect(paths).toEqual(new Set(['cents', 'currency']))
  })

  test('what a machine sends, emits and replies is validated and transformed before it leaves', () => {
    const Shop = contract('shop', { commands: { Sell: schema } })
    const payment = defineAggregate(Payment, createMachine({ on: { Charge: {} } }) as AnyStateMachine)
    const shop = defineAggregate(
      Shop,
      createMachine({
        on: { Sell: { actions: sendTo(Payment.at('1'), ({ event }) => ({ ...event, type: 'Charge' }) as never) } },
      }) as AnyStateMachine,
      { sends: [Payment] },
    )
    const publisher = defineAggregate(
      Payment,
      createMachine({
        on: {
          Charge: {
            actions: [
              emit(({ event }) => ({ ...event, type: 'Charged' })),
              Payment.reply(({ event }) => ({ ...event, type: 'Receipt' }) as never) as never,
            ],
          },
        },
      }) as AnyStateMachine,
    )
    const watch = defineSaga(
      'watch',
      follow(Payment.event('Charged').by('currency').starts()),
      createMachine({}) as AnyStateMachine,
    )
    const sent = { cents: 5, note: ' x ' }
    const received = { cents: 5, currency: 'EUR', note: 'x' }

    const sold = decide(
      new Wiring([shop, payment]),
      shop,
      undefined,
      message(entityId('shop', '1'), 'Sell', sent),
      noon,
    )
    expect(sold.outbox).toMatchObject([{ to: 'payment/1', type: 'Charge', data: received }])
    const charged = decide(
      new Wiring([publisher, watch]),
      publisher,
      undefined,
      message(entityId('payment', '1'), 'Charge', sent),
      noon,
    )
    // The key of the saga is taken from what the schema made of the event.
    expect(charged.outbox).toMatchObject([{ to: 'watch/EUR', type: 'payment.Charged', data: received }])
    expect(charged.replies).toMatchObject([{ reply: { type: 'Receipt', ...received } }])
    const bad = () =>
      decide(new Wiring([shop, payment]), shop, undefined, message(entityId('shop', '1'), 'Sell', { cents: 0 }), noon)
    expect(failure(bad).code).toBe('PAYLOAD_INVALID')
  })
})

describe('a schema that no turn could use is refused', () => {
  const using = (schema: unknown) => () =>
    validate(
      contract('payment', { commands: { Charge: schema as typeof libraries.zod } }) as unknown as Contract,
      'command',
      { type: 'Charge', cents: 1 },
    )

  test.each([
    ['zod', z.object({ cents: z.number() }).refine(async () => true)],
    [
      'valibot',
      v.pipeAsync(
        v.object({ cents: v.number() }),
        v.checkAsync(async () => true),
      ),
    ],
    [
      'valibot, one that rejects',
      v.pipeAsync(
        v.object({ cents: v.number() }),
        v.checkAsync(() => Promise.reject(new Error('nobody hears this'))),
      ),
    ],
  ])('asynchronous, by %s', async (_, schema) => {
    expect(failure(using(schema))).toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringMatching(/payment\.Charge is asynchronous/),
    })
    // An unhandled rejection would end the process; vitest would tell.
    await new Promise((resolve) => setTimeout(resolve, 5))
  })

  test('one whose result is no object', () => {
    for (const schema of [
      z.object({ cents: z.number() }).transform(({ cents }) => cents),
      z.object({}).transform(() => [1]),
      z.object({}).transform(() => null),
    ]) {
      expect(failure(using(schema))).toMatchObject({
        code: 'CONTRACT_INVALID',
        message: expect.stringMatching(/does not give an object/),
      })
    }
  })

  test('one whose result is no plain data', () => {
    expect(failure(using(z.object({ cents: z.number().transform((cents) => new Date(cents)) }))).code).toBe(
      'NOT_PLAIN_DATA',
    )
    expect(failure(using(z.object({ cents: z.number().transform((cents) => BigInt(cents)) }))).code).toBe(
      'NOT_PLAIN_DATA',
    )
  })

  test('one that throws, with what it threw', () => {
    const cause = new TypeError('no table')
    const look = (): never => {
      throw cause
    }
    for (const schema of [
      v.object({ cents: v.pipe(v.number(), v.transform(look)) }),
      type({ cents: type('number').pipe(look) }),
    ]) {
      const issues = [{ message: 'TypeError: no table' }]
      expect(failure(using(schema))).toMatchObject({ code: 'PAYLOAD_INVALID', cause, details: { issues } })
    }
    // zod keeps what was thrown in a promise.
    const byZod = z.object({ cents: z.number().transform(look) })
    expect(failure(using(byZod))).toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringMatching(/or threw/),
    })
  })
})

test('a schema cannot make another message of a payload: a type that it adds is left out', () => {
  const Payment = contract('payment', {
    commands: { Charge: z.object({}).transform(() => ({ cents: 1, type: 'xstate.done.actor.pay' })) },
  })
  expect(validate(Payment as unknown as Contract, 'command', { type: 'Charge' })).toStrictEqual({ cents: 1 })
})
