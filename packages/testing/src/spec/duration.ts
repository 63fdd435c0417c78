// duration.ts: a span of time as a person says it.
import { specInvalid } from './failure.ts'

const units = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000, milliseconds: 1 } as const
type Unit = keyof typeof units

/** A span of time: `{ minutes: 30 }`; several units add up. */
export type Duration = { readonly [U in Unit]?: number }

/** @throws WorldError `SPEC_INVALID` for a span that is empty, negative or no number. */
export function milliseconds(duration: Duration): number {
  const parts = Object.entries(duration ?? {})
  const unknown = parts.find(([unit]) => !Object.hasOwn(units, unit))
  if (unknown !== undefined) {
    throw specInvalid(`"${unknown[0]}" is no unit of time: ${Object.keys(units).join(', ')}.`)
  }
  const ms = parts.reduce((sum, [unit, count]) => sum + count * units[unit as Unit], 0)
  if (parts.length === 0 || parts.some(([, count]) => !(count >= 0)) || !Number.isSafeInteger(ms)) {
    throw specInvalid(
      `${JSON.stringify(duration)} is no span of time: give milliseconds from 0 up, for example { minutes: 30 }.`,
    )
  }
  return ms
}

/** A span in words: `1 day 2 hours`. */
export function spanInWords(ms: number): string {
  const parts: string[] = []
  let rest = ms
  for (const [unit, size] of Object.entries(units)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${count === 1 ? unit.slice(0, -1) : unit}`)
  }
  return parts.length === 0 ? '0 milliseconds' : parts.join(' ')
}
