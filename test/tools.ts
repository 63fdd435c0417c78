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
