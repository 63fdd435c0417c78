import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type IdempotencyKey, idempotencyKey, timeOfKey } from '../src/index.ts'
import { failure } from './messages.ts'

test('G10: a key carries its name and its time, and is the same on every repeat', () => {
  const key = idempotencyKey('order-17', { at: new Date('2026-01-31T12:00:00Z') })
  expect(key).toBe('1769860800000~order-17')
  expect(idempotencyKey('order-17', { at: 1_769_860_800_000 })).toBe(key)
  expect(timeOfKey(key)).toBe(1_769_860_800_000)
})

test('any name of 1 to 256 characters will do, in any script, and names stay apart', () => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 128 })
  const at = fc.nat({ max: Number.MAX_SAFE_INTEGER }).map((ms) => ms % 1e15)
  fc.assert(
    fc.property(fc.tuple(name, at), fc.tuple(name, at), ([one, oneAt], [two, twoAt]) => {
      const key = idempotencyKey(one, { at: oneAt })
      expect(timeOfKey(key)).toBe(oneAt)
      expect(key === idempotencyKey(two, { at: twoAt })).toBe(one === two && oneAt === twoAt)
    }),
  )
  expect(idempotencyKey('😀'.repeat(256), { at: 0 })).toHaveLength(2 + 512)
})

test.each([
  ['an empty name', '', 1],
  ['a name of 257 characters', 'x'.repeat(257), 1],
  ['half a surrogate pair', 'a\ud800', 1],
  ['no time', 'x', Number.NaN],
  ['a time before 1970', 'x', -1],
  ['a fraction of a millisecond', 'x', 1.5],
  ['a time too far away', 'x', 1e15],
  ['an invalid date', 'x', new Date('nonsense')],
])('%s is refused', (_, name, at) => {
  expect(failure(() => idempotencyKey(name, { at })).code).toBe('IDEMPOTENCY_KEY_INVALID')
})

test.each(['', 'order-17', '~x', '1~', '1x~y', 'x1~y', ' 1~x', 7, undefined, null, {}])(
  'what is no key is refused: %j',
  (key) => {
    expect(failure(() => timeOfKey(key as IdempotencyKey)).code).toBe('IDEMPOTENCY_KEY_INVALID')
  },
)
