// facts.ts: what a judge reads in a stored snapshot: its turns, its timers, its running effects.

/** A timer as stored. */
export interface TimerFacts {
  readonly generation: number
  /** Milliseconds since 1970. */
  readonly due: number
  /** The id of the message that it sends, if it sends one. */
  readonly sends: string | undefined
}

/** See the file head. */
export interface SnapshotFacts {
  /** Turns that the entity has taken. */
  readonly turns: number
  readonly timers: ReadonlyMap<string, TimerFacts>
  /** Keys of running effects. */
  readonly effects: readonly string[]
}

/** `i1:`, a checksum of eight characters, a colon. */
const head = /^i\d+:[0-9a-f]{8}:/

/** `undefined` for a text that is no snapshot of ours: then nothing is said about it. */
export function snapshotFacts(text: string | undefined): SnapshotFacts | undefined {
  if (text === undefined || !head.test(text)) return undefined
  const { sequence, timers = {}, running = {} } = JSON.parse(text.replace(head, '')) as Stored
  const timerFacts = Object.entries(timers).map(
    ([name, { generation, due, send }]) => [name, { generation, due, sends: send?.id }] as const,
  )
  return { turns: sequence, timers: new Map(timerFacts), effects: Object.values(running).map(({ key }) => key) }
}

interface Stored {
  readonly sequence: number
  readonly timers?: Readonly<Record<string, { generation: number; due: number; send?: { readonly id: string } }>>
  readonly running?: Readonly<Record<string, { readonly key: string }>>
}
