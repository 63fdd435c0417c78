// strace.ts: system calls that kill the process, or that fail, when their time comes.
// strace keeps a count for each thread and each system call, so a point is "the n-th write", not "the n-th of all calls".
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Files } from './files.ts'

/** System calls that change files or make changes durable. Not every architecture has each, hence the question mark. */
export const changingCalls = [
  'pwrite64',
  'pwritev',
  'write',
  'fsync',
  'fdatasync',
  'ftruncate',
  'rename',
  'renameat',
  'renameat2',
  'unlink',
  'unlinkat',
] as const
export type ChangingCall = (typeof changingCalls)[number]

/** The n-th call of one kind, on the files of a run. */
export interface Point {
  readonly call: ChangingCall
  readonly n: number
}

/** What happens at a point: the process is killed before the call does anything, or the call fails. */
export type Mishap = 'SIGKILL' | 'EIO' | 'ENOSPC'

/** The command that runs a process with a mishap in its way, and writes down its system calls on the files. */
export function strace(files: Files, log: string, mishap?: { readonly what: Mishap; readonly at: Point }): string[] {
  const calls = changingCalls.map((call) => `?${call}`).join(',')
  const paths = pathsOf(files).flatMap((path) => ['-P', path])
  const inject = mishap === undefined ? [] : [`--inject=${mishap.at.call}:${effectOf(mishap.what)}:when=${mishap.at.n}`]
  // Seccomp stops a process at the calls that are looked at and no others, which is fast; but no signal can be sent there.
  const filter = mishap?.what === 'SIGKILL' ? [] : ['--seccomp-bpf']
  return [
    'strace',
    '-f',
    '-qq',
    '-y',
    '-s',
    '64',
    ...filter,
    '-o',
    log,
    '-e',
    `trace=${calls}`,
    ...paths,
    ...inject,
    '--',
  ]
}

/** A system call as strace tells it: with the paths of its files, and whether strace made it fail. */
export interface Call {
  readonly call: string
  readonly text: string
}

/** System calls in their order. */
export function callsOf(log: string): readonly Call[] {
  const lines = readFileSync(log, 'utf8').split('\n')
  return lines.flatMap((text) => {
    const call = /^\d+\s+(\w+)\(/.exec(text)?.[1]
    return call === undefined ? [] : [{ call, text }]
  })
}

/** The files of a run, and the folder: a new name in it is made durable by a sync of the folder. */
function pathsOf({ store, ledger, notes }: Files): readonly string[] {
  const beside = ['', '-wal', '-lock', '-new', '-new-journal', '-new-wal'].map((end) => `${store}${end}`)
  return [...beside, ledger, notes, dirname(store)]
}

function effectOf(what: Mishap): string {
  return what === 'SIGKILL' ? 'signal=SIGKILL' : `error=${what}`
}
