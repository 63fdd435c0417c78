// failure.ts: what an error says of the command that got it: refused for good, refused for now, or nobody knows.
import { type ErrorCode, InterstateError } from '@interstate/core'

/**
 * What became of a command that failed. `refused` and `later` were not run; what is refused `later` may be run when it is
 * sent again. `unread` is one whose script the server does not have. `unknown` may have been run.
 */
export type Fate = 'refused' | 'later' | 'unread' | 'unknown'

/** By the first word of what the server said. */
const fates: Readonly<Record<string, Fate>> = {
  NOSCRIPT: 'unread',
  // A server that starts, one that was a primary, a cluster that elects one, a slot that moves.
  LOADING: 'later',
  READONLY: 'later',
  MASTERDOWN: 'later',
  CLUSTERDOWN: 'later',
  TRYAGAIN: 'later',
  MOVED: 'later',
  ASK: 'later',
  BUSY: 'later',
  NOREPLICAS: 'later',
  // A replica that was promoted or a client that was unblocked by force: the write before a WAIT stands.
  UNBLOCKED: 'unknown',
}

/** See {@link Fate}. */
export function fateOf(error: unknown): Fate {
  if (!isReply(error)) return 'unknown'
  return fates[firstWord(error)] ?? 'refused'
}

/** Whether the server itself said it. Everything else is trouble on the way. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && (error.name === 'ReplyError' || /^[A-Z]{3,} /.test(error.message))
}

function firstWord(error: Error): string {
  return error.message.split(' ', 1)[0] ?? ''
}

/** What a refusal means to whoever called. */
export function refusal(error: unknown): InterstateError {
  if (error instanceof InterstateError) return error
  const text = error instanceof Error ? error.message : String(error)
  const code: ErrorCode = isReply(error) && firstWord(error) === 'OOM' ? 'STORE_FULL' : 'STORE_FAILED'
  return new InterstateError(code, `Redis said: ${text}.`, {}, { cause: error })
}
