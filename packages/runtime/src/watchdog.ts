// watchdog.ts: ends the process when a turn hangs (G11).
// A guard that loops holds the only JavaScript thread, so nothing in it can stop it. A second thread looks at a heartbeat
// in shared memory. After the kill the message in hand is known by its crash mark, and is put away after a few of them.
import { url as inspectorUrl } from 'node:inspector'
import { Worker } from 'node:worker_threads'
import type { Watchdog } from '@interstate/core'

const watcher = `
const { workerData, parentPort } = require('node:worker_threads')
const heart = new Int32Array(workerData.heart)
let seen = -1
let since = performance.now()
setInterval(() => {
  const beat = Atomics.load(heart, 0)
  // Even: idle. Odd: busy since the beat changed.
  if (beat !== seen || beat % 2 === 0) {
    seen = beat
    since = performance.now()
  } else if (performance.now() - since > workerData.hangMs) {
    require('node:fs').writeSync(2, 'interstate: a turn has not ended for ' + workerData.hangMs + ' ms; the process is killed.\\n')
    process.kill(process.pid, 'SIGKILL')
  }
}, Math.min(1000, Math.max(20, workerData.hangMs / 4)))
`

/** Starts watching. Not under a debugger: a breakpoint is no hang. */
export function startWatchdog(hangMs: number): Watchdog | undefined {
  if (inspectorUrl() !== undefined) return undefined
  const heart = new SharedArrayBuffer(4)
  const beats = new Int32Array(heart)
  const worker = new Worker(watcher, { eval: true, workerData: { heart, hangMs } })
  worker.unref()
  return {
    beat: (state) => {
      const odd = Atomics.load(beats, 0) % 2 === 1
      if (odd !== (state === 'busy')) Atomics.add(beats, 0, 1)
    },
    stop: () => void worker.terminate(),
  }
}
