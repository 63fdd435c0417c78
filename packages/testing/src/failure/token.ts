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
  try {
    if (!token.startsWith(prefix)) throw new Error(`it does not begin with ${prefix}`)
    const packed = Buffer.from(token.slice(prefix.length), 'base64url')
    const recorded = JSON.parse(inflateRawSync(packed, { maxOutputLength: maxBytes }).toString()) as Partial<Recorded>
    const isWhole = recorded.by === 'check' || recorded.by === 'simulate'
    if (!isWhole || typeof recorded.options !== 'object' || recorded.options === null)
      throw new Error('a part is missing')
    return recorded as Recorded
  } catch (cause) {
    throw new WorldError('TOKEN_UNREADABLE', 'That is no replay token.', { cause })
  }
}
