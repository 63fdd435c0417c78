// failure.ts: what SQLite says, in our words.
import { InterstateError } from '@interstate/core'

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const codes = { busy: 5, ioError: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 } as const

/**
 * What a failed call means. `STORE_FENCED`: what the disk holds is unknown; `STORE_FULL`, `STORE_FAILED`: nothing has
 * changed; `STORE_IN_USE`, `STORE_FOREIGN`: it could not be opened.
 */
export function failureOf(path: string, cause: unknown): InterstateError {
  if (cause instanceof InterstateError) return cause
  const details = { path }
  const text = cause instanceof Error ? cause.message : String(cause)
  switch (primaryCode(cause)) {
    case codes.busy:
      return new InterstateError('STORE_IN_USE', `"${path}" is open in another process or host.`, details, { cause })
    case codes.full:
      return new InterstateError('STORE_FULL', `There is no space left for "${path}".`, details, { cause })
    case codes.ioError:
    case codes.corrupt:
      return new InterstateError('STORE_FENCED', `"${path}" failed: ${text}.`, details, { cause })
    case codes.notADatabase:
      return new InterstateError('STORE_FOREIGN', `"${path}" is no store of ours.`, details, { cause })
    case codes.cantOpen:
      return new InterstateError('STORE_FAILED', `"${path}" can't be opened: does its folder exist?`, details, {
        cause,
      })
    default:
      return new InterstateError('STORE_FAILED', `"${path}" failed: ${text}.`, details, { cause })
  }
}

/** The low byte: an extended code such as SQLITE_IOERR_FSYNC (1034) is an I/O error (10). */
function primaryCode(cause: unknown): number | undefined {
  const code = (cause as { errcode?: unknown }).errcode
  return typeof code === 'number' ? code & 0xff : undefined
}
