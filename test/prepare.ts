// prepare.ts: makes sure that what the crash tests need beyond npm is there, before any test runs.
// Not here: what it is (tools.ts), and what they do with it (crash/).
//   P1  Nothing is installed unless this is root on a Debian-like system.

import { spawnSync } from 'node:child_process'
import { has, isCI, report, smallDisk, strace } from './tools.ts'

if (!strace.isHere()) installStrace()
const missing = [strace, smallDisk].filter((tool) => !tool.isHere())
for (const tool of missing) report(tool)
if (isCI && missing.length > 0) process.exitCode = 1

function installStrace(): void {
  const isRoot = process.getuid?.() === 0
  if (!isRoot || !has('apt-get') || has('strace')) return
  console.log('test/prepare: strace is missing; installing it with apt-get')
  const install = () => apt('install', '-y', '--no-install-recommends', 'strace')
  // A fresh container has no package lists; a used one needs no update.
  if (!install() && apt('update')) install()
}

function apt(...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Without a network apt-get retries for minutes; a newcomer should see tests before that.
  const timeout = 120_000
  return spawnSync('apt-get', ['-qq', ...args], { env, timeout, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}
