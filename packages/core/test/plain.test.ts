import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contextLimits, type Plain, type PlainLimits, payloadLimits, plainCopy } from '../src/index.ts'
import { failure } from './messages.ts'

const copy = (value: unknown, limits?: PlainLimits) => plainCopy(value, 'test', limits)
const isCompound = (value: unknown): value is object => typeof value === 'object' && value !== null

describe('what comes out of plainCopy', () => {
  // Everything that JSON.stringify takes without a toJSON, undefined and holes included.
  const jsonable = fc.anything({
    values: [
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(null),
      fc.constant(undefined),
      fc.constant(-0),
    ],
    key: fc.string().filter((key) => !['__proto__', 'constructor', 'prototype', 'toJSON'].includes(key)),
    withNullPrototype: true,
    withSparseArray: true,
    maxDepth: 5,
  })

  test('equals its own JSON round trip', () => {
    fc.assert(
      fc.property(jsonable, (value) => {
        fc.pre(value !== undefined)
        const copied = copy(value)
        expect(copied).toStrictEqual(JSON.parse(JSON.stringify(value)))
        expect(copy(copied)).toStrictEqual(copied)
      }),
    )
  })

  test('shares nothing with what went in', () => {
    const parts = (value: unknown): unknown[] =>
      isCompound(value) ? [value, ...Object.values(value).flatMap(parts)] : []
    fc.assert(
      fc.property(jsonable, (value) => {
        fc.pre(value !== undefined)
        const before = new Set(parts(value))
        for (const part of parts(copy(value))) expect(before.has(part)).toBe(false)
      }),
    )
  })

  test('has plain prototypes, no holes and no undefined', () => {
    const copied = copy({ a: Object.assign(Object.create(null), { b: 1 }), c: undefined, d: [undefined, undefined, 3] })
    expect(copied).toStrictEqual({ a: { b: 1 }, d: [null, null, 3] })
    expect(Object.getPrototypeOf((copied as { a: object }).a)).toBe(Object.prototype)
    expect(Object.keys((copied as { d: object }).d)).toEqual(['0', '1', '2'])
  })

  test('repeats what was shared inside', () => {
    const shared = { n: 1 }
    const copied = copy({ a: shared, b: shared }) as { a: object; b: object }
    expect(copied).toEqual({ a: { n: 1 }, b: { n: 1 } })
    expect(copied.a).not.toBe(copied.b)
  })

  test('knows no negative zero', () => {
    expect(Object.is(copy(-0), 0)).toBe(true)
  })
})

describe('plainCopy refuses what is no data', () => {
  class Money {
    cents = 1
  }
  test.each([
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['undefined at the top', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a class instance', new Money()],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['a RegExp', /x/],
    ['an Error', new Error('e')],
    ['a Promise', Promise.resolve()],
    ['a boxed string', Object('s')],
    ['a buffer', new Uint8Array(1)],
    ['an object with a prototype of its own', Object.create({ inherited: 1 })],
  ])('%s, wherever it is', (_, value) => {
    for (const place of [value, [value], { a: { b: [1, value] } }]) {
      if (value === undefined && place !== value) continue
      expect(failure(() => copy(place))).toMatchObject({
        code: 'NOT_PLAIN_DATA',
        details: { what: 'test', found: expect.any(String) },
      })
    }
  })

  test.each(['__proto__', 'constructor', 'prototype'])(
    'a property named %s, wherever it is, even when it is undefined',
    (name) => {
      for (const value of [
        JSON.parse(`{"${name}":1}`),
        JSON.parse(`[{"a":{"${name}":{}}}]`),
        Object.fromEntries([[name, undefined]]),
      ]) {
        expect(failure(() => copy(value)).code).toBe('NOT_PLAIN_DATA')
      }
    },
  )

  test('a cycle', () => {
    const ring: { self?: unknown } = {}
    ring.self = ring
    const list: unknown[] = []
    list.push(list)
    for (const value of [ring, list]) expect(failure(() => copy(value)).code).toBe('LIMIT_EXCEEDED')
  })

  test('G11: a huge sparse array, before it is walked', () => {
    const begin = performance.now()
    expect(failure(() => copy(new Array(4_000_000_000))).code).toBe('LIMIT_EXCEEDED')
    expect(performance.now() - begin).toBeLessThan(1_000)
  })
})

describe('limits', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

  test.each([payloadLimits, contextLimits])('are kept to the unit: %o', (limits) => {
    const { maxDepth, maxNodes, maxChars } = limits
    const cases: readonly (readonly [keyof PlainLimits, (by: number) => unknown])[] = [
      ['maxDepth', (by) => nested(maxDepth + by)],
      ['maxNodes', (by) => Array.from({ length: maxNodes - 1 + by }, () => 0)],
      ['maxChars', (by) => ({ key: 'x'.repeat(maxChars - 3 + by) })],
      ['maxChars', (by) => ({ ['k'.repeat(maxChars - 1 + by)]: 'x' })],
    ]
    for (const [limit, make] of cases) {
      expect(() => copy(make(0), limits)).not.toThrow()
      expect(failure(() => copy(make(1), limits))).toMatchObject({
        code: 'LIMIT_EXCEEDED',
        details: { limit, most: limits[limit] },
      })
    }
  })

  test('are those of a payload where nothing is said', () => {
    expect(() => copy(nested(payloadLimits.maxDepth))).not.toThrow()
    expect(failure(() => copy(nested(payloadLimits.maxDepth + 1))).code).toBe('LIMIT_EXCEEDED')
  })

  test('what is within the limits of a payload is within those of a context', () => {
    for (const limit of ['maxDepth', 'maxNodes', 'maxChars'] as const)
      expect(contextLimits[limit]).toBeGreaterThan(payloadLimits[limit])
    expect(plainCopy({ text: 'x'.repeat(200_000) } satisfies Plain, 'context', contextLimits)).toBeTruthy()
  })
})
