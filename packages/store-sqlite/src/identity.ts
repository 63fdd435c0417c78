// identity.ts: tells whose file it is, without touching it.
// A file is looked at through SQLite and never through node:fs: POSIX drops all locks of a process on a file when the
// process closes any handle on it, so that reading a header would take the file away from a store that has it open. The
// one exception is a file that SQLite can't read without its log, see rawHeader.
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { InterstateError } from '@interstate/core'
import { resultCode } from './failure.ts'
import { applicationId, migrations } from './schema.ts'

/**
 * What stands at a path.
 * @throws InterstateError `STORE_FOREIGN`, `STORE_NEWER`.
 */
export function identify(path: string): 'nothing' | 'ours' {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.isFile() && found.size === 0)) return 'nothing'
  const { application, version } = found.isFile() ? readHeader(path) : nobodys
  if (application !== applicationId)
    throw new InterstateError('STORE_FOREIGN', `${path} is no store of ours.`, { path })
  if (version > migrations.length) {
    const what = `${path} has version ${version}; this is for versions up to ${migrations.length}.`
    throw new InterstateError('STORE_NEWER', what, { path, version, knows: migrations.length })
  }
  return 'ours'
}

const nobodys: Header = { application: undefined, version: 0 }

interface Header {
  readonly application: unknown
  readonly version: number
}

/** The two numbers of the header. `immutable` makes SQLite read it without locks, logs or side files. */
function readHeader(path: string): Header {
  const url = pathToFileURL(path)
  url.search = '?mode=ro&immutable=1'
  const db = new DatabaseSync(url)
  try {
    const application = db.prepare('PRAGMA application_id').get()?.application_id
    return { application, version: Number(db.prepare('PRAGMA user_version').get()?.user_version) }
  } catch (error) {
    if (resultCode(error) === 26) return nobodys
    if (resultCode(error) === 11) return rawHeader(path)
    throw error
  } finally {
    db.close()
  }
}

/**
 * A process that was killed while it moved the log into the file has left page 1 ahead of the rest: without its log the
 * file is malformed, but the two numbers are right (F2). Whoever has the file open now holds the lock of lock.ts as well.
 */
function rawHeader(path: string): Header {
  const bytes = Buffer.alloc(100)
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes, 0, bytes.length, 0)
  } finally {
    closeSync(file)
  }
  if (bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') return nobodys
  return { application: bytes.readUInt32BE(68), version: bytes.readUInt32BE(60) }
}
