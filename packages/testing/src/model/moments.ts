// moments.ts: when a message may come to an entity whose timers run, as far as it matters: a timer that is set then may
// fire before or after each of those that run already.
import type { EntityState } from '@interstate/core'

/**
 * Moments after `now` that let the timers of an entity fire in all orders that are possible: for each timer that was set
 * and each that stays, right before the one would overtake the other, and when it no longer does; and when the first one
 * is due. Without a timer that was set, time may as well pass later. Of states that look alike only what the very turn
 * made of them will do: the timers of another one have other generations.
 *
 * @param now - The moment of the turn, in milliseconds since 1970.
 */
export function moments(
  before: EntityState | undefined,
  after: EntityState | undefined,
  now: number,
): readonly number[] {
  if (before === undefined || after === undefined) return []
  const timers = Object.entries(after.timers)
  const running = timers.filter(([id, { generation }]) => before.timers[id]?.generation === generation)
  const set = timers.filter(([, { generation }]) => generation > before.armed)
  if (running.length === 0 || set.length === 0) return []
  const dues = running.map(([, { due }]) => due)
  const crossings = set.flatMap(([, { due }]) => dues.flatMap((each) => [each - (due - now) - 1, each - (due - now)]))
  const all = [...crossings, Math.min(...dues)].filter((moment) => moment > now)
  return [...new Set(all)].sort((one, two) => one - two)
}
