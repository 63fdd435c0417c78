// prepare.ts: makes sure that what the crash tests need beyond npm is there, before any test runs.
// Owns: strace, with which those tests kill a process at a chosen system call.
// Not here: what they do with it (crash/).
//   P1  A tool that is missing is said loudly; in CI it is a failure, because there a skipped test looks like a passed one.
//   P2  Nothing is installed unless this is root on a Debian-like system.

import { spawnSync } from 'node:child_process'

if (!canTrace()) {
  installStrace()
  if (!canTrace()) report()
}

/** True when strace is there and allowed to trace: some containers have the tool but forbid ptrace. */
function canTrace(): boolean {
  return spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0
}

function installStrace(): void {
  const isRoot = process.getuid?.() === 0
  const hasApt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
  if (!isRoot || !hasApt || has('strace')) return
  console.log('test/prepare: strace is missing; installing it with apt-get')
  const install = () => apt('install', '-y', '--no-install-recommends', 'strace')
  // A fresh container has no package lists; a used one needs no update.
  if (!install() && apt('update')) install()
}

function has(tool: string): boolean {
  return spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined
}

function apt(...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Without a network apt-get retries for minutes; a newcomer should see tests before that.
  const timeout = 120_000
  return spawnSync('apt-get', ['-qq', ...args], { env, timeout, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}

function report(): void {
  const isCI = !['', 'false', '0'].includes(process.env.CI ?? '')
  const cause = has('strace')
    ? 'strace is here but may not trace (a container needs the SYS_PTRACE capability)'
    : 'strace is not here (Debian, Ubuntu: sudo apt-get install strace; other systems than Linux have none)'
  const effect = isCI ? 'This is CI, where that is a failure.' : 'They will be SKIPPED.'
  const rule = '!'.repeat(100)
  console.error(
    `${rule}\n! ${cause}.\n! The tests that kill a process at a chosen system call need it. ${effect}\n${rule}`,
  )
  if (isCI) process.exitCode = 1
}
