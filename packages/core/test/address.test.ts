import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AddressRef, contract, type EntityId, entityId, parseEntityId } from '../src/index.ts'
import { anything } from './hosted.ts'
import { failure } from './messages.ts'

/** Every key that is allowed: any Unicode but control characters, braces and slashes. */
const key = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 64 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  .map((text) => text.replaceAll(/[{}/\u0000-\u001f\u007f]/g, '-'))
const tenant = fc.option(key, { nil: undefined })
const type = fc.constantFrom('payment', 'a', 'Order_1')

describe('the name of an entity', () => {
  test('comes back as what it was made of, whatever the key and the tenant', () => {
    fc.assert(
      fc.property(type, key, tenant, (of, local, owner) => {
        expect(parseEntityId(entityId(of, local, owner))).toEqual({ type: of, key: local, tenant: owner })
      }),
    )
  })

  test('is made of characters that every store and every URL takes', () => {
    fc.assert(
      fc.property(type, key, tenant, (of, local, owner) => {
        expect(entityId(of, local, owner)).toMatch(/^([A-Za-z0-9._~%-]+\/)?\w+\/[A-Za-z0-9._~%-]+$/)
      }),
    )
  })

  test('is another one for another identity', () => {
    const identity = fc.tuple(type, key, tenant)
    fc.assert(
      fc.property(identity, identity, (one, two) => {
        expect(entityId(...one) === entityId(...two)).toBe(JSON.stringify(one) === JSON.stringify(two))
      }),
    )
  })

  test.each([
    ['payment', '42', undefined, 'payment/42'],
    ['payment', 'a b', undefined, 'payment/a%20b'],
    ['payment', '50%', undefined, 'payment/50%25'],
    ['payment', 'é😀', undefined, 'payment/%C3%A9%F0%9F%98%80'],
    ['payment', "!'()*", undefined, 'payment/%21%27%28%29%2A'],
    ['payment', 'A-z0.9_~', 'acme', 'acme/payment/A-z0.9_~'],
    ['payment', '1', 'a:b', 'a%3Ab/payment/1'],
  ])('is a persisted form: %s %s %s', (of, local, owner, id) => {
    expect(entityId(of, local, owner)).toBe(id)
  })

  test.each([
    ['empty', ''],
    ['too long', 'x'.repeat(257)],
    ['with a slash', 'a/b'],
    ['with an opening brace', 'a{b'],
    ['with a closing brace', 'a}b'],
    ['with NUL', 'a\u0000b'],
    ['with a line break', 'a\nb'],
    ['with DEL', 'a\u007f'],
    ['half a surrogate pair', 'a\ud800'],
    ['a number', 42 as unknown as string],
    ['nothing', undefined as unknown as string],
    ['null', null as unknown as string],
    ['an object that pretends', { length: 1, toString: () => 'x' } as unknown as string],
  ])('is not made of a key or tenant that is %s', (what, bad) => {
    expect(failure(() => entityId('payment', bad)).code).toBe('ADDRESS_INVALID')
    if (what !== 'nothing') expect(failure(() => entityId('payment', '1', bad)).code).toBe('ADDRESS_INVALID')
  })

  test('takes keys up to 256 characters', () => {
    for (const long of ['x'.repeat(256), 'é'.repeat(256), '\u{1F600}'.repeat(128)]) {
      expect(parseEntityId(entityId('payment', long)).key).toBe(long)
    }
  })

  test.each([
    '',
    'payment',
    'payment/',
    '/1',
    '//',
    'a//1',
    '/payment/1',
    'a/b/c/d',
    'payment/%',
    'payment/%zz',
    'payment/%C3',
    'payment/a b',
    'payment/a\n',
    'payment/{1}',
    'pay%20ment/1',
    'payment/%00',
    'payment/%2F',
    `payment/${'x'.repeat(257)}`,
  ])('is refused where entityId would never have made it: %j', (id) => {
    expect(failure(() => parseEntityId(id as EntityId)).code).toBe('ADDRESS_INVALID')
  })

  test.each(['payment/%41', 'payment/%c3%a9', "payment/'", 'payment/é', '%61cme/payment/1', 'payment/%7E'])(
    'has one spelling: %s is none',
    (id) => {
      expect(failure(() => parseEntityId(id as EntityId)).code).toBe('ADDRESS_INVALID')
    },
  )

  test('parsed and made again is the same, or it is refused', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '/', '%', '4', '1', 'F') }), fc.webPath())
    fc.assert(
      fc.property(text, (id) => {
        let identity: ReturnType<typeof parseEntityId>
        try {
          identity = parseEntityId(id as EntityId)
        } catch {
          return
        }
        expect(entityId(identity.type, identity.key, identity.tenant)).toBe(id)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('an address', () => {
  const Payment = contract('payment', { commands: { Charge: anything } })
  const at = (local: string, options?: { tenant: string }) => Payment.at(local, options) as unknown as AddressRef

  test('takes the tenant of the sender, unless it has one of its own', () => {
    expect(at('1').id()).toBe('payment/1')
    expect(at('1').id('acme')).toBe('acme/payment/1')
    expect(at('1', { tenant: 'own' }).id('acme')).toBe('own/payment/1')
    expect(at('1', { tenant: 'own' }).id()).toBe('own/payment/1')
  })

  test('is data: its JSON is its name', () => {
    expect(at('1')).toBeInstanceOf(AddressRef)
    expect(JSON.stringify({ to: at('a b', { tenant: 'acme' }) })).toBe('{"to":"acme/payment/a%20b"}')
  })

  test('is refused at once where no store could hold it', () => {
    expect(failure(() => Payment.at('')).code).toBe('ADDRESS_INVALID')
    expect(failure(() => Payment.at('1', { tenant: 'a/b' })).code).toBe('ADDRESS_INVALID')
  })
})
