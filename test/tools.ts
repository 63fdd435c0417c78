// tools.ts: what tests need beyond npm, and what becomes of them where it is missing.
//   T1  What is missing is said loudly; in CI it is a failure, because there a skipped test looks like a passed one.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { canMakeDisk } from './crash/small-disk.ts'

/** Something that a machine may lack. */
export interface Tool {
  readonly name: string
  /** Which tests need it. */
  readonly neededBy: string
  isHere(): boolean
  /** Why it isn't here, and what to do about it. */
  missing(): string
}

export const strace: Tool = {
  name: 'strace',
  neededBy: 'Crash tests',
  // Some containers have the tool but forbid to trace.
  isHere: () => spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0,
  missing: () =>
    has('strace')
      ? 'strace is here but may not trace (a container needs the SYS_PTRACE capability)'
      : 'strace is not here (Debian, Ubuntu: sudo apt-get install strace; other systems than Linux have none)',
}

export const smallDisk: Tool = {
  name: 'a small disk',
  neededBy: 'Crash tests',
  isHere: canMakeDisk,
  missing: () => 'no small disk can be made (that needs root, sudo without a password, or user namespaces)',
}

export const chromium: Tool = {
  name: 'chromium',
  neededBy: 'Tests of pages in a browser',
  isHere: () => chromiumPath() !== undefined,
  missing: () => 'chromium is not here (Debian, Ubuntu: sudo apt-get install chromium; or name one in CHROMIUM)',
}

/** Where the browser is, if there is one. */
export function chromiumPath(): string | undefined {
  const named = [process.env.CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  return named.find((path) => path !== '' && existsSync(path) && has(path))
}

/** The oldest version whose scripts declare their keys (`#!lua`). */
const oldestRedis = 7

export const redisServer: Tool = {
  name: 'redis-server',
  neededBy: 'Tests of the Redis store',
  isHere: () => redisVersion() >= oldestRedis,
  missing: () =>
    has(redisServerPath())
      ? `${redisServerPath()} is older than ${oldestRedis}.0, which has no scripts that declare their keys`
      : 'redis-server is not here (Debian, Ubuntu: sudo apt-get install redis-server; or name one in REDIS_SERVER)',
}

/** The server that tests start: Redis, or one that speaks like it. */
export function redisServerPath(): string {
  const named = process.env.REDIS_SERVER ?? ''
  return named === '' ? 'redis-server' : named
}

/** 0 where there is none. */
function redisVersion(): number {
  const { stdout } = spawnSync(redisServerPath(), ['--version'], { encoding: 'utf8' })
  return Number(/\bv=(\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}

export const isCI: boolean = !['', 'false', '0'].includes(process.env.CI ?? '')

export function has(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Says that tests can't run, so that nobody overlooks it. */
export function report(tool: Tool): void {
  const effect = isCI ? 'This is CI, where that is a failure.' : 'They are SKIPPED.'
  const rule = '!'.repeat(110)
  console.error(`${rule}\n! ${tool.missing()}.\n! ${tool.neededBy} need it. ${effect}\n${rule}`)
}
