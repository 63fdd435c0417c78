// words.ts: what a spec says and what comes of it, as a person reads it.
import { inspect } from 'node:util'
import { wrapAnsi } from 'fast-wrap-ansi'

/** Columns of a line of a spec. With its conjunction and an indent it fits in 120. */
export const lineWidth = 100

/** A message by its type first: `Charge { cents: 1200 }`; a command with its address; anything else as data. */
export function inWords(value: unknown, width: number): string {
  if (typeof value === 'string') return value
  if (!isRecord(value)) return data(value, width)
  const { type, to, message, after, effect, input } = value
  if (typeof type === 'string') return named(type, withoutType(value), width)
  if (typeof to === 'string' && message !== undefined) {
    return `${inWords(message, width)} to ${to}${after === undefined ? '' : ` after ${after}`}`
  }
  if (typeof effect === 'string') return input === undefined ? effect : named(effect, input, width)
  return data(value, width)
}

/** One line of a spec, its conjunction to the right so that lines stand below each other. */
export function told(word: 'given' | 'when' | 'so', line: string): string {
  const [first = '', ...more] = wrapAnsi(line, lineWidth, { hard: true, trim: false }).split('\n')
  return [`${word.padStart(5)} ${first}`, ...more.map((each) => `${' '.repeat(8)}${each}`)].join('\n')
}

function named(name: string, payload: unknown, width: number): string {
  const isEmpty = isRecord(payload) && Object.keys(payload).length === 0
  return isEmpty ? name : `${name} ${data(payload, width - name.length - 1)}`
}

function withoutType({ type: _, ...payload }: Record<string, unknown>): unknown {
  return payload
}

function data(value: unknown, width: number): string {
  return inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, sorted: true, breakLength: width })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
