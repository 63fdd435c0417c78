// watchdog.ts: ends the process when a turn hangs (G11).
// A guard that loops holds the only JavaScript thread, so nothing in it can stop it. A second thread looks at a heartbeat
// in shared memory. After the kill the message in hand is known by its crash mark, and is put away after a few of them.
import { url as inspectorUrl } from 'node:inspector'
import { Worker } from 'node:worker_threads'
import type { Watchdog } from '@interstate/core'

const watcher = `
const { workerData: { heart, hangMs, everyMs } } = require('node:worker_threads')
const [beats, busy] = [0, 1]
const view = new Int32Array(heart)
let seen = -1
let since = performance.now()
setInterval(() => {
  const beat = Atomics.load(view, beats)
  if (beat !== seen || Atomics.load(view, busy) === 0) {
    seen = beat
    since = performance.now()
  } else if (performance.now() - since > hangMs) {
    require('node:fs').writeSync(2, 'interstate: a turn has not ended for ' + hangMs + ' ms; the process is killed.\\n')
    process.kill(process.pid, 'SIGKILL')
  }
}, everyMs)
`

/** Starts watching. Not under a debugger: a breakpoint is no hang. */
export function startWatchdog(hangMs: number): Watchdog | undefined {
  if (inspectorUrl() !== undefined) return undefined
  const heart = new SharedArrayBuffer(8)
  const [beats, busy] = [0, 1]
  const view = new Int32Array(heart)
  const everyMs = Math.min(1000, Math.max(20, hangMs / 4))
  // Without the process's own flags: one of them (--input-type) would change what this script is.
  const worker = new Worker(watcher, { eval: true, execArgv: [], workerData: { heart, hangMs, everyMs } })
  worker.unref()
  // A store that answers slowly keeps the host busy and the thread free: that is no hang.
  const pulse = setInterval(() => Atomics.add(view, beats, 1), everyMs).unref()
  return {
    turn: (state) => {
      Atomics.store(view, busy, state === 'busy' ? 1 : 0)
      Atomics.add(view, beats, 1)
    },
    stop: () => {
      clearInterval(pulse)
      void worker.terminate()
    },
  }
}
