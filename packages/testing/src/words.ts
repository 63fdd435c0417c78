// words.ts: states, messages, timers and times as people read them in stories.
import type { Envelope } from '@interstate/core'

/** What a message is called in stories: a firing by its timer. */
export function typeOf({ kind, type, data }: Envelope): string {
  if (kind === 'timeout') return `timeout "${timerName(String(data.timer))}"`
  if (kind === 'result') return `${'error' in data ? 'error' : 'result'} of effect "${String(data.effect)}"`
  return type
}

/** An id that a turn gave out says nothing to people. */
const derivedId = /^[\w-]{20}-\d+$/

/**
 * A timer's name for people: `after 30 min` where XState made it.
 *
 * @param brings - The type of what it raises or sends: its name where nobody gave it one.
 */
export function timerName(timer: string, brings = 'a delayed message'): string {
  if (derivedId.test(timer)) return brings
  const [, delay, state] = /^xstate\.after\.([^.]+)\.(.+)$/.exec(timer) ?? []
  if (delay === undefined) return timer
  const ms = Number(delay)
  return `after ${Number.isNaN(ms) ? delay : duration(ms)} in ${state?.split('.').at(-1)}`
}

/** Milliseconds for people. */
export function duration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const
  const [name, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1]
  return `${ms / size} ${name}`
}

/** A state value for people: `paying.waiting`, `a.b & c.d`. */
export function stateName(value: unknown): string {
  if (typeof value === 'string') return value
  return Object.entries(value as Record<string, unknown>)
    .flatMap(([key, inner]) => {
      const name = stateName(inner)
      return name === '' ? [key] : name.split(' & ').map((each) => `${key}.${each}`)
    })
    .join(' & ')
}
