// console.ts: a command line in this process: what it says, and what it is told.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreDriver } from '@interstate/core'
import { onTestFinished } from 'vitest'
import { type Outside, openStore, runCommand } from '../src/index.ts'

/** How a call ended. */
export interface Ended {
  readonly exitCode: number
  readonly out: string
  readonly err: string
  /** What `--json` gave. */
  // biome-ignore lint/suspicious/noExplicitAny: a document is looked at field by field.
  readonly json: any
  /** Questions that were asked. */
  readonly asked: readonly string[]
}

/** What stands around a call. */
export interface Around extends Partial<Outside> {
  /** The store, whatever `--store` says. */
  readonly store?: StoreDriver
  /** What the person at the terminal answers; nobody is there without it. */
  readonly answers?: boolean
}

/** Runs one command. */
export async function interstate(args: readonly string[], { store, answers, ...around }: Around = {}): Promise<Ended> {
  let out = ''
  let err = ''
  const asked: string[] = []
  const exitCode = await runCommand(args, {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    env: store === undefined ? {} : { INTERSTATE_STORE: 'here' },
    columns: undefined,
    hasColours: false,
    confirm:
      answers === undefined
        ? undefined
        : async (question) => {
            asked.push(question)
            return answers
          },
    now: () => Date.UTC(2026, 5, 1),
    sleep: async () => {},
    open: async (place) =>
      store === undefined ? openStore(place, process.cwd()) : { driver: store, close: async () => {} },
    folder: process.cwd(),
    ...around,
  })
  return { exitCode, out, err, asked, json: out.startsWith('{') ? JSON.parse(out) : undefined }
}

/** A folder that is removed when the test has ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'interstate-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
