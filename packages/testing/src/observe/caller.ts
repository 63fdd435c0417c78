// caller.ts: the place in the user's code from which a call came.
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const own = import.meta.url.slice(0, import.meta.url.lastIndexOf('/'))

/** `src/payment.ts:12`, as seen from the working directory; `undefined` where the stack does not tell. */
export function callerOf(below: (...args: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 30
  Error.captureStackTrace(holder, below)
  Error.stackTraceLimit = limit
  const frames = (holder.stack ?? '').split('\n').slice(1).map(placeOf)
  const places = frames.filter((place) => place !== undefined)
  // A library that draws an id for the machine is named only where nobody else is.
  return places.find((place) => !place.includes('node_modules')) ?? places[0]
}

function placeOf(frame: string): string | undefined {
  const found = /(?:\(|at |async )((?:file:\/\/)?\/?[^()\s]*?):(\d+):\d+\)?$/.exec(frame.trim())
  const file = found?.[1]
  if (file === undefined || file.startsWith('node:')) return undefined
  const path = file.startsWith('file:') ? fileURLToPath(file.replace(/[?#].*$/, '')) : file
  if (path.startsWith(fileURLToPath(own))) return undefined
  return `${relative(process.cwd(), path)}:${found?.[2]}`
}
