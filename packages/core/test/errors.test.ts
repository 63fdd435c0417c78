import { expect, test } from 'vitest'
import { catalogue, type ErrorCode, InterstateError } from '../src/index.ts'

const codes = Object.keys(catalogue) as ErrorCode[]

test.each(codes)('%s says what to do, and its message carries code and remedy', (code) => {
  const { remedy, retryable } = catalogue[code]
  expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
  expect(remedy).toMatch(/^[A-Z].{10,}\.$/)
  const cause = new Error('below')
  const error = new InterstateError(code, 'This happened.', { at: 1 }, { cause })
  expect(error.message).toBe(`This happened. ${remedy} [${code}]`)
  expect(error).toMatchObject({ name: 'InterstateError', code, retryable, details: { at: 1 }, cause })
  expect(error).toBeInstanceOf(Error)
})

test('codes are listed by name, so that one is never added twice', () => {
  expect(codes).toEqual(codes.toSorted())
})

test('an error without details or cause has empty ones', () => {
  const error = new InterstateError('HOST_STOPPED', 'Stopped.')
  expect(error.details).toEqual({})
  expect(error.cause).toBeUndefined()
})
