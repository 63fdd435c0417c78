// printable.ts: text from a store, made harmless for a terminal: a message may carry escape sequences that redraw it.

// Control characters, and those that change the direction of text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g

/** One line without anything a terminal would obey. */
export function printable(text: string): string {
  return text.replace(unprintable, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A value as JSON on one line, see {@link printable}. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value) ?? '-')
}

/** A moment, in UTC; `-` for none. What a store holds may be no moment at all. */
export function moment(ms: number | undefined): string {
  return isoOf(ms)?.replace('T', ' ').replace('.000Z', 'Z') ?? '-'
}

/** A moment for JSON: ISO 8601 in UTC, `null` for none. */
export function isoOf(ms: number | undefined | null): string | null {
  // Further than this from 1970 a Date has no text.
  if (typeof ms !== 'number' || !(Math.abs(ms) <= 8.64e15)) return null
  return new Date(ms).toISOString()
}
