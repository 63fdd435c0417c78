// prepare.ts: makes sure that what tests need beyond npm is there, before any test runs.
// Not here: what it is (tools.ts), and what they do with it (crash/, browser/, the tests of the Redis store).
//   P1  Nothing is installed unless this is root on a Debian-like system.

import { spawnSync } from 'node:child_process'
import { chromium, has, isCI, redisServer, report, smallDisk, strace } from './tools.ts'

/** By package; a browser is large. */
const patienceMs = { strace: 120_000, chromium: 300_000, 'redis-server': 120_000 } as const

if (!strace.isHere() && !has('strace')) install('strace')
if (!chromium.isHere()) install('chromium')
// Tests start their own servers on ports of their own; one that the package starts is left alone.
if (!redisServer.isHere() && !has('redis-server')) install('redis-server')
const missing = [strace, smallDisk, chromium, redisServer].filter((tool) => !tool.isHere())
for (const tool of missing) report(tool)
if (isCI && missing.length > 0) process.exitCode = 1

function install(name: keyof typeof patienceMs): void {
  const isRoot = process.getuid?.() === 0
  if (!isRoot || !has('apt-get')) return
  console.log(`test/prepare: ${name} is missing; installing it with apt-get`)
  const get = () => apt(patienceMs[name], 'install', '-y', '--no-install-recommends', name)
  // A fresh container has no package lists; a used one needs no update.
  if (!get() && apt(patienceMs.strace, 'update')) get()
}

/** Without a network apt-get retries for minutes; a newcomer should see tests before that. */
function apt(timeout: number, ...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync('apt-get', ['-qq', ...args], { env, timeout, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}
