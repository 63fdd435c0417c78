// stored-entity.ts: reads the stored form of an entity without its definition: what is there is shown, what is damaged
// is said, and nothing is trusted.
import { crc32 } from 'node:zlib'

/** What could be read of a snapshot. Each part is missing where it isn't what it should be. */
export interface SnapshotReading {
  /** Why it could not be used as it is; `undefined` for nothing. */
  readonly damage: string | undefined
  readonly status?: string
  readonly value?: unknown
  readonly context?: unknown
  readonly output?: unknown
  /** Version of its machine. */
  readonly machine?: string
  readonly incarnation?: string
  /** Turns so far. */
  readonly sequence?: number
  /** Time of the last turn, in milliseconds since 1970. */
  readonly now?: number
  readonly timers: readonly TimerReading[]
  readonly running: readonly EffectReading[]
}

/** A timer. */
export interface TimerReading {
  readonly name: string
  readonly due: number | undefined
  readonly generation: number | undefined
  /** Type of the event that the machine raises to itself. */
  readonly raises: string | undefined
  /** `Charge -> payment/42`: what it sends. */
  readonly sends: string | undefined
}

/** An effect that was started and has not answered. */
export interface EffectReading {
  readonly name: string
  readonly src: string | undefined
  readonly key: string | undefined
  readonly input: unknown
}

type Fields = Readonly<Record<string, unknown>>

const form = /^i(?<format>\d+):(?<sum>[0-9a-f]{8}):(?<json>.*)$/s
const nothing = { timers: [], running: [] }

/** See the file head. */
export function readSnapshot(text: string, entity: string): SnapshotReading {
  const groups = form.exec(text)?.groups
  if (groups?.json === undefined) return { damage: 'it is not a snapshot', ...nothing }
  const { format, sum, json } = groups
  let stored: unknown
  try {
    stored = JSON.parse(json)
  } catch {
    return { damage: 'it is not JSON', ...nothing }
  }
  if (!isFields(stored)) return { damage: 'it is not an object', ...nothing }
  const { status, machine, incarnation, sequence, now } = stored
  return {
    damage: damageOf(stored, entity, { format, isWhole: crc32(json).toString(16).padStart(8, '0') === sum }),
    ...(typeof status === 'string' && { status }),
    ...('value' in stored && { value: stored.value }),
    ...('context' in stored && { context: stored.context }),
    ...('output' in stored && { output: stored.output }),
    ...(typeof machine === 'string' && { machine }),
    ...(typeof incarnation === 'string' && { incarnation }),
    ...(typeof sequence === 'number' && { sequence }),
    ...(typeof now === 'number' && { now }),
    timers: entriesOf(stored.timers).map(([name, timer]) => timerOf(name, timer)),
    running: entriesOf(stored.running).map(([name, effect]) => effectOf(name, effect)),
  }
}

/** What stands in the way of an entity; `undefined` for nothing, or for what can't be read. */
export function readTrouble(text: string | undefined): TroubleReading | undefined {
  if (text === undefined) return undefined
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch {
    stored = undefined
  }
  const fields = isFields(stored) ? stored : {}
  const error = isFields(fields.error) ? fields.error : {}
  return {
    message: textOf(fields.message),
    attempts: numberOf(fields.attempts),
    crashes: numberOf(fields.crashes),
    code: textOf(error.code),
    text: textOf(error.text),
    retryAt: numberOf(fields.retryAt),
    parkedAt: numberOf(fields.parkedAt),
  }
}

/** See {@link readTrouble}. */
export interface TroubleReading {
  readonly message: string | undefined
  readonly attempts: number | undefined
  readonly crashes: number | undefined
  readonly code: string | undefined
  readonly text: string | undefined
  readonly retryAt: number | undefined
  readonly parkedAt: number | undefined
}

function damageOf(
  stored: Fields,
  entity: string,
  { format, isWhole }: { readonly format: string | undefined; readonly isWhole: boolean },
): string | undefined {
  if (!isWhole) return 'its checksum is wrong'
  if (format !== '1' || stored.format !== 1) return `its format is ${format}, of a newer version`
  if (stored.entity !== entity) return 'it is of another entity'
  return undefined
}

function timerOf(name: string, timer: unknown): TimerReading {
  const { due, generation, raise, send } = isFields(timer) ? timer : {}
  return {
    name,
    due: numberOf(due),
    generation: numberOf(generation),
    raises: isFields(raise) ? textOf(raise.type) : undefined,
    sends: isFields(send) ? `${textOf(send.type) ?? '?'} -> ${textOf(send.to) ?? '?'}` : undefined,
  }
}

function effectOf(name: string, effect: unknown): EffectReading {
  const { src, key, input } = isFields(effect) ? effect : {}
  return { name, src: textOf(src), key: textOf(key), input }
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isFields(value) ? Object.entries(value) : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
