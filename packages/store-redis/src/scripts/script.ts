// script.ts: a Lua script and the name that Redis gives it.
// All scripts begin with `#!lua`: only then Redis refuses one as a whole when memory is full, and one that touches a key
// of another slot. All keys are declared. A script that has checks makes them all before its first write, so that what it
// refuses has changed nothing. A check stands in one line after a comment `-- @name`, so that tests can take it out.
import { hash } from 'node:crypto'

/** See the file head. */
export interface Script {
  readonly text: string
  /** What EVALSHA takes. */
  readonly sha: string
}

/** What a script may do besides: read only, or write where memory is full because it frees some or takes hardly any. */
export type ScriptFlag = 'no-writes' | 'allow-oom'

/** Makes a script of a body. */
export function script(body: string, flag?: ScriptFlag): Script {
  const text = `#!lua${flag === undefined ? '' : ` flags=${flag}`}\n${body.trim()}\n`
  return { text, sha: hash('sha1', text, 'hex') }
}
