// caller.ts: the place in the user's code from which a call came.
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const own = fileURLToPath(new URL('.', import.meta.url))

/** Who made a call. */
export interface Caller {
  /** `src/payment.ts:12`, as seen from the working directory; `undefined` where the stack does not tell. */
  readonly place: string | undefined
  /** Whether node made it on somebody's behalf: who writes a line to the console does not ask for the time. */
  readonly isNode: boolean
}

/** Who made the call that `below` looks into. */
export function callerOf(below: (...args: never[]) => unknown): Caller {
  const frames = machineFrames(framesBelow(below))
  const isUsers = (frame: string): boolean => !frame.startsWith('node:') && !frame.includes('/node_modules/')
  const user = frames.findIndex(isUsers)
  const between = user === -1 ? frames : frames.slice(0, user)
  const isNode = between.some((frame) => frame.startsWith('node:'))
  // A library that draws an id for the machine is named only where nobody else is.
  const place = frames[user] ?? frames.find((frame) => !frame.startsWith('node:'))
  return { place: place && relative(process.cwd(), place), isNode }
}

/** Between the trap and whoever runs the machine, both of which stand here. */
function machineFrames(frames: readonly string[]): readonly string[] {
  const isOurs = (frame: string): boolean => frame.startsWith(own)
  const first = frames.findIndex((frame) => !isOurs(frame))
  const machine = first === -1 ? [] : frames.slice(first)
  const end = machine.findIndex(isOurs)
  return end === -1 ? machine : machine.slice(0, end)
}

/** `/shop/src/payment.ts:12` or `node:internal/console:3`, the nearest first. */
function framesBelow(below: (...args: never[]) => unknown): string[] {
  const holder: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 40
  Error.captureStackTrace(holder, below)
  const { stack = '' } = holder
  Error.stackTraceLimit = limit
  return stack.split('\n').slice(1).flatMap(fileOf)
}

function fileOf(frame: string): string[] {
  const found = /(?:\(|at |async )((?:file:\/\/|node:)?[^()\s]*?):(\d+):\d+\)?$/.exec(frame.trim())
  const [, file = '<anonymous>', line] = found ?? []
  if (file === '<anonymous>') return []
  return [`${file.startsWith('file:') ? fileURLToPath(file.replace(/[?#].*$/, '')) : file}:${line}`]
}
