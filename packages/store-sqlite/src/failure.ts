// failure.ts: what an error of the database means to whoever called.
import { type ErrorCode, InterstateError } from '@interstate/core'

/** Primary result codes of SQLite, https://sqlite.org/rescode.html */
const [BUSY, LOCKED, IOERR, CORRUPT, FULL, NOTADB] = [5, 6, 10, 11, 13, 26]

/** The primary result code, when SQLite has said one: extended codes keep it in their lowest byte. */
export function resultCode(error: unknown): number | undefined {
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

/** Translates what was thrown while the store did something to the file at `path`. */
export function failure(error: unknown, path: string): InterstateError {
  if (error instanceof InterstateError) return error
  const text = error instanceof Error ? error.message : String(error)
  return new InterstateError(errorCode(error), `${path}: ${text}.`, { path }, { cause: error })
}

function errorCode(error: unknown): ErrorCode {
  switch (resultCode(error)) {
    case BUSY:
    case LOCKED:
      return 'STORE_IN_USE'
    case FULL:
      return 'STORE_FULL'
    // After a failed write or sync nobody knows what the disk holds, and Linux says so only once: a second sync would
    // succeed without having written anything (https://lwn.net/Articles/752063/).
    case IOERR:
    case CORRUPT:
    case NOTADB:
      return 'STORE_FENCED'
    default:
      return systemErrorCode(error)
  }
}

/** Of what Node.js did to the file or its folder. */
function systemErrorCode(error: unknown): ErrorCode {
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'EIO':
      return 'STORE_FENCED'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'STORE_FULL'
    default:
      return 'STORE_FAILED'
  }
}
