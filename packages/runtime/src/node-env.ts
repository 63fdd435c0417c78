// node-env.ts: the outside as Node.js gives it.
import type { Env } from '@interstate/core'
import { nanoid } from 'nanoid'
import { startWatchdog } from './watchdog.ts'

/** The default {@link Env}: wall clock, nanoid, Node's timers, SIGTERM. */
export function nodeEnv(): Env {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    id: () => nanoid(),
    setTimer: (delayMs, callback) => setTimeout(callback, Math.min(delayMs, maxTimeoutMs)),
    clearTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
    soon: (callback) => {
      setImmediate(callback)
    },
    onTerminate: (callback) => {
      if (callbacks.size === 0) process.once('SIGTERM', terminate)
      callbacks.add(callback)
      return () => {
        callbacks.delete(callback)
        if (callbacks.size === 0) process.off('SIGTERM', terminate)
      }
    },
    defaultVerification: () => (process.env.NODE_ENV === 'production' ? 'sampled' : 'always'),
    watchdog: startWatchdog,
    warn: (text, code) => {
      // A test starts many hosts of one system.
      if (!told.has(text)) process.emitWarning(text, { type: 'InterstateWarning', code })
      told.add(text)
    },
    exit: (reason) => {
      process.stderr.write(`interstate: ${reason.message}\n`)
      process.exit(exitCode)
    },
  }
}

const told = new Set<string>()

/** What is to be done before this process ends: it may have several hosts, and ends with the last of them. */
const callbacks = new Set<() => Promise<void>>()

function terminate(): void {
  const ends = [...callbacks].map((callback) =>
    callback().catch((error: unknown) => void process.stderr.write(`interstate: ${String(error)}\n`)),
  )
  // The default would have ended the process; it does so now, with the exit status of a terminated one.
  void Promise.all(ends).then(() => process.kill(process.pid, 'SIGTERM'))
}

// A longer delay overflows to 1 ms in Node; a timer that fires early is set again by its owner.
const maxTimeoutMs = 2 ** 31 - 1
// EX_IOERR of sysexits.h: a supervisor starts a new process, on a disk that may be healthy.
const exitCode = 74
