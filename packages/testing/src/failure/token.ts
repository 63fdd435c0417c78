// token.ts: a run as a short text, to run it again: `i1:` and the compressed JSON of what it takes.
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { WorldError } from './error.ts'

const prefix = 'i1:'
const maxBytes = 1 << 20

/** What a token stands for: a path of the search, or a plan of the simulation. */
export interface Recorded {
  readonly by: 'check' | 'simulate'
  readonly options: Readonly<Record<string, unknown>>
  readonly run: unknown
}

export function encodeToken(recorded: Recorded): string {
  return `${prefix}${deflateRawSync(JSON.stringify(recorded)).toString('base64url')}`
}

/** @throws WorldError `TOKEN_UNREADABLE`. */
export function decodeToken(token: string): Recorded {
  const recorded = unpacked(token)
  if (isRecorded(recorded)) return recorded
  throw unreadable('It holds no run of a check or a simulation.')
}

function unpacked(token: string): unknown {
  if (!token.startsWith(prefix)) throw unreadable(`It does not begin with ${prefix}`)
  try {
    const packed = Buffer.from(token.slice(prefix.length), 'base64url')
    return JSON.parse(inflateRawSync(packed, { maxOutputLength: maxBytes }).toString())
  } catch (cause) {
    throw unreadable('It is damaged, or a part of it is missing.', cause)
  }
}

function isRecorded(recorded: unknown): recorded is Recorded {
  const { by, options } = (recorded ?? {}) as Partial<Recorded>
  return (by === 'check' || by === 'simulate') && typeof options === 'object' && options !== null
}

function unreadable(why: string, cause?: unknown): WorldError {
  return new WorldError('TOKEN_UNREADABLE', `That is no replay token. ${why}`, { cause })
}
