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
      const terminate = (): void => {
        // The default would have ended the process; it does so now, with the exit status of a terminated one.
        void callback().finally(() => process.kill(process.pid, 'SIGTERM'))
      }
      process.once('SIGTERM', terminate)
      return () => process.off('SIGTERM', terminate)
    },
    defaultVerification: () => (process.env.NODE_ENV === 'production' ? 'sampled' : 'always'),
    watchdog: startWatchdog,
    exit: (reason) => {
      process.stderr.write(`interstate: ${reason.message}\n`)
      process.exit(exitCode)
    },
  }
}

// A longer delay overflows to 1 ms in Node; a timer that fires early is set again by its owner.
const maxTimeoutMs = 2 ** 31 - 1
// EX_IOERR of sysexits.h: a supervisor starts a new process, on a disk that may be healthy.
const exitCode = 74
