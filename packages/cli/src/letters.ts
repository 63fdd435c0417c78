// letters.ts: dead letters as stored, read with care.
import {
  type DeadLetter,
  decodeEnvelope,
  type EntityId,
  type Envelope,
  InterstateError,
  type MessageId,
  type StoreDriver,
  type StoredMessage,
} from '@interstate/core'
import { isoOf } from './printable.ts'

/** A dead letter as `--json` shows it. */
export interface LetterView {
  readonly id: MessageId
  readonly entity: EntityId
  readonly shard: number
  /** `null` where the message can't be read. */
  readonly type: string | null
  readonly kind: string | null
  readonly from: string | null
  /** Error code of the last attempt. */
  readonly code: string
  readonly text: string
  readonly attempts: number | null
  /** When it was given up. */
  readonly at: string | null
}

/** Which letters are meant. */
export interface LetterFilter {
  readonly entity?: string | undefined
  readonly code?: string | undefined
}

const pageSize = 200

/** @throws InterstateError `DEAD_LETTER_UNKNOWN`. */
export async function letterOf(store: StoreDriver, id: string): Promise<DeadLetter> {
  const letter = id === '' ? undefined : await store.deadLetter(id as MessageId)
  if (letter === undefined) throw unknownLetter(id)
  return letter
}

/** @internal */
export function unknownLetter(id: string): InterstateError {
  return new InterstateError('DEAD_LETTER_UNKNOWN', `There is no dead letter "${id}".`, { id })
}

/** Dead letters by id, after an id. */
export async function* lettersOf(
  store: StoreDriver,
  { entity, code }: LetterFilter,
  after?: MessageId,
): AsyncGenerator<DeadLetter> {
  let last = after
  for (;;) {
    const page = await store.deadLetters(last, pageSize)
    for (const letter of page) {
      if (entity !== undefined && letter.to !== entity) continue
      if (code === undefined || viewOf(letter).code === code) yield letter
    }
    last = page.at(-1)?.id
    if (page.length < pageSize) return
  }
}

/** See {@link LetterView}. */
export function viewOf(letter: DeadLetter): LetterView {
  const message = messageOf(letter)
  const { code, text, attempts, at } = reasonOf(letter)
  return {
    id: letter.id,
    entity: letter.to,
    shard: letter.shard,
    type: message?.type ?? null,
    kind: message?.kind ?? null,
    from: message?.from ?? null,
    code: typeof code === 'string' ? code : '?',
    text: typeof text === 'string' ? text : '',
    attempts: typeof attempts === 'number' ? attempts : null,
    at: isoOf(typeof at === 'number' ? at : undefined),
  }
}

/** The message; `undefined` where its stored form can't be read, or is of another message. */
export function messageOf({ id, to, body }: StoredMessage): Envelope | undefined {
  try {
    const message = decodeEnvelope(body)
    return message.id === id && message.to === to ? message : undefined
  } catch {
    return undefined
  }
}

function reasonOf({ reason }: DeadLetter): Readonly<Record<string, unknown>> {
  try {
    const stored: unknown = JSON.parse(reason)
    return typeof stored === 'object' && stored !== null ? (stored as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
